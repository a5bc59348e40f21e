"""`elumiti loadtest`: the simulated nation on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import cyclopts
import uvloop

from infra.errors import PlainError
from loadtest.nation.report import write_report
from loadtest.nation.run import run
from loadtest.nation.scenario import Nation

app = cyclopts.App(name="loadtest", help="Play a nation of simulated pupils against a stack of its own, and reconcile.")
OUT = Path("build/loadtest")


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
    connections: int = 600,
    seed: int = 1,
    out: Annotated[Path, cyclopts.Parameter(help="Folder of the report")] = OUT,
) -> None:
    """Sign-in, prefetch, the rush for the key at T0, saves, hand-in, visitors; then every acknowledged event is looked up.

    The report is OUT/report.html, its figures OUT/report.json. Exit code 1 when an acknowledged event is lost, doubled
    or altered.
    """
    nation = Nation(
        candidates=candidates,
        minutes=minutes,
        save_every_s=save_every_s,
        # As fast as one core signs in and serves the bundle, with room.
        sign_in_s=sign_in_s or max(5.0, candidates / 1500),
        spread_s=min(spread_s, minutes * 60 / 4),
        visitors=visitors,
        lost_acks=lost_acks,
        workers=workers,
        connections=connections,
        seed=seed,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(nation, out))
    page = write_report(result, out)
    print(
        f"{page}: {result.latencies['save'].p99:.0f} ms p99 of a save, {result.ledger.acknowledged} events acknowledged"
    )
    if not result.ledger.clean:
        raise PlainError("The ledger is not clean.", f"See {page}: {'; '.join(result.ledger.examples[:3])}")
