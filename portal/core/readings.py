"""How much of the children's data a person reads a day, counted beside the reading itself (SAFETY P1)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.audit import record
from portal.core.i18n import ASTANA, N_
from portal.core.problems import Problem

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

# A day's usual measure: beyond it is a script, or a curiosity that somebody else should hear of.
MEASURES = {"card": 400, "row": 20_000, "export": 200_000, "iin": 100}


class ReadingStopped(Problem):
    """SAFETY P1."""

    code = "reading-stopped"
    status = 429
    title = N_("You have read as much of the registry today as one person usually does.")
    advice = N_("Nothing is lost. Reading goes on tomorrow; if the work cannot wait, a super-admin frees it.")


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What one person read today. `stopped`: how often he met the end of his measure."""

    staff_id: int
    name: str
    login: str
    card: int
    row: int
    export: int
    iin: int
    stopped: int


def today() -> date:
    """The day that is counted: Astana's."""
    return datetime.now(UTC).astimezone(ASTANA).date()


async def count(db: Connection, actor: Actor, kind: str, how_many: int = 1) -> None:
    """Add to the day's count of this person; beyond the measure nothing more is read."""
    if how_many == 0:
        return
    total = await db.fetchval(
        """
        insert into reading (staff_id, day, kind, count) values ($1, $2, $3, $4)
        on conflict (staff_id, day, kind) do update set count = reading.count + excluded.count
        returning count
        """,
        *(actor.staff_id, today(), kind, how_many),
    )
    if total > MEASURES[kind]:
        raise ReadingStopped


async def alarm(db: Connection, actor: Actor) -> None:
    """After the reading was refused and rolled back: the first time a day it goes on record."""
    async with db.transaction():
        times = await db.fetchval(
            """
            insert into reading (staff_id, day, kind, count) values ($1, $2, 'stop', 1)
            on conflict (staff_id, day, kind) do update set count = reading.count + 1
            returning count
            """,
            *(actor.staff_id, today()),
        )
        if times == 1:
            await record(db, actor, "reading.measure.met", kind="staff", object_id=actor.staff_id)


async def readers(db: Connection) -> list[Reader]:
    """Who read what today, those who were stopped first."""
    rows = await db.fetch(
        """
        select s.id as staff_id, s.full_name as name, s.login,
               coalesce(sum(r.count) filter (where r.kind = 'card'), 0)::int as card,
               coalesce(sum(r.count) filter (where r.kind = 'row'), 0)::int as row,
               coalesce(sum(r.count) filter (where r.kind = 'export'), 0)::int as export,
               coalesce(sum(r.count) filter (where r.kind = 'iin'), 0)::int as iin,
               coalesce(sum(r.count) filter (where r.kind = 'stop'), 0)::int as stopped
        from reading r
        join staff s on s.id = r.staff_id
        where r.day = $1
        group by s.id
        order by stopped desc, export desc, card desc, s.id
        limit 200
        """,
        today(),
    )
    return [Reader(**row) for row in rows]


async def free(db: Connection, staff_id: int) -> bool:
    """Let a person begin today's measure anew."""
    done = await db.execute("delete from reading where staff_id = $1 and day = $2", staff_id, today())
    return done != "DELETE 0"
