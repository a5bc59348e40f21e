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
    registered: bool
    grants: list[dict[str, Any]]


# Who registered by himself and works nowhere here is one of 300 000, not of the staff.
WORKS = """
    (s.registered_at is null or exists (
        select from staff_grant g join role r on r.code = g.role and not r.registers
        where g.staff_id = s.id and g.ends_at > now()))
"""
WHO = {"staff": WORKS, "registered": "s.registered_at is not null", "all": "true"}


async def list_staff(db: Connection, words: str, staff_id: int | None = None, who: str = "staff") -> list[StaffRow]:
    """Those asked for, in Kazakh order, with roles that hold now; one by number whoever it is."""
    rows = await db.fetch(
        f"""
        select s.id, s.login, s.full_name, s.disabled_at, s.demo, s.registered_at is not null as registered,
               (select max(seen_at) from staff_session ss where ss.staff_id = s.id) as seen_at,
               coalesce((
                   select jsonb_agg(jsonb_build_object(
                       'id', g.id, 'ends_at', g.ends_at, 'asleep', g.asleep_at is not null,
                       'class_name', g.class_name, 'own_pupils', g.own_pupils, 'teaches', ro.teaches,
                       'name', jsonb_build_object('kk', ro.name_kk, 'ru', ro.name_ru, 'en', ro.name_en),
                       'project', case when p.code is not null then jsonb_build_object(
                           'kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) end,
                       'district', case when d.id is not null then jsonb_build_object(
                           'kk', d.name_kk, 'ru', d.name_ru, 'en', d.name_en) end,
                       'region', case when r.code is not null then jsonb_build_object(
                           'kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) end,
                       'school', case when sc.id is not null then jsonb_build_object(
                           'kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) end) order by g.id)
                   from staff_grant g
                   join role ro on ro.code = g.role
                   left join project p on p.code = g.project
                   left join district d on d.id = g.district_id
                   left join region r on r.code = g.region_code
                   left join school sc on sc.id = g.school_id
                   where g.staff_id = s.id and g.ends_at > now()), '[]'::jsonb) as grants
        from staff s
        where ($1 = '' or strpos(lower(concat_ws(' ', s.full_name, s.login)), lower($1)) > 0)
            and case when $2::int is null then {WHO[who]} else s.id = $2 end
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


async def matrix(db: Connection) -> set[tuple[str, str]]:
    """(role, permission) pairs."""
    rows = await db.fetch("select role, permission from role_permission order by role, permission")
    return {(row["role"], row["permission"]) for row in rows}


async def at_rest(db: Connection) -> set[tuple[str, str]]:
    """(role, permission) pairs that hold outside of raised sessions too."""
    rows = await db.fetch(
        """
        select rp.role, rp.permission
        from role_permission rp
        join role r on r.code = rp.role
        where rp.at_rest or not r.raised
        """
    )
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
        join staff_grant g on g.staff_id = s.id and g.ends_at > now() and g.asleep_at is null
            and num_nonnulls(g.region_code, g.district_id, g.school_id) = 0 and not g.own_pupils
        where s.disabled_at is null
            and exists (select 1 from role_permission where role = g.role and permission = 'role.edit')
            and exists (select 1 from role_permission where role = g.role and permission = 'staff.edit')
        """
    )


async def school_id(db: Connection, code: str) -> int | None:
    """A school by its code."""
    return await db.fetchval("select id from school where code = $1", code)


class Asked(msgspec.Struct, frozen=True):
    """About whom the page «who may what» is asked. `factor`: has an app or a key; `demo`: is asked for neither."""

    id: int
    full_name: str
    shut: bool
    demo: bool
    factor: bool


async def person_of(db: Connection, login: str) -> Asked | None:
    """By the login."""
    row = await db.fetchrow(
        """
        select s.id, s.full_name, s.disabled_at is not null as shut, s.demo,
               exists (select from staff_key k where k.staff_id = s.id)
               or exists (select from staff_totp t where t.staff_id = s.id and t.confirmed_at is not null) as factor
        from staff s
        where s.login = $1
        """,
        login.strip().lower(),
    )
    return Asked(**row) if row else None


async def modules_off(db: Connection, project: str) -> set[str]:
    """The modules that a project has switched off."""
    rows = await db.fetch("select module from project_module where project = $1 and not is_on", project)
    return {row["module"] for row in rows}


async def forget_factors(db: Connection, staff_id: int) -> None:
    """App and keys of a person are gone, and so are his sessions."""
    await db.execute("delete from staff_totp where staff_id = $1", staff_id)
    await db.execute("delete from staff_key where staff_id = $1", staff_id)
    await db.execute("delete from staff_session where staff_id = $1", staff_id)


async def insert_role(db: Connection, code: str, project: str | None, name: dict[str, str], *, teaches: bool) -> None:
    """A new role of a project, or (None) one that exists in each; asyncpg.UniqueViolationError if the code is taken."""
    await db.execute(
        """
        insert into role (code, kind, project, name_kk, name_ru, name_en, teaches, place)
        values ($1, case when $2::text is null then 'working' else 'project' end, $2, $3, $4, $5, $6, (
            select coalesce(max(place), 0) + 1 from role where project is not distinct from $2::text))
        """,
        *(code, project, name["kk"], name["ru"], name["en"], teaches),
    )


async def linked_person(db: Connection, staff_id: int) -> int | None:
    """The holder's row of the registry, if anybody said which it is."""
    return await db.fetchval("select person_id from staff where id = $1", staff_id)


async def person_of_registry(db: Connection, text: str) -> int | None:
    """An active person by the number of his card or by the external id, within the territory of this transaction."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
    return await db.fetchval(
        """
        select id
        from person
        where status = 'active' and (id = $1 or external_id = $2)
        order by id = $1 desc nulls last
        limit 1
        """,
        *(number, text),
    )


async def link_person(db: Connection, staff_id: int, person_id: int | None) -> bool:
    """Say so; asyncpg.UniqueViolationError if the person has another login."""
    done = await db.execute("update staff set person_id = $2 where id = $1", staff_id, person_id)
    return done != "UPDATE 0"
