"""Two rows become one, and two again: pure decisions about what moves, then the SQL that moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.names import fold, search_key
from portal.core.problems import NotThere
from portal.core.territory import NAME
from portal.features.persons import belongings
from portal.features.persons.problems import CannotUndo, MergedAlready
from portal.features.persons.structs import Merge, Twin

if TYPE_CHECKING:
    from collections.abc import Collection

    from portal.core.db import Connection

# What a person may take from the other row; place as one thing, for school, district and region belong together.
CHOSEN = {
    "last_name": ("last_name",),
    "first_name": ("first_name",),
    "middle_name": ("middle_name",),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    "language": ("language",),
    "phone": ("phone",),
    "email": ("email",),
    "external_id": ("external_id",),
    "place": ("region_code", "district_id", "school_id"),
    "class": ("grade", "class_letter"),
}
COLUMNS = [column for columns in CHOSEN.values() for column in columns]


MOST = 2000


def place_of(side: str) -> str:
    """The school's name, or the region's."""
    return f"case when s{side}.id is null then {NAME.format(f'r{side}')} else {NAME.format(f's{side}')} end"


TWINS = f"""
    select t.first_id, t.second_id, concat_ws(' ', a.last_name, a.first_name, nullif(a.middle_name, '')) as first_name,
           concat_ws(' ', b.last_name, b.first_name, nullif(b.middle_name, '')) as second_name,
           a.birth_date as first_birth, b.birth_date as second_birth, {place_of("a")} as first_place, {place_of("b")} as second_place,
           t.same_name, t.same_iin, t.state, t.found_at, t.decided_at, st.full_name as decided_by, t.reason
    from person_twin t
    join person a on a.id = t.first_id
    join person b on b.id = t.second_id
    join region ra on ra.code = a.region_code
    join region rb on rb.code = b.region_code
    left join school sa on sa.id = a.school_id
    left join school sb on sb.id = b.school_id
    left join staff st on st.id = t.decided_by
"""


async def list_twins(db: Connection, state: str, limit: int, offset: int) -> tuple[list[Twin], int]:
    """Pairs in a state, newest first; both of a pair lie in the territory, or it does not show."""
    total = await db.fetchval(
        f"select count(*) from (select 1 from person_twin where state = $1 limit {MOST + 1}) as bounded", state
    )
    rows = await db.fetch(
        f"{TWINS} where t.state = $1 order by t.found_at desc, t.first_id, t.second_id limit $2 offset $3",
        *(state, limit, offset),
    )
    return [Twin(**row) for row in rows], total


async def find_twin(db: Connection, first_id: int, second_id: int) -> Twin:
    """One pair."""
    row = await db.fetchrow(f"{TWINS} where t.first_id = $1 and t.second_id = $2", first_id, second_id)
    if row is None:
        raise NotThere
    return Twin(**row)


async def decide(db: Connection, pair: Twin, state: str, staff_id: int, reason: str) -> None:
    """«Not a duplicate», or open again; the word before stays in the audit trail."""
    await db.execute(
        """
        update person_twin
        set state = $3, decided_by = $4, decided_at = now(), reason = $5
        where first_id = $1 and second_id = $2
        """,
        *(pair.first_id, pair.second_id, state, staff_id, reason),
    )


async def merge(
    db: Connection, kept_id: int, gone_id: int, from_gone: Collection[str], staff_id: int, reason: str
) -> int:
    """The kept row takes the chosen columns, projects, consents and, if it has none, IIN and login; the other points to it."""
    rows = await _locked(db, kept_id, gone_id)
    kept, gone = rows[kept_id], rows[gone_id]
    if kept["status"] == "merged" or gone["status"] == "merged":
        raise MergedAlready
    columns = [column for name, columns in CHOSEN.items() if name in from_gone for column in columns]
    before = {column: kept[column] for column in columns}
    after = {column: gone[column] for column in columns}
    # An external id is one row's: the gone row lets it go first.
    if "external_id" in columns:
        await db.execute("update person set external_id = null where id = $1", gone_id)
    await _write(db, kept_id, dict(kept) | after, columns)
    moved = await db.fetch(
        """
        update person_project m
        set person_id = $1
        where m.person_id = $2 and not exists (select 1 from person_project k where k.person_id = $1 and k.project = m.project)
        returning m.project
        """,
        *(kept_id, gone_id),
    )
    iin = await db.fetchval(
        """
        update person_iin set person_id = $1
        where person_id = $2 and not exists (select 1 from person_iin k where k.person_id = $1)
        returning person_id
        """,
        *(kept_id, gone_id),
    )
    agreed = await db.fetch("update consent set person_id = $1 where person_id = $2 returning id", kept_id, gone_id)
    erased = await db.fetch(
        """
        update erasure e set person_id = $1
        where e.person_id = $2 and not exists (
            select 1 from erasure k where k.person_id = $1 and k.purpose = e.purpose and k.done_at is null and e.done_at is null)
        returning e.id
        """,
        *(kept_id, gone_id),
    )
    login = await db.fetchval(
        """
        update staff set person_id = $1
        where person_id = $2 and not exists (select 1 from staff k where k.person_id = $1)
        returning id
        """,
        *(kept_id, gone_id),
    )
    await _refresh_projects(db, kept_id, gone_id)
    await db.execute(
        "update person set status = 'merged', merged_into = $1, changed_at = now() where id = $2", kept_id, gone_id
    )
    facts: dict[str, Any] = {
        "before": before,
        "after": after,
        "projects": [row["project"] for row in moved],
        "iin": iin is not None,
        "consents": [row["id"] for row in agreed],
        "erasures": [row["id"] for row in erased],
        "login": login,
        "status": gone["status"],
        "external_id": gone["external_id"] if "external_id" in columns else None,
        "belongings": await belongings.move(db, kept_id, gone_id),
    }
    merge_id = await db.fetchval(
        "insert into person_merge (kept_id, gone_id, moved, reason, made_by) values ($1, $2, $3, $4, $5) returning id",
        *(kept_id, gone_id, facts, reason, staff_id),
    )
    await db.execute(
        """
        update person_twin set state = 'merged', decided_by = $3, decided_at = now(), reason = $4
        where first_id = least($1::bigint, $2::bigint) and second_id = greatest($1::bigint, $2::bigint)
        """,
        *(kept_id, gone_id, staff_id, reason),
    )
    await db.execute("select flag_twins($1)", [kept_id, gone_id])
    return merge_id


async def undo(db: Connection, merge_id: int, staff_id: int) -> Merge:
    """Both rows as they were; a column that was changed after the merge keeps its newer value."""
    found = await find_merge(db, merge_id)
    rows = await _locked(db, found.kept_id, found.gone_id)
    kept, gone, facts = rows[found.kept_id], rows[found.gone_id], found.moved
    later = await db.fetchval(
        """
        select 1 from person_merge
        where id > $1 and undone_at is null and (kept_id in ($2, $3) or gone_id in ($2, $3))
        """,
        *(merge_id, found.kept_id, found.gone_id),
    )
    if found.undone_at is not None or later or gone["merged_into"] != found.kept_id or kept["status"] == "erased":
        raise CannotUndo
    untouched = [column for column, value in facts["after"].items() if _plain(kept[column]) == value]
    was = {column: facts["before"][column] for column in untouched}
    await _write(db, found.kept_id, dict(kept) | await _typed(db, found.kept_id, was), untouched)
    await db.execute(
        "update person_project set person_id = $1 where person_id = $2 and project = any ($3)",
        *(found.gone_id, found.kept_id, facts["projects"]),
    )
    await belongings.move_back(db, found.kept_id, found.gone_id, facts.get("belongings", {}))
    if facts["iin"]:
        await db.execute("update person_iin set person_id = $1 where person_id = $2", found.gone_id, found.kept_id)
    # Merges that are older than consents carried none.
    for table, moved in (("consent", "consents"), ("erasure", "erasures")):
        await db.execute(
            f"update {table} set person_id = $1 where person_id = $2 and id = any ($3::bigint[])",
            *(found.gone_id, found.kept_id, facts.get(moved, [])),
        )
    if facts.get("login"):
        await db.execute(
            "update staff set person_id = $1 where id = $3 and person_id = $2",
            *(found.gone_id, found.kept_id, facts["login"]),
        )
    await _refresh_projects(db, found.kept_id, found.gone_id)
    back = facts["external_id"] if "external_id" in untouched else None
    await db.execute(
        """
        update person
        set status = $2, merged_into = null, external_id = coalesce($3, external_id), changed_at = now()
        where id = $1
        """,
        *(found.gone_id, facts["status"], back),
    )
    await db.execute("update person_merge set undone_by = $2, undone_at = now() where id = $1", merge_id, staff_id)
    await db.execute(
        """
        update person_twin set state = 'open', decided_by = null, decided_at = null, reason = ''
        where first_id = least($1::bigint, $2::bigint) and second_id = greatest($1::bigint, $2::bigint)
        """,
        *(found.kept_id, found.gone_id),
    )
    await db.execute("select flag_twins($1)", [found.kept_id, found.gone_id])
    return found


async def find_merge(db: Connection, merge_id: int) -> Merge:
    """One merge, of which both rows lie in the territory."""
    row = await db.fetchrow(f"{MERGES} where m.id = $1", merge_id)
    if row is None:
        raise NotThere
    return Merge(**row)


async def merges_of(db: Connection, person_id: int | None = None) -> list[Merge]:
    """Merges of a person, or the newest of all."""
    rows = await db.fetch(
        f"{MERGES} where $1::bigint is null or m.kept_id = $1 or m.gone_id = $1 order by m.id desc limit 50", person_id
    )
    return [Merge(**row) for row in rows]


MERGES = """
    select m.id, m.kept_id, m.gone_id, m.moved, m.reason, m.made_at, s.full_name as made_by, m.undone_at
    from person_merge m
    join staff s on s.id = m.made_by
"""


async def _locked(db: Connection, *ids: int) -> dict[int, Any]:
    names = ", ".join(COLUMNS)
    rows = await db.fetch(
        f"select id, status, merged_into, {names} from person where id = any ($1::bigint[]) order by id for update", ids
    )
    if len(rows) != len(set(ids)) or len(set(ids)) < 2:
        raise NotThere
    return {row["id"]: row for row in rows}


async def _write(db: Connection, person_id: int, person: dict[str, Any], columns: list[str]) -> None:
    """Some columns, and the keys that follow from the names."""
    values = [person[column] for column in columns]
    values += [
        fold(f"{person['last_name']} {person['first_name']}"),
        search_key(person["last_name"], person["first_name"], person["middle_name"]),
    ]
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate((*columns, "name_key", "search_key"), 2))
    await db.execute(f"update person set {sets}, changed_at = now() where id = $1", person_id, *values)


async def _refresh_projects(db: Connection, *ids: int) -> None:
    """Rows of person_project changed their person, which its trigger does not follow."""
    await db.execute(
        """
        update person p
        set projects = array(select m.project from person_project m where m.person_id = p.id order by m.project)
        where p.id = any ($1::bigint[])
        """,
        ids,
    )


def _plain(value: Any) -> Any:
    """As the value stands in JSON."""
    return value if value is None or isinstance(value, (str, int)) else str(value)


async def _typed(db: Connection, person_id: int, was: dict[str, Any]) -> dict[str, Any]:
    """Values from JSON as the columns have them."""
    if not was:
        return {}
    row = await db.fetchrow(
        f"select {', '.join(f'r.{column}' for column in was)} from person p, jsonb_populate_record(p, $2::jsonb) r where p.id = $1",
        *(person_id, was),
    )
    return dict(row) if row else {}
