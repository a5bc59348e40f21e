"""All SQL of staff and roles."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person with his roles."""

    id: int
    login: str
    full_name: str
    disabled_at: datetime | None
    demo: bool
    seen_at: datetime | None
    grants: list[dict[str, Any]]


async def list_staff(db: Connection, words: str, staff_id: int | None = None) -> list[StaffRow]:
    """Everybody, in Kazakh order, with roles that hold now."""
    rows = await db.fetch(
        """
        select s.id, s.login, s.full_name, s.disabled_at, s.demo,
               (select max(seen_at) from staff_session ss where ss.staff_id = s.id) as seen_at,
               coalesce((
                   select jsonb_agg(jsonb_build_object(
                       'id', g.id, 'role', g.role, 'ends_at', g.ends_at,
                       'region', case when r.code is not null then jsonb_build_object(
                           'kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) end,
                       'school', case when sc.id is not null then jsonb_build_object(
                           'kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) end) order by g.id)
                   from staff_grant g
                   left join region r on r.code = g.region_code
                   left join school sc on sc.id = g.school_id
                   where g.staff_id = s.id and g.ends_at > now()), '[]'::jsonb) as grants
        from staff s
        where ($1 = '' or lower(concat_ws(' ', s.full_name, s.login)) like '%' || lower($1) || '%')
            and ($2::int is null or s.id = $2)
        order by kk(s.full_name), s.id
        limit 500
        """,
        *(words, staff_id),
    )
    return [StaffRow(**row) for row in rows]


async def set_disabled(db: Connection, staff_id: int, at: datetime | None) -> None:
    """Shut or open a login; sessions of a shut one end."""
    await db.execute("update staff set disabled_at = $2 where id = $1", staff_id, at)
    if at is not None:
        await db.execute("delete from staff_session where staff_id = $1", staff_id)


async def grant_owner(db: Connection, grant_id: int) -> int | None:
    """Whose grant it is."""
    return await db.fetchval("select staff_id from staff_grant where id = $1", grant_id)


async def matrix(db: Connection) -> set[tuple[str, str]]:
    """(role, permission) pairs."""
    rows = await db.fetch("select role, permission from role_permission order by role, permission")
    return {(row["role"], row["permission"]) for row in rows}


async def give_permission(db: Connection, role: str, permission: str) -> None:
    """Add."""
    await db.execute(
        "insert into role_permission (role, permission) values ($1, $2) on conflict do nothing", role, permission
    )


async def take_permission(db: Connection, role: str, permission: str) -> None:
    """Remove."""
    await db.execute("delete from role_permission where role = $1 and permission = $2", role, permission)


async def keyholders(db: Connection) -> int:
    """How many open logins can change roles and staff now."""
    return await db.fetchval(
        """
        select count(distinct s.id)
        from staff s
        join staff_grant g on g.staff_id = s.id and g.ends_at > now() and g.region_code is null and g.school_id is null
        where s.disabled_at is null
            and exists (select 1 from role_permission where role = g.role and permission = 'role.edit')
            and exists (select 1 from role_permission where role = g.role and permission = 'staff.edit')
        """
    )


async def school_id(db: Connection, code: str) -> int | None:
    """A school by its code."""
    return await db.fetchval("select id from school where code = $1", code)
