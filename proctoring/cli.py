"""`elumiti proctoring`: the process beside the ingest; and what a person does by hand."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import sys
from multiprocessing import resource_tracker

import asyncpg
import cyclopts
import uvloop

from infra.errors import PlainError
from infra.local import adopt
from infra.parts.process import die_with_parent
from infra.settings import ProctoringSettings, read
from proctoring import erasure
from proctoring.risk.fairness import children_of, shares

app = cyclopts.App(name="proctoring", help="Pictures of proctored sittings.")


@app.default
def work() -> None:
    """Show pictures to the portal, check a sample, keep scores, erase what is due, until stopped."""
    from proctoring.work import run

    adopt("proctoring")
    die_with_parent()
    with (
        contextlib.suppress(asyncio.CancelledError),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(run(read(ProctoringSettings)))
    # The helper that multiprocessing starts beside its queues ends after us otherwise, with nobody to wait for it.
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # noqa: SLF001


@app.command
def erase(sitting: int, *, attempt: int = 0, by: str) -> None:
    """Erase the pictures of one attempt, or of a whole sitting but for what an open case holds.

    Parameters
    ----------
    sitting
        Number of the sitting.
    attempt
        The attempt; without it, all.
    by
        Who decided it: stands beside the mark.
    """
    adopt("proctoring")
    asyncio.run(_erase(read(ProctoringSettings), sitting, attempt or None, by))


@app.command
def fairness(sitting: int) -> None:
    """Shares of flagged children by device, region and light, as CSV.

    Parameters
    ----------
    sitting
        Number of the sitting.
    """
    adopt("proctoring")
    asyncio.run(_fairness(read(ProctoringSettings), sitting))


async def _erase(settings: ProctoringSettings, sitting: int, attempt: int | None, by: str) -> None:
    db = await asyncpg.connect(settings.database_url)
    try:
        if not await db.fetchval("select true from sitting_watch where sitting_id = $1", sitting):
            raise PlainError(f"Sitting {sitting} is not proctored.", "Its number stands on its page in the portal.")
        fresh = await erasure.ask(db, sitting, attempt, "asked", by)
    finally:
        await db.close()
    print("Marked: nothing more is taken; the keys are gone in seconds." if fresh else "It was marked before.")


async def _fairness(settings: ProctoringSettings, sitting: int) -> None:
    db = await asyncpg.connect(settings.database_url)
    try:
        found = shares(await children_of(db, sitting))
    finally:
        await db.close()
    writer = csv.writer(sys.stdout)
    writer.writerow(["by", "group", "children", "flagged_percent", "times_the_whole"])
    writer.writerows((one.by, one.group, one.children, one.flagged, one.times) for one in found)
