"""How much of the children's data a person reads a day, counted beside the reading itself (SAFETY P1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

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
        *(actor.staff_id, datetime.now(UTC).astimezone(ASTANA).date(), kind, how_many),
    )
    if total > MEASURES[kind]:
        raise ReadingStopped
