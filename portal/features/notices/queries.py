"""All SQL of a person's own notices."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A row."""

    id: int
    kind: str
    filled: dict[str, Any]
    link: str
    made_at: datetime
    read_at: datetime | None


async def notices_of(
    db: Connection, staff_id: int, *, kind: str, unread: bool, limit: int, offset: int
) -> tuple[list[Notice], int]:
    """A page of them, newest first."""
    where = "from notice where staff_id = $1 and ($2 = '' or kind = $2) and (not $3 or read_at is null)"
    given = (staff_id, kind, unread)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"select id, kind, filled, link, made_at, read_at {where} order by id desc limit $4 offset $5",
        *given,
        *(limit, offset),
    )
    return [Notice(**row) for row in rows], total


async def read_one(db: Connection, staff_id: int, notice_id: int) -> str | None:
    """Read; where it leads. None: it is not his."""
    return await db.fetchval(
        "update notice set read_at = coalesce(read_at, now()) where id = $1 and staff_id = $2 returning link",
        *(notice_id, staff_id),
    )


async def read_all(db: Connection, staff_id: int) -> None:
    """All of them are read."""
    await db.execute("update notice set read_at = now() where staff_id = $1 and read_at is null", staff_id)


async def wishes_of(db: Connection, staff_id: int) -> dict[str, bool]:
    """Kind → by mail too, where the person said so or not so."""
    rows = await db.fetch("select kind, mail from notice_wish where staff_id = $1 order by kind", staff_id)
    return {row["kind"]: row["mail"] for row in rows}


async def keep_wishes(db: Connection, staff_id: int, wishes: dict[str, bool]) -> None:
    """All kinds at once."""
    await db.execute(
        """
        insert into notice_wish (staff_id, kind, mail)
        select $1, wish.kind, wish.mail
        from unnest($2::text[], $3::boolean[]) as wish (kind, mail)
        on conflict (staff_id, kind) do update set mail = excluded.mail
        """,
        *(staff_id, list(wishes), list(wishes.values())),
    )


async def has_email(db: Connection, staff_id: int) -> bool:
    """Whether mail reaches him."""
    return await db.fetchval("select email is not null from staff where id = $1", staff_id)
