"""`elumiti proctoring`: the process beside the ingest; and what a person does by hand."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import sys
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

import asyncpg
import cyclopts
import msgspec
import uvloop

from infra.errors import PlainError
from infra.local import adopt, decode_key
from infra.parts.process import die_with_parent
from infra.settings import ProctoringSettings, read
from proctoring import erasure, proof
from proctoring.look.serve import Pictures
from proctoring.risk.fairness import children_of, shares
from proctoring.store import open_store

if TYPE_CHECKING:
    from infra.database import Db

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
def prove(sitting: int, *, attempt: int = 0) -> None:
    """Show that the pictures of one attempt, or of a whole sitting, are gone, and others' are not; ends with 1 if not.

    Parameters
    ----------
    sitting
        Number of the sitting.
    attempt
        The attempt; without it, all.
    """
    adopt("proctoring")
    if not asyncio.run(_prove(read(ProctoringSettings), sitting, attempt or None)):
        sys.exit(1)


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
        async with db.transaction():
            fresh = await erasure.ask(db, sitting, attempt, "asked", by)
            if fresh:
                await _on_record(db, sitting, attempt, by)
    finally:
        await db.close()
    print("Marked: nothing more is taken; the keys are gone in seconds." if fresh else "It was marked before.")


async def _on_record(db: Db, sitting: int, attempt: int | None, by: str) -> None:
    """In the audit trail, as if it had been done in the portal; nobody is signed in here, so the reason names who decided."""
    await db.execute(
        """
        insert into audit (staff_id, acting_as, address, act, object_kind, object_id, after, reason, previous_hash, hash)
        values (null, 'elumiti', '-', 'watch.pictures.erased', $1, $2, $3::jsonb, $4, '', '')
        """,
        *("participant" if attempt else "sitting", str(attempt or sitting)),
        json.dumps({"sitting": sitting, "by": "command"}),
        by,
    )


async def _prove(settings: ProctoringSettings, sitting: int, attempt: int | None) -> bool:
    pool = asyncpg.create_pool(settings.database_url, min_size=1, max_size=2)
    async with pool, open_store(settings.objects, settings.picture_bucket) as store, pool.acquire() as db:
        found = await proof.prove(db, Pictures(pool, store, decode_key(settings.picture_kek)), sitting, attempt)
        await proof.keep(db, found, None)
    for name, value in msgspec.structs.asdict(found).items():
        print(f"{name:<13} {'-' if value is None else value}")
    print("proven: gone, and only it" if found.holds else "NOT proven")
    return found.holds


async def _fairness(settings: ProctoringSettings, sitting: int) -> None:
    db = await asyncpg.connect(settings.database_url)
    try:
        found = shares(await children_of(db, sitting))
    finally:
        await db.close()
    writer = csv.writer(sys.stdout)
    writer.writerow(["by", "group", "children", "flagged_percent", "times_the_whole"])
    writer.writerows((one.by, one.group, one.children, one.flagged, one.times) for one in found)
