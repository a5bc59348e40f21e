"""`elumiti loadtest`: the simulated nation, on a stack of its own or, shared by several generators, on an installation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import cyclopts
import msgspec
import uvloop

from infra.errors import PlainError
from loadtest.asked import require
from loadtest.files import make_room
from loadtest.nation import joined
from loadtest.nation.measures import Result
from loadtest.nation.report import write_report
from loadtest.nation.run import run
from loadtest.nation.scenario import Nation

app = cyclopts.App(name="loadtest", help="Play a nation of simulated pupils and look every acknowledged event up.")
OUT = Path("build/loadtest")
# What one core signs in and serves the bundle to, with room.
SIGN_INS_A_SECOND = 1500
DAY_S = 86_400
# Of one run: a generator holds each of them in memory.
MOST_CANDIDATES = 3_000_000
MOST_VISITORS = 1000
# Each is a process of 100 MB before anybody comes.
MOST_WORKERS = 64


@app.default
def loadtest(
    *,
    candidates: int = 10_000,
    minutes: float = 2.0,
    save_every_s: float = 30.0,
    sign_in_s: float = 0.0,
    spread_s: float = 60.0,
    visitors: float = 5.0,
    lost_acks: float = 0.01,
    workers: int = 1,
    connections: int = 4000,
    seed: int = 1,
    out: Path = OUT,
) -> None:
    """Sign-in, prefetch, the rush for the key at T0, saves, hand-in and visitors, on a stack of its own; then the ledger.

    The report is OUT/report.html, its figures OUT/report.json. Exit code 1 when an acknowledged event is lost, doubled
    or altered.

    Parameters
    ----------
    candidates
        Pupils of the sitting.
    minutes
        Length of the test at true pace.
    save_every_s
        Rhythm of saves, in seconds; ±20 % at random.
    sign_in_s
        Over how many seconds before T0 they sign in and fetch the bundle; 0: as fast as is fair.
    spread_s
        Over how many seconds after T0 they ask for the key.
    visitors
        Uninvited visitors a candidate, each with the start page and all it needs.
    lost_acks
        Share of acknowledgements that are lost on the way.
    workers
        Engine workers.
    connections
        Kept-alive connections of the generator.
    seed
        The same seed draws the same nation.
    out
        Folder of the report.
    """
    nation = nation_of(candidates, minutes, save_every_s, sign_in_s, spread_s, seed)
    nation = msgspec.structs.replace(
        nation, visitors=visitors, lost_acks=lost_acks, workers=workers, connections=connections
    )
    for name, value, least, most in (
        ("visitors", visitors, 0, MOST_VISITORS),
        ("lost-acks", lost_acks, 0, 0.9),
        ("workers", workers, 1, MOST_WORKERS),
    ):
        require(name, value, least, most)
    make_room(connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(nation))
    say(result, out)


@app.command
def scene(
    *,
    base_url: str,
    candidates: int = 10_000,
    minutes: float = 2.0,
    save_every_s: float = 30.0,
    spread_s: float = 60.0,
    starts_in_s: float = 300.0,
    seed: int = 1,
    out: Path = OUT / "scene.json",
    host_allowed: str = "",
) -> None:
    """Prepare a sitting with invented pupils on this installation, for `generate` on any number of machines.

    Parameters
    ----------
    base_url
        The engine's address as the generators reach it.
    candidates
        Pupils of the sitting.
    minutes
        Length of the test at true pace.
    save_every_s
        Rhythm of saves, in seconds; ±20 % at random.
    spread_s
        Over how many seconds after T0 they ask for the key.
    starts_in_s
        When T0 is, in seconds from now.
    seed
        The same seed draws the same nation.
    out
        The scene's file; it holds sign-in codes.
    host_allowed
        A host beyond this machine that expects the load, as each `generate` must name it too.
    """
    require("starts-in-s", starts_in_s, 10, DAY_S)
    joined.require_address(base_url)
    joined.require_host(base_url, host_allowed)
    sign_in_s = max(5.0, starts_in_s - 30)
    nation = nation_of(candidates, minutes, save_every_s, sign_in_s, spread_s, seed)
    sent = asyncio.run(joined.prepare_scene(nation, base_url, starts_in_s))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.touch(mode=0o600)
    out.write_bytes(msgspec.json.encode(sent))
    print(f"{out}: {candidates} pupils, T0 in {starts_in_s:g} s. Now: elumiti loadtest generate {out} --part 1/1")


@app.command
def generate(scene: Path, *, part: str = "1/1", out: Path = OUT / "part", host_allowed: str = "") -> None:
    """Play a share of a scene: --part 2/3 is every third candidate from the second on.

    Parameters
    ----------
    scene
        File that `scene` wrote.
    part
        Which share of how many.
    out
        Folder for what this generator saw.
    host_allowed
        A host beyond this machine that expects the load. Without it only loopback is played against.
    """
    joined.generate(joined.load(scene), part, out, host_allowed)


@app.command
def join(scene: Path, parts: list[Path], *, out: Path = OUT) -> None:
    """Put the shares of several generators together: one ledger, one report.

    Parameters
    ----------
    scene
        File that `scene` wrote.
    parts
        Folders that `generate` wrote.
    out
        Folder of the report.
    """
    say(joined.join(joined.load(scene), parts, joined.owner_url()), out)


def nation_of(
    candidates: int, minutes: float, save_every_s: float, sign_in_s: float, spread_s: float, seed: int
) -> Nation:
    """A scenario from what the commands take; nonsense is one line."""
    for name, value, least, most in (
        ("candidates", candidates, 1, MOST_CANDIDATES),
        ("minutes", minutes, 0.1, DAY_S // 60),
        ("save-every-s", save_every_s, 1, DAY_S),
        ("sign-in-s", sign_in_s, 0, DAY_S),
        ("spread-s", spread_s, 0, DAY_S),
    ):
        require(name, value, least, most)
    return Nation(
        candidates=candidates,
        minutes=minutes,
        save_every_s=save_every_s,
        sign_in_s=sign_in_s or max(5.0, candidates / SIGN_INS_A_SECOND),
        spread_s=min(spread_s, minutes * 60 / 4),
        seed=seed,
    )


def say(result: Result, out: Path) -> None:
    """Write the report, say what matters, and fail where the ledger is not clean."""
    page = write_report(result, out)
    ledger = result.ledger
    print(
        f"{page}: save p99 {result.latencies['save'].p99:.0f} ms; {ledger.acknowledged} events acknowledged, "
        f"{ledger.lost} lost, {ledger.duplicated + ledger.conflicts} doubled, {ledger.altered + ledger.unknown} altered."
    )
    if not ledger.clean:
        raise PlainError("The ledger is not clean.", f"See {page}: {'; '.join(ledger.examples[:3])}")
