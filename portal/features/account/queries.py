"""The own account."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from asyncpg import Record

    from portal.core.db import Connection


class OwnGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A role as its holder sees it."""

    role: str
    region: dict[str, str] | None
    school: dict[str, str] | None
    ends_at: datetime


async def set_language(db: Connection, staff_id: int, language: str) -> None:
    """The language of the person's pages."""
    await db.execute("update staff set language = $2 where id = $1", staff_id, language)


async def password_hash(db: Connection, staff_id: int) -> str | None:
    """To compare with."""
    return await db.fetchval("select password_hash from staff where id = $1", staff_id)


async def login_and_language(db: Connection, staff_id: int) -> Record:
    """For a letter to the person."""
    row = await db.fetchrow("select login, language from staff where id = $1", staff_id)
    assert row is not None
    return row


async def grants_of(db: Connection, staff_id: int) -> list[OwnGrant]:
    """The roles that hold now."""
    rows = await db.fetch(
        """
        select g.role, g.ends_at,
               case when r.code is not null
                   then jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) end as region,
               case when s.id is not null
                   then jsonb_build_object('kk', s.name_kk, 'ru', s.name_ru, 'en', s.name_en) end as school
        from staff_grant g
        left join region r on r.code = g.region_code
        left join school s on s.id = g.school_id
        where g.staff_id = $1 and g.ends_at > now()
        order by g.role, g.id
        """,
        staff_id,
    )
    return [OwnGrant(**row) for row in rows]
