"""The day's erasing of what withdrawn consents fed: row by row, on record; what an appeal or a law holds is left and says so."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from portal.core import audit, jobs
from portal.core.consents.feeds import FEEDS
from portal.core.consents.records import holds
from portal.core.i18n import N_
from portal.core.scope import everywhere

if TYPE_CHECKING:
    from portal.core.db import Connection, Pool
    from portal.core.jobs.worker import Context

log = structlog.get_logger()
KIND = "consents-erase"
HELD_AS: dict[str, str] = {"appeal": N_("an appeal"), "law": N_("the law")}


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased, or was."""

    id: int
    person_id: int
    name: str
    purpose: str
    asked_at: datetime
    due_at: datetime
    held_as: str | None
    held_until: date | None
    held_reason: str
    held_by: str | None
    done_at: datetime | None
    outcome: str | None
    report: list[dict[str, Any]]


ROWS = """
    select e.id, e.person_id, concat_ws(' ', nullif(p.last_name, ''), nullif(p.first_name, '')) as name, e.purpose, e.asked_at,
           e.due_at, e.held_as, e.held_until, e.held_reason, s.full_name as held_by, e.done_at, e.outcome, e.report
    from erasure e
    join person p on p.id = e.person_id
    left join staff s on s.id = e.held_by
"""
HOLDS_STILL = "e.held_until >= (now() at time zone 'Asia/Almaty')::date"
# Which state a page asks for → the rows of it.
STATES = {
    "waits": f"e.done_at is null and not coalesce({HOLDS_STILL}, false)",
    "held": f"e.done_at is null and {HOLDS_STILL}",
    "done": "e.done_at is not null",
}


async def list_erasures(db: Connection, state: str, limit: int, offset: int) -> tuple[list[Erasure], int]:
    """A page of those in a state, the next due first (of those done the newest); within the territory of this transaction."""
    where = STATES[state]
    total = await db.fetchval(f"select count(*) from erasure e where {where}")
    order = "e.done_at desc, e.id desc" if state == "done" else "e.due_at, e.id"
    rows = await db.fetch(f"{ROWS} where {where} order by {order} limit $1 offset $2", limit, offset)
    return [Erasure(**row) for row in rows], total


async def of_person(db: Connection, person_id: int) -> list[Erasure]:
    """Those of one person that are not done."""
    rows = await db.fetch(f"{ROWS} where e.person_id = $1 and e.done_at is null order by e.due_at, e.id", person_id)
    return [Erasure(**row) for row in rows]


async def find(db: Connection, erasure_id: int) -> Erasure | None:
    """One, locked."""
    row = await db.fetchrow(f"{ROWS} where e.id = $1 for no key update of e", erasure_id)
    return Erasure(**row) if row else None


async def hold(db: Connection, erasure_id: int, held_as: str, until: date, reason: str, staff_id: int) -> None:
    """Keep it until a day, that day included."""
    await db.execute(
        "update erasure set held_as = $2, held_until = $3, held_reason = $4, held_by = $5 where id = $1 and done_at is null",
        *(erasure_id, held_as, until, reason, staff_id),
    )


async def let_go(db: Connection, erasure_id: int) -> None:
    """It is erased when it is due."""
    await db.execute(
        """
        update erasure set held_as = null, held_until = null, held_reason = '', held_by = null
        where id = $1 and done_at is null
        """,
        erasure_id,
    )


async def erase(context: Context) -> dict[str, Any]:
    """Do what is due, each in a transaction of its own: one that fails keeps no other from its day."""
    async with context.pool.acquire() as db, db.transaction(), everywhere(db):
        due = [
            row["id"]
            for row in await db.fetch(
                f"select e.id from erasure e where {STATES['waits']} and e.due_at <= now() order by e.id"
            )
        ]
    report: list[dict[str, Any]] = []
    for number, erasure_id in enumerate(due, 1):
        try:
            async with context.pool.acquire() as db, db.transaction(), everywhere(db):
                report.append(await _erase_one(db, erasure_id))
        except Exception:
            log.exception("consents.erasure.failed", erasure=erasure_id)
            report.append({"erasure": erasure_id, "failed": True})
        await context.progress(number, len(due))
    return {"erasures": report, "failed": sum("failed" in one for one in report)}


async def _erase_one(db: Connection, erasure_id: int) -> dict[str, Any]:
    found = await find(db, erasure_id)
    assert found is not None
    # Given again before its day: what it feeds is wanted.
    renewed = await holds(db, found.person_id, found.purpose)
    lines = (
        []
        if renewed
        else [line for feed in FEEDS.get(found.purpose, []) for line in await feed.erase(db, found.person_id)]
    )
    report = msgspec.to_builtins(lines)
    outcome = "renewed" if renewed else "erased"
    await db.execute(
        "update erasure set done_at = now(), outcome = $2, report = $3 where id = $1", erasure_id, outcome, report
    )
    fact: dict[str, object] = {"purpose": found.purpose, "outcome": outcome, "report": report}
    await audit.record_for(
        db,
        staff_id=None,
        acting_as="-",
        address="-",
        act="consent.erasure.done",
        kind="person",
        object_id=found.person_id,
        after=fact,
    )
    return {"erasure": erasure_id, "person": found.person_id, **fact}


async def ask_daily(pool: Pool) -> None:
    """The day's erasing; the worker finds the job by itself."""
    async with pool.acquire() as db:
        if not await db.fetchval(
            "select exists (select 1 from job where kind = $1 and state in ('queued', 'running'))", KIND
        ):
            await jobs.ask(db, KIND, sitting_id=None, made_by=None, payload={})


WORK = {KIND: erase}
