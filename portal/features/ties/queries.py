"""All SQL of ties. Each runs within `portal.core.cards.opened` or `seen`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.names import patterns
from portal.core.problems import NotThere
from portal.core.territory import NAME
from portal.features.ties.structs import Filter, Found, Named, NewTie, Tie

if TYPE_CHECKING:
    from portal.core.db import Connection

HOLDS = "(t.ended_at is null and tie_holds(t.since, t.until))"
FULL_NAME = "concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, ''))"
SORTS = {
    "name": "p.sort_name, t.id",
    "-name": "p.sort_name desc, t.id desc",
    "class": "p.grade, p.class_letter, p.sort_name, t.id",
    "-class": "p.grade desc, p.class_letter desc, p.sort_name desc, t.id desc",
    "since": "t.since, t.id",
    "-since": "t.since desc, t.id desc",
}
MOST_FOUND = 30


async def attached(
    db: Connection, holder_id: int, wanted: Filter, *, sort: str = "name", limit: int, offset: int = 0
) -> tuple[list[Tie], int]:
    """A page of those who are attached to a person and lie in the territory; and how many they are."""
    where = f"""
        t.holder_id = $1 and ($2 = '' or t.kind = $2) and ($3 = '' or t.project = $3)
        and ($4 = 'all' or {HOLDS} = ($4 = 'now')) and p.search_key like all ($5::text[])
    """
    given = (holder_id, wanted.kind, wanted.project, wanted.state, patterns(wanted.words) or ["%"])
    total = await db.fetchval(
        f"select count(*) from person_tie t join person p on p.id = t.attached_id where {where}", *given
    )
    rows = await db.fetch(
        f"""
        select t.id, p.id as person_id, {FULL_NAME} as name, p.grade, p.class_letter,
               case when sc.id is not null then {NAME.format("sc")} end as school, t.kind,
               case when pr.code is not null then {NAME.format("pr")} end as project, t.since, t.until, t.ended_at,
               {HOLDS} as holds
        from person_tie t
        join person p on p.id = t.attached_id
        left join school sc on sc.id = p.school_id
        left join project pr on pr.code = t.project
        where {where}
        order by {SORTS[sort]}
        limit $6 offset $7
        """,
        *given,
        *(limit, offset),
    )
    return [Tie(**row) for row in rows], total


async def names(db: Connection, person_id: int) -> list[Named]:
    """Who is there for a person; of oneself also whom one is there for."""
    rows = await db.fetch(
        f"""
        select n.id, n.person_id, n.name, n.holds, n.kind,
               case when pr.code is not null then {NAME.format("pr")} end as project, n.since, n.until, n.ended_at,
               p.id is not null as seen, coalesce(p.phone, '') as phone, coalesce(p.email, '') as email
        from tie_names($1) n
        left join project pr on pr.code = n.project
        left join person p on p.id = n.person_id
        limit 500
        """,
        person_id,
    )
    return [Named(**row) for row in rows]


async def search(db: Connection, words: str, but: int) -> list[Found]:
    """Persons of the territory who are found by these words."""
    asked = patterns(words)
    if not asked:
        return []
    rows = await db.fetch(
        f"""
        select p.id, {FULL_NAME} as name, p.birth_date, p.grade, p.class_letter,
               case when sc.id is not null then {NAME.format("sc")} end as school
        from person_found($1, '{{"status": "active"}}', $2, 'name') with ordinality as found (id, place)
        join person p on p.id = found.id
        left join school sc on sc.id = p.school_id
        where p.id <> $3
        order by found.place
        """,
        *(asked, MOST_FOUND, but),
    )
    return [Found(**row) for row in rows]


async def attach(db: Connection, holder_id: int, ids: list[int], tie: NewTie, staff_id: int) -> list[int]:
    """Attach persons; those who are so already stay as they are. Outside of the territory Postgres itself refuses."""
    rows = await db.fetch(
        """
        insert into person_tie (holder_id, attached_id, kind, project, since, until, made_by)
        select $1, p.id, $3, $4, $5, $6, $7
        from person p
        where p.id = any ($2::bigint[]) and p.status = 'active' and p.id <> $1
        order by p.id
        on conflict do nothing
        returning attached_id
        """,
        *(holder_id, ids, tie.kind, tie.project, tie.since, tie.until, staff_id),
    )
    return [row["attached_id"] for row in rows]


async def end(db: Connection, holder_id: int, tie_id: int, staff_id: int) -> int:
    """End one that holds; whose it was."""
    attached_id = await db.fetchval(
        """
        update person_tie t
        set ended_by = $3, ended_at = now(), until = least(t.until, greatest(t.since, (now() at time zone 'Asia/Almaty')::date))
        from person p
        where t.id = $2 and t.holder_id = $1 and t.ended_at is null and p.id = t.attached_id
        returning t.attached_id
        """,
        *(holder_id, tie_id, staff_id),
    )
    if attached_id is None:
        raise NotThere
    return attached_id
