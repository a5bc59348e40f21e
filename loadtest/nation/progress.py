"""What the terminal shows while a run goes on: a line every five seconds, so that a log of it can be read too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loadtest.nation.record import ROUTE

if TYPE_CHECKING:
    from loadtest.nation.drive import Driver
    from loadtest.nation.watch import Watch

EVERY_S = 5.0


async def report_progress(driver: Driver, watch: Watch | None) -> None:
    """Print until cancelled."""
    before = 0
    print("   time   answers/s   save p50   save p99   waiting   lag s   free CPU %   receipts   refusals", flush=True)
    while True:
        await asyncio.sleep(EVERY_S)
        answers = driver.record.answers
        fresh = sorted(driver.record.newest(answers - before, ROUTE["save"])) if answers > before else []
        p50, p99 = (f"{fresh[int(share * (len(fresh) - 1))]:.0f} ms" if fresh else "-" for share in (0.5, 0.99))
        newest = watch.samples[-1] if watch and watch.samples else None
        lag, free = (f"{newest.lag_s:.1f}", f"{newest.idle:.0f}") if newest else ("-", "-")
        print(
            f"{driver.now() - driver.t0:+7.0f} s {(answers - before) / EVERY_S:9.0f} {p50:>10} {p99:>10}"
            f" {driver.waiting:9d} {lag:>7} {free:>12}"
            f" {driver.record.counts['final receipts']:10d} {sum(driver.record.refusals.values()):10d}",
            flush=True,
        )
        before = answers
