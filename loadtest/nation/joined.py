"""Several generators play one nation: T0 itself is what they agree on, so nobody coordinates them.

`scene` prepares a sitting on an installation, `generate` plays a share of it from any machine, `join` puts the shares
together, reconciles with Postgres and writes the report.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import polars as pl
import uvloop

from infra.errors import PlainError
from infra.local import decode_key, default_home, environment
from infra.settings import EngineSettings, OwnerSettings, read
from loadtest.files import make_room
from loadtest.nation.courses import draw_courses
from loadtest.nation.drive import Driver
from loadtest.nation.measures import Result, Seen, seen, sum_up
from loadtest.nation.progress import report_progress
from loadtest.nation.run import compare, items_for
from loadtest.nation.scenario import Nation, Sent
from loadtest.scene import make_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def require_host(url: str, allowed: str) -> None:
    """Loopback, or the one host that a person named."""
    host = urlsplit(url).hostname or ""
    if host in LOOPBACK or host.startswith("127.") or host == allowed:
        return
    what = f"{url} is not this machine."
    raise PlainError(what, f"If it is yours and expects a nation, say so: --host-allowed {host}.")


def require_address(url: str) -> None:
    """An address that a generator can call."""
    address = urlsplit(url)
    try:
        whole = address.scheme in {"http", "https"} and address.hostname and (address.port or 1)
    except ValueError:
        whole = False
    if not whole:
        raise PlainError(f"{url} is no address.", "Say for example --base-url http://127.0.0.1:8100.")


def _environ(process: str) -> dict[str, str]:
    """Settings of a process: the home's, if there is one here, and over them what the environment says."""
    home = default_home()
    return (environment(home, process) if (home.folder / "secrets.json").exists() else {}) | dict(os.environ)


def owner_url() -> str:
    """Postgres as its owner: for making scenes, and for looking answers up."""
    return read(OwnerSettings, _environ("owner")).owner_database_url


async def prepare_scene(nation: Nation, base_url: str, starts_in_s: float) -> Sent:
    """Make a sitting on this installation, with its pupils. They are invented; the sitting is called «bench»."""
    t0 = time.time() + starts_in_s
    scene = await make_scene(
        *(owner_url(), _environ("pack"), decode_key(read(EngineSettings, _environ("engine")).code_pepper)),
        nation.candidates,
        starts_in_s=starts_in_s,
        duration_s=round(nation.minutes * 60 + 600),
        spread_s=round(nation.spread_s),
        items=items_for(nation.minutes),
    )
    return Sent(nation=nation, base_url=base_url, t0_unix_s=t0, scene=scene)


def load(path: Path) -> Sent:
    """A scene that was prepared."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sent)
    except (OSError, msgspec.DecodeError) as error:
        raise PlainError(f"{path} is not a scene: {error}.", "Make one: elumiti loadtest scene.") from error


def generate(sent: Sent, part: str, out: Path, allowed: str) -> None:
    """Play the share `number/of` and keep what was seen in `out`."""
    require_host(sent.base_url, allowed)
    number, _, of = part.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise PlainError(f"{part} is not a share.", "Say for example --part 2/3.")
    share = sent.part(int(number), int(of))
    if share.t0_unix_s < time.time() + share.nation.calm_before_s:
        raise PlainError("The sitting of this scene has begun.", "Make a new scene and start all generators before T0.")
    make_room(share.nation.connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_generate(share, sent, out))


async def _generate(share: Sent, whole: Sent, out: Path) -> None:
    address = urlsplit(share.base_url)
    safe = address.scheme == "https"
    host, port = address.hostname or "127.0.0.1", address.port or (443 if safe else 80)
    pool = Pool(host, port, ssl.create_default_context() if safe else None)
    await pool.open(share.nation.connections)
    courses = draw_courses(whole.scene, whole.nation.minutes, whole.nation.seed)
    t0 = time.perf_counter() + share.t0_unix_s - time.time()
    driver = Driver(share.nation, share.scene, courses, pool, f"{host}:{port}", t0)
    told = asyncio.create_task(report_progress(driver, None))
    try:
        await driver.run()
    finally:
        told.cancel()
        pool.close()
    driver.record.write(out)
    (out / "seen.json").write_bytes(msgspec.json.encode(seen(driver)))
    print(f"{out}: {driver.record.counts['final receipts']} of {share.nation.candidates} have their receipt.")
    for (route, status, code), count in driver.record.refusals.most_common():
        print(f"  {route}: {status} {code}, {count} times")


def join(sent: Sent, folders: list[Path], owner_url: str) -> Result:
    """Put the shares together on one time line and look every acknowledged event up."""
    parts = [_seen_in(folder) for folder in folders]
    _require_whole(sent, folders)
    first = parts[0]
    shift = [first.t0_s - part.t0_s for part in parts]
    requests = pl.concat(
        pl.read_parquet(folder / "requests.parquet").with_columns(pl.col("due_s") + by)
        for folder, by in zip(folders, shift, strict=True)
    )
    devices, acks = _one_numbering(folders)
    courses = draw_courses(sent.scene, sent.nation.minutes, sent.nation.seed)
    ledger = asyncio.run(compare(owner_url, sent.scene.sitting, courses, devices, acks))
    ledger.late = sum(part.late for part in parts)
    counts: Counter[str] = Counter()
    refusals: Counter[tuple[str, int, str]] = Counter()
    for part in parts:
        counts.update(part.counts)
        refusals.update({(route, status, code): count for route, status, code, count in part.refusals})
    told = Seen(
        nation=sent.nation,
        t0_s=first.t0_s,
        stops_s=first.stops_s,
        ended_s=max(part.ended_s + by for part, by in zip(parts, shift, strict=True)),
        ticks_late_p99_ms=max(part.ticks_late_p99_ms for part in parts),
        counts=dict(counts),
        refusals=[(*key, count) for key, count in refusals.most_common()],
        late=ledger.late,
    )
    return sum_up(told, requests, [], ledger)


def _seen_in(folder: Path) -> Seen:
    try:
        return msgspec.json.decode((folder / "seen.json").read_bytes(), type=Seen)
    except (OSError, msgspec.DecodeError) as error:
        raise PlainError(f"{folder} is no share: {error}.", "Name the folders that generate wrote.") from error


def _require_whole(sent: Sent, folders: list[Path]) -> None:
    """Every candidate in one share and no more: else the ledger would call what others played altered."""
    played = [
        attempt for folder in folders for attempt in pl.read_parquet(folder / "devices.parquet")["attempt"].unique()
    ]
    missing = {attempt for attempt, _ in sent.scene.seats} - set(played)
    if missing or len(set(played)) < len(played):
        what = (
            f"{len(missing)} candidates are in none of the shares" if missing else "A candidate is in two of the shares"
        )
        raise PlainError(f"{what}.", "Name each folder that generate wrote for this scene, once.")


def _one_numbering(folders: list[Path]) -> tuple[pl.DataFrame, pl.DataFrame]:
    devices: list[pl.DataFrame] = []
    acks: list[pl.DataFrame] = []
    before = 0
    for folder in folders:
        mine = pl.read_parquet(folder / "devices.parquet")
        devices.append(mine.with_columns(pl.col("log") + before))
        acks.append(pl.read_parquet(folder / "acks.parquet").with_columns(pl.col("log") + before))
        before += mine.height
    return pl.concat(devices), pl.concat(acks)
