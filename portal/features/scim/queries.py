"""All SQL of SCIM. A client sees the logins of its project and those that it made; privileged ones are not there for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.features.scim.resources import Login

if TYPE_CHECKING:
    from uuid import UUID

    from portal.core.db import Connection
    from portal.core.machines.clients import Client

# $1 the client, $2 its project.
LOGINS = """
    logins as (
        select s.id, s.public_id::text, s.login, s.full_name, s.language, s.disabled_at is null as active, s.created_at,
               s.changed_at, coalesce(n.family, '') as family, coalesce(n.given, '') as given,
               coalesce(n.middle, '') as middle, case when n.staff_id is null then s.full_name else n.display end as display,
               e.external_id, sc.code as school_code,
               array(
                   select distinct g.role
                   from staff_grant g
                   where g.staff_id = s.id and g.project = $2 and g.ends_at > now() and g.asleep_at is null
                   order by g.role) as roles,
               exists (
                   select from machine_shut h
                   where h.staff_id = s.id and h.client_id = $1 and h.shut_at = s.disabled_at) as shut_here,
               exists (
                   select from staff_grant g
                   where g.staff_id = s.id and g.project is distinct from $2 and g.ends_at > now()) as elsewhere,
               coalesce(m.made_at > now() - interval '1 hour', false) as made_lately
        from staff s
        left join machine_user m on m.staff_id = s.id and m.client_id = $1
        left join machine_said n on n.staff_id = s.id
        left join school sc on sc.id = n.school_id
        left join machine_external e on e.staff_id = s.id and e.client_id = $1
        where not is_privileged(s.id) and m.gone_at is null and (
            m.staff_id is not null or exists (
                select from staff_grant g where g.staff_id = s.id and g.project = $2 and g.ends_at > now())))
"""
COLUMNS = """id, public_id, login, full_name, display, language, active, created_at, changed_at, family, given, middle, external_id,
             roles, school_code, shut_here, elsewhere"""


async def logins(
    db: Connection, client: Client, where: str, given: list[object], order: str, *, limit: int, offset: int
) -> tuple[list[Login], int]:
    """A page of them, and how many fit. `where` and `order` are made by `filters` from a fixed set of columns."""
    known = (client.id, client.project, *given)
    total = await db.fetchval(f"with {LOGINS} select count(*) from logins where {where}", *known)
    rows = await db.fetch(
        f"""
        with {LOGINS}
        select {COLUMNS}
        from logins
        where {where}
        order by {order}
        limit {int(limit)} offset {int(offset)}
        """,
        *known,
    )
    return [Login(**row) for row in rows], total


async def find(db: Connection, client: Client, public_id: UUID, *, lock: bool = False) -> Login | None:
    """One that this client sees."""
    if lock:
        await db.execute("select from staff where public_id = $1 for no key update", public_id)
    row = await db.fetchrow(
        f"with {LOGINS} select {COLUMNS} from logins where public_id = $3",
        *(client.id, client.project, str(public_id)),
    )
    return Login(**row) if row else None


async def base(db: Connection, client: Client) -> int:
    """How many it sees, without those it made within the hour: what its measure is a hundredth of."""
    return await db.fetchval(
        f"with {LOGINS} select count(*) from logins where not made_lately", client.id, client.project
    )


async def owner(db: Connection, client: Client, login: str) -> tuple[int, bool] | None:
    """Whose login this is: (id, whether this client made it and deleted it again)."""
    row = await db.fetchrow(
        """
        select s.id, m.gone_at is not null and not is_privileged(s.id) as gone
        from staff s
        left join machine_user m on m.staff_id = s.id and m.client_id = $2
        where s.login = $1
        """,
        *(login, client.id),
    )
    return (row["id"], bool(row["gone"])) if row else None


async def keep_made(db: Connection, client: Client, staff_id: int) -> None:
    """This client made it, or sees again what it deleted: that is no making, and counts."""
    await db.execute(
        """
        insert into machine_user (staff_id, client_id) values ($1, $2)
        on conflict (staff_id) do update set gone_at = null
        """,
        *(staff_id, client.id),
    )


async def set_login(
    db: Connection,
    staff_id: int,
    *,
    login: str,
    full_name: str,
    language: str,
    display: str | None,
    names: tuple[str, str, str],
    school_id: int | None,
) -> None:
    """Login, name, language and school; a new version even where only the parts of the name differ."""
    await db.execute(
        "update staff set login = $2, full_name = $3, language = $4, changed_at = clock_timestamp() where id = $1",
        *(staff_id, login, full_name, language),
    )
    await db.execute(
        """
        insert into machine_said (staff_id, display, family, given, middle, school_id) values ($1, $2, $3, $4, $5, $6)
        on conflict (staff_id) do update
        set display = excluded.display, family = excluded.family, given = excluded.given, middle = excluded.middle,
            school_id = excluded.school_id
        """,
        *(staff_id, display, *names, school_id),
    )


async def set_external(db: Connection, client: Client, staff_id: int, external_id: str | None) -> None:
    """The client's own name for it."""
    if external_id is None:
        await db.execute("delete from machine_external where client_id = $1 and staff_id = $2", client.id, staff_id)
        return
    await db.execute(
        """
        insert into machine_external (client_id, staff_id, external_id) values ($1, $2, $3)
        on conflict (client_id, staff_id) do update set external_id = excluded.external_id
        """,
        *(client.id, staff_id, external_id),
    )


async def set_active(db: Connection, client: Client, staff_id: int, *, active: bool) -> None:
    """Open or shut a login; sessions of a shut one end. Who shut it is kept: no machine opens what a person shut."""
    await db.execute(
        "update staff set disabled_at = case when $2 then null else now() end where id = $1", staff_id, active
    )
    if active:
        return
    await db.execute("delete from staff_session where staff_id = $1", staff_id)
    await db.execute(
        """
        insert into machine_shut (staff_id, client_id, shut_at) values ($1, $2, now())
        on conflict (staff_id) do update set client_id = excluded.client_id, shut_at = excluded.shut_at
        """,
        *(staff_id, client.id),
    )


async def given_roles(db: Connection, client: Client, staff_id: int) -> list[tuple[int, str, int | None]]:
    """(grant, role, school) of those that hold in the project and that this client may give and take."""
    rows = await db.fetch(
        """
        select id, role, school_id
        from staff_grant
        where staff_id = $1 and project = $2 and ends_at > now() and role = any ($3)
        order by id
        """,
        *(staff_id, client.project, list(client.roles)),
    )
    return [(row["id"], row["role"], row["school_id"]) for row in rows]


async def harmless(db: Connection, project: str, roles: list[str]) -> dict[str, bool]:
    """Of these the project's roles that are not privileged, as the data says this moment; True: it reads nobody."""
    rows = await db.fetch(
        """
        select r.code, not exists (
                   select from role_permission rp
                   where rp.role = r.code and rp.permission <> 'account.password-alone') as reads_nobody
        from role r
        where r.code = any ($1) and r.project = $2 and exists (
            select from role_permission rp where rp.role = r.code and rp.permission = 'account.password-alone')
        """,
        *(roles, project),
    )
    return {row["code"]: row["reads_nobody"] for row in rows}


async def school(db: Connection, code: str) -> int | None:
    """The school of this code."""
    return await db.fetchval("select id from school where code = $1", code)


async def mark_gone(db: Connection, client: Client, staff_id: int) -> None:
    """Deleted: the client sees it no more, whoever made it."""
    await db.execute(
        # Not made by it, however it is made anew: the measure counts it.
        """
        insert into machine_user (staff_id, client_id, made_at, gone_at) values ($1, $2, '-infinity', now())
        on conflict (staff_id) do update set gone_at = now() where machine_user.client_id = $2
        """,
        *(staff_id, client.id),
    )
    await db.execute("delete from machine_external where client_id = $1 and staff_id = $2", client.id, staff_id)
