"""A sign-in from an address that this login was not used at lately: its owner is told (and says if it was not he)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from infra.callers import place_of
from portal.core import notices

if TYPE_CHECKING:
    from portal.core.db import Connection

KNOWN_FOR = timedelta(days=90)


async def tell_of_new(db: Connection, staff_id: int, address: str, now: datetime) -> None:
    """Before the sign-in itself is on record. The first sign-in of all tells nobody anything new."""
    row = await db.fetchrow(
        """
        select count(*) as times, count(*) filter (where coalesce(after ->> 'place', address) = $2) as here
        from audit
        where staff_id = $1 and act = 'account.session.began' and at > $3
        """,
        *(staff_id, place_of(address), now - KNOWN_FOR),
    )
    assert row is not None
    if row["times"] and not row["here"]:
        # Once for a place: a second sign-in from there finds the first one on record.
        await notices.tell(
            db,
            staff_id,
            "sign-in.new",
            about=f"{place_of(address)}:{now:%Y-%m-%dT%H:%M}",
            link="/account",
            filled={"address": address, "moment": {"moment": now.isoformat()}},
        )
