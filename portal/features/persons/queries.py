"""SQL of the registry's list and cards. Each runs within `portal.core.scope`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.names import fold, patterns, search_key
from portal.core.problems import NotThere
from portal.core.territory import NAME
from portal.features.persons.structs import Filter, HistoryLine, Member, NewPerson, Person, PersonRow, Place, SavedView

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

# More are not counted and not paged through: a person narrows the filter, or takes the list as a file (SAFETY P1).
MOST = 2000
SORTS = {
    "name": "p.sort_name, p.id",
    "-name": "p.sort_name desc, p.id desc",
    "new": "p.id desc",
    "-new": "p.id",
}
# Of a district or a school one may have these too; of the whole country they would sort five million rows for a page.
NEAR_SORTS = {
    "born": "p.birth_date, p.id",
    "-born": "p.birth_date desc, p.id desc",
    "class": "p.grade, p.class_letter, p.sort_name, p.id",
    "-class": "p.grade desc, p.class_letter desc, p.sort_name desc, p.id desc",
    "school": "p.school_id, p.grade, p.class_letter, p.sort_name, p.id",
    "-school": "p.school_id desc, p.grade, p.class_letter, p.sort_name, p.id",
}
PLAIN = """
    p.id, p.external_id, p.last_name, p.first_name, p.middle_name, p.birth_date, p.sex, p.language, p.phone, p.email,
    p.status, p.school_id, p.grade, p.class_letter, p.projects, p.changed_at
"""
ROW = f"""
    {PLAIN}, {NAME.format("r")} as region, case when d.id is not null then {NAME.format("d")} end as district,
    case when sc.id is not null then {NAME.format("sc")} end as school
"""
PLACES = """
    join region r on r.code = p.region_code
    left join district d on d.id = p.district_id
    left join school sc on sc.id = p.school_id
"""
WRITTEN = [
    *("external_id", "last_name", "first_name", "middle_name", "birth_date", "sex", "language", "phone", "email"),
    *("region_code", "district_id", "school_id", "grade", "class_letter"),
]


def conditions(wanted: Filter, scope: Scope, first: int = 1) -> tuple[str, list[object]]:
    """The filter as SQL with its parameters. The territory stands in it once more: for speed, row security is the guard."""
    asked: list[tuple[str, object]] = [
        ("p.status = {}", wanted.status),
        ("p.grade = {}", wanted.grade),
        ("p.class_letter = {}", wanted.letter),
        ("p.language = {}", wanted.language),
        ("p.sex = {}", wanted.sex),
        ("{} = any (p.projects)", wanted.project),
    ]
    # The nearest place alone, for it implies those above: one walk of one index.
    near = [
        ("p.school_id = {}", wanted.school),
        ("p.district_id = {}", wanted.district),
        ("p.region_code = {}", wanted.region),
    ]
    asked += [one for one in near if one[1]][:1]
    kinds = [
        ("p.region_code", "text", scope.regions),
        ("p.school_id", "int", scope.schools),
        ("p.id", "bigint", scope.members),
    ]
    told = [kind for kind in kinds if kind[2]]
    if not scope.country and len(told) < 2:
        asked.append(_one_or_more(*(told or kinds)[0]))
    given = [(text, value) for text, value in asked if value is not None and value != ""]
    values = [value for _, value in given]
    parts = [text.format(f"${number}") for number, (text, _) in enumerate(given, first)]
    if scattered(scope):
        any_of = " or ".join(f"{column} = any (${{}}::{kind}[])" for column, kind, _ in told)
        parts.append(f"({any_of.format(*range(first + len(values), first + len(values) + len(told)))})")
        values += [list(places) for _, _, places in told]
    return " and ".join(parts) or "true", values


def scattered(scope: Scope) -> bool:
    """Own pupils or a class beside a school or a region: no one index has them in order."""
    return not scope.country and bool(scope.members) and bool(scope.regions or scope.schools)


def _one_or_more(column: str, kind: str, values: tuple[str, ...] | tuple[int, ...]) -> tuple[str, object]:
    """Equality keeps an index's order, which «any of» does not."""
    return (f"{column} = {{}}", values[0]) if len(values) == 1 else (f"{column} = any ({{}}::{kind}[])", list(values))


async def list_persons(
    db: Connection, wanted: Filter, scope: Scope, *, sort: str, limit: int, offset: int
) -> tuple[list[PersonRow], int]:
    """A page of the list, and how many there are; MOST + 1 stands for «more»."""
    order = (SORTS | NEAR_SORTS)[sort]
    if wanted.words:
        found = await found_ids(db, wanted, MOST + 1, sort)
        rows = await db.fetch(
            f"""
            select {ROW}
            from unnest($1::bigint[]) with ordinality as page (id, place)
            join person p on p.id = page.id
            {PLACES}
            order by page.place
            """,
            found[offset : offset + limit],
        )
        return [PersonRow(**row) for row in rows], len(found)
    where, given = conditions(wanted, scope)
    # A list walks one index in its order and stops. Left to itself the planner, which takes filters for independent and
    # evenly spread, reads the whole table or sorts a region for a page.
    bitmaps = "on" if scattered(scope) else "off"
    await db.execute(
        "select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', $1, true)", bitmaps
    )
    total = await db.fetchval(
        f"select count(*) from (select 1 from person p where {where} limit {MOST + 1}) as bounded", *given
    )
    rows = await db.fetch(
        f"""
        with page as materialized (
            select p.id from person p where {where} order by {order} limit ${len(given) + 1} offset ${len(given) + 2})
        select {ROW}
        from page
        join person p on p.id = page.id
        {PLACES}
        order by {order}
        """,
        *given,
        *(limit, offset),
    )
    await db.execute("select set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true)")
    return [PersonRow(**row) for row in rows], total


async def found_ids(db: Connection, wanted: Filter, most: int, sort: str = "name") -> list[int]:
    """Ids of those in whose names all words are found, within the territory of this transaction, in order."""
    asked = patterns(wanted.words)
    if not asked:
        return []
    narrow = {
        name: str(value)
        for name in ("project", "region", "district", "school", "grade", "letter", "language", "sex", "status")
        if (value := getattr(wanted, name)) is not None and value != ""
    }
    rows = await db.fetch("select id from person_found($1, $2, $3, $4) as found (id)", asked, narrow, most, sort)
    return [row["id"] for row in rows]


async def ids_of(db: Connection, wanted: Filter, scope: Scope, most: int) -> list[int]:
    """All of a filter, up to a bound."""
    if wanted.words:
        return await found_ids(db, wanted, most)
    where, given = conditions(wanted, scope)
    rows = await db.fetch(f"select p.id from person p where {where} order by p.id limit {most}", *given)
    return [row["id"] for row in rows]


async def find_person(db: Connection, person_id: int, *, lock: bool = False) -> Person:
    """One person within the territory of this transaction."""
    if lock:
        await db.fetchval("select id from person where id = $1 for update", person_id)
    row = await db.fetchrow(
        f"""
        select {ROW}, p.region_code, p.district_id, p.merged_into, p.made_at, p.photo_key, i.sealed, i.blind,
               (select count(*) from person_twin t where t.state = 'open' and (t.first_id = p.id or t.second_id = p.id)) as twins
        from person p {PLACES}
        left join person_iin i on i.person_id = p.id
        where p.id = $1
        """,
        person_id,
    )
    if row is None:
        raise NotThere
    return Person(**row)


async def members(db: Connection, person_id: int) -> list[Member]:
    """The projects of a person."""
    rows = await db.fetch(
        f"""
        select m.project, m.role, m.school_id, case when sc.id is not null then {NAME.format("sc")} end as school, m.grade,
               m.class_letter, m.attributes, m.joined_at
        from person_project m
        left join school sc on sc.id = m.school_id
        where m.person_id = $1
        order by m.joined_at, m.project
        """,
        person_id,
    )
    return [Member(**row) for row in rows]


async def by_iin(db: Connection, blind: bytes) -> list[int]:
    """Who has this number, within the territory."""
    rows = await db.fetch("select person_id from person_iin where blind = $1 order by person_id limit 20", blind)
    return [row["person_id"] for row in rows]


async def insert_person(db: Connection, person: NewPerson, staff_id: int) -> int:
    """A new person; outside of the territory it is refused by Postgres itself."""
    values = [getattr(person, name) for name in WRITTEN]
    return await db.fetchval(
        f"""
        insert into person ({", ".join(WRITTEN)}, name_key, search_key, made_by)
        values ({", ".join(f"${number}" for number in range(1, len(WRITTEN) + 4))})
        returning id
        """,
        *(*values, *keys(person), staff_id),
    )


async def update_person(db: Connection, person_id: int, person: NewPerson) -> None:
    """Write a whole form."""
    values = [getattr(person, name) for name in WRITTEN]
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate((*WRITTEN, "name_key", "search_key"), 2))
    await db.execute(
        f"update person set {sets}, changed_at = now() where id = $1", person_id, *(*values, *keys(person))
    )


def keys(person: NewPerson) -> tuple[str, str]:
    """`name_key` and `search_key` of a person's names."""
    return (
        fold(f"{person.last_name} {person.first_name}"),
        search_key(person.last_name, person.first_name, person.middle_name),
    )


async def set_status(db: Connection, person_id: int, status: str) -> None:
    """Into the archive, or out of it."""
    await db.execute("update person set status = $2, changed_at = now() where id = $1", person_id, status)


async def set_iin(db: Connection, person_id: int, sealed: bytes, blind: bytes) -> None:
    """Give a person his number, or another one."""
    await db.execute(
        """
        insert into person_iin (person_id, sealed, blind) values ($1, $2, $3)
        on conflict (person_id) do update set sealed = excluded.sealed, blind = excluded.blind
        """,
        *(person_id, sealed, blind),
    )


async def set_member(
    db: Connection, person_id: int, project: str, role: str, school_id: int | None, attributes: dict[str, Any]
) -> None:
    """A person's part in a project, new or changed."""
    await db.execute(
        """
        insert into person_project (person_id, project, role, school_id, attributes) values ($1, $2, $3, $4, $5)
        on conflict (person_id, project)
        do update set role = excluded.role, school_id = excluded.school_id, attributes = excluded.attributes
        """,
        *(person_id, project, role, school_id, attributes),
    )


async def drop_member(db: Connection, person_id: int, project: str) -> bool:
    """Take a person out of a project."""
    done = await db.execute("delete from person_project where person_id = $1 and project = $2", person_id, project)
    return done != "DELETE 0"


async def flag_twins(db: Connection, ids: list[int]) -> None:
    """Look whether these persons stand in the registry twice."""
    await db.execute("select flag_twins($1)", ids)


async def history(db: Connection, person_id: int) -> list[HistoryLine]:
    """What was done with a person, newest first. Of a child's reviews nothing: who is reviewed may read here (decision 57)."""
    rows = await db.fetch(
        """
        select a.at, s.full_name as name, a.act, a.before, a.after, a.reason
        from audit a
        left join staff s on s.id = a.staff_id
        where a.object_kind = 'person' and a.object_id = $1 and a.act not like 'review.%'
        order by a.id desc
        limit 200
        """,
        str(person_id),
    )
    return [HistoryLine(**row) for row in rows]


async def districts(db: Connection, region: str) -> list[Place]:
    """Districts of a region."""
    rows = await db.fetch(
        f"select d.id, {NAME.format('d')} as name, d.region_code as above from district d where d.region_code = $1 order by kk(d.name_kk), d.id",
        region,
    )
    return [Place(*row) for row in rows]


async def schools(db: Connection, *, region: str = "", district: int | None = None, scope: Scope) -> list[Place]:
    """Schools of a district or a region within the scope, to choose from."""
    rows = await db.fetch(
        f"""
        select s.id, {NAME.format("s")} as name, {NAME.format("d")} ->> 'kk' as above
        from school s
        join district d on d.id = s.district_id
        where ($1 or d.region_code = any ($2) or s.id = any ($3))
            and ($4 = '' or d.region_code = $4) and ($5::int is null or d.id = $5)
        order by kk(d.name_kk), kk(s.name_kk), s.id
        limit 1000
        """,
        *scope.parameters,
        *(region, district),
    )
    return [Place(*row) for row in rows]


async def views(db: Connection, staff_id: int) -> list[SavedView]:
    """A person's own views of the list."""
    rows = await db.fetch(
        "select id, name, query from saved_view where staff_id = $1 and list = 'persons' order by name, id", staff_id
    )
    return [SavedView(*row) for row in rows]


async def save_view(db: Connection, staff_id: int, name: str, query: str) -> None:
    """Keep a view; the same name is overwritten."""
    await db.execute(
        """
        insert into saved_view (staff_id, list, name, query) values ($1, 'persons', $2, $3)
        on conflict (staff_id, list, name) do update set query = excluded.query
        """,
        *(staff_id, name, query),
    )


async def drop_view(db: Connection, staff_id: int, view_id: int) -> None:
    """Forget a view."""
    await db.execute("delete from saved_view where id = $1 and staff_id = $2", view_id, staff_id)


async def join_project(db: Connection, ids: list[int], project: str, role: str) -> int:
    """Add persons to a project; those who are in it keep their role."""
    done = await db.execute(
        """
        insert into person_project (person_id, project, role)
        select p.id, $2, $3
        from person p
        where p.id = any ($1::bigint[]) and p.status <> 'merged'
        order by p.id
        on conflict do nothing
        """,
        *(ids, project, role),
    )
    return int(done.split()[-1])


async def move_to_school(db: Connection, ids: list[int], school_id: int) -> int:
    """Persons go to another school; district and region follow."""
    done = await db.execute(
        "update person set school_id = $2, changed_at = now() where id = any ($1::bigint[]) and status <> 'merged'",
        *(ids, school_id),
    )
    return int(done.split()[-1])


async def set_statuses(db: Connection, ids: list[int], status: str) -> int:
    """Several into the archive or out of it."""
    done = await db.execute(
        "update person set status = $2, changed_at = now() where id = any ($1::bigint[]) and status <> 'merged' and status <> $2",
        *(ids, status),
    )
    return int(done.split()[-1])
