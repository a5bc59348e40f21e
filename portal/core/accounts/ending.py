"""Grants that end within two weeks: their holders are told, so that nobody stands before a closed door on the day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal.core import notices

if TYPE_CHECKING:
    from portal.core.db import Connection

AHEAD = timedelta(days=14)


async def tell_of_ending(db: Connection, now: datetime) -> None:
    """Each grant and end once: a grant that is renewed is told of again before its new end."""
    rows = await db.fetch(
        """
        select g.id, g.staff_id, g.ends_at,
               jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as role
        from staff_grant g
        join role r on r.code = g.role
        join staff s on s.id = g.staff_id
        where g.ends_at > $1 and g.ends_at <= $2 and s.disabled_at is null and not r.registers
        order by g.id
        """,
        *(now, now + AHEAD),
    )
    for row in rows:
        async with db.transaction():
            await notices.tell(
                db,
                row["staff_id"],
                "grant.ends",
                about=f"{row['id']}:{row['ends_at']:%Y-%m-%d}",
                link="/account",
                filled={
                    "role": row["role"],
                    "day": {"day": row["ends_at"].isoformat()},
                },
            )
