"""What the purpose «talents» keeps here. A trigger of the database closes the stays at once; here their rows go (SAFETY P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.consents import Line, feeds, nothing
from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.db import Connection

STAYS_GONE = N_("Erased: stays in the talents: {count}")


async def erase(db: Connection, person_id: int) -> list[Line]:
    """Why he was there, too: ranks and percentiles stand in the rows."""
    rows = await db.fetch("delete from talent where person_id = $1 and left_at is not null returning id", person_id)
    return [Line(STAYS_GONE, {"count": len(rows)})] if rows else []


feeds("talents", stop=nothing, erase=erase)
