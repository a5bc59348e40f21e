"""All SQL of the tree. Every statement over schools takes the scope as its first three parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.db import containing
from portal.core.territory import NAME
from portal.features.places.structs import ClassRow, DistrictRow, RegionRow, SchoolRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.core.accounts import Scope
    from portal.core.db import Connection
    from portal.features.places.structs import Asked, NewSchool

SORTS = {
    "name": "kk(s.name_kk), s.id",
    "-name": "kk(s.name_kk) desc, s.id desc",
    "code": "s.code, s.id",
    "-code": "s.code desc, s.id desc",
    "district": "kk(d.name_kk), kk(s.name_kk), s.id",
    "-district": "kk(d.name_kk) desc, kk(s.name_kk), s.id",
}
SCHOOL = f"""
    select s.id, s.code, s.kind, {NAME.format("s")} as name, d.region_code, {NAME.format("r")} as region, s.district_id,
           {NAME.format("d")} as district, s.settlement_id,
           case when t.id is not null then {NAME.format("t")} end as settlement,
           s.contact_name, s.contact_phone, s.closed_at
    from school s
    join district d on d.id = s.district_id
    join region r on r.code = d.region_code
    left join settlement t on t.id = s.settlement_id
    where ($1 or d.region_code = any ($2) or s.id = any ($3))
"""


async def regions(db: Connection, scope: Scope) -> list[RegionRow]:
    """Regions of the territory, in Kazakh order."""
    rows = await db.fetch(
        f"""
        select r.code, {NAME.format("r")} as name,
               (select count(*) from district d where d.region_code = r.code) as districts,
               (
                   select count(*)
                   from settlement t
                   join district d on d.id = t.district_id
                   where d.region_code = r.code) as settlements,
               (
                   select count(*)
                   from school s
                   join district d on d.id = s.district_id
                   where d.region_code = r.code and s.closed_at is null
                       and ($1 or r.code = any ($2) or s.id = any ($3))) as schools
        from region r
        where $1 or r.code = any ($2) or exists (
            select from school s join district d on d.id = s.district_id where d.region_code = r.code and s.id = any ($3))
        order by kk(r.name_kk), r.code
        """,
        *scope.parameters,
    )
    return [RegionRow(**row) for row in rows]


async def districts(db: Connection, scope: Scope, region: str) -> list[DistrictRow]:
    """Districts of a region with their settlements; of who sees single schools those where they lie."""
    rows = await db.fetch(
        f"""
        select d.id, {NAME.format("d")} as name,
               (
                   select count(*)
                   from school s
                   where s.district_id = d.id and s.closed_at is null
                       and ($1 or d.region_code = any ($2) or s.id = any ($3))) as schools,
               coalesce((
                   select jsonb_agg(jsonb_build_object(
                       'id', t.id, 'kind', t.kind, 'kato', t.kato, 'name', {NAME.format("t")},
                       'schools', (select count(*) from school s where s.settlement_id = t.id and s.closed_at is null))
                       order by kk(t.name_kk), t.id)
                   from settlement t
                   where t.district_id = d.id and ($1 or d.region_code = any ($2) or exists (
                       select from school s where s.settlement_id = t.id and s.id = any ($3)))), '[]'::jsonb) as settlements
        from district d
        where d.region_code = $4 and ($1 or d.region_code = any ($2) or exists (
            select from school s where s.district_id = d.id and s.id = any ($3)))
        order by kk(d.name_kk), d.id
        """,
        *scope.parameters,
        region,
    )
    return [DistrictRow(**row) for row in rows]


async def schools(
    db: Connection,
    scope: Scope,
    asked: Asked,
    *,
    sort: str = "name",
    limit: int = 25,
    offset: int = 0,
) -> tuple[list[SchoolRow], int]:
    """A page of schools; all words occur in code or name, in any language."""
    patterns = containing(asked.words, most=5)
    where = f"""
        {SCHOOL}
            and lower(concat_ws(' ', s.code, s.name_kk, s.name_ru, s.name_en, t.name_kk, t.name_ru)) like all ($4)
            and ($5 = '' or d.region_code = $5) and ($6::int is null or s.district_id = $6)
            and ($7::int is null or s.settlement_id = $7) and ($8 = '' or s.kind = $8)
            and (s.closed_at is not null) = $9
    """
    given = (
        *(*scope.parameters, patterns, asked.region, asked.district, asked.settlement),
        *(asked.kind, asked.closed),
    )
    total = await db.fetchval(f"select count(*) from ({where}) found", *given)
    rows = await db.fetch(f"{where} order by {SORTS[sort]} limit {int(limit)} offset {int(offset)}", *given)
    return [SchoolRow(**row) for row in rows], total


async def school(db: Connection, scope: Scope, school_id: int, *, lock: bool = False) -> SchoolRow | None:
    """One school of the territory."""
    if lock:
        await db.execute("select from school where id = $1 for no key update", school_id)
    row = await db.fetchrow(f"{SCHOOL} and s.id = $4", *scope.parameters, school_id)
    return SchoolRow(**row) if row else None


async def classes(db: Connection, school_id: int) -> list[ClassRow]:
    """Its classes, by those who learn there; within the territory that was told to Postgres."""
    rows = await db.fetch(
        """
        select grade, class_letter, count(*) as pupils
        from person
        where school_id = $1 and status = 'active' and grade is not null
        group by grade, class_letter
        order by grade, kk(class_letter), class_letter
        """,
        school_id,
    )
    return [ClassRow(**row) for row in rows]


async def insert_school(db: Connection, made: NewSchool) -> int:
    """A new one; asyncpg.UniqueViolationError if its code is taken."""
    return await db.fetchval(
        """
        insert into school (code, kind, name_kk, name_ru, name_en, district_id, settlement_id, contact_name, contact_phone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning id
        """,
        *_values(made),
    )


async def update_school(db: Connection, school_id: int, made: NewSchool) -> None:
    """Everything of it but whether it is closed."""
    await db.execute(
        """
        update school
        set code = $2, kind = $3, name_kk = $4, name_ru = $5, name_en = $6, district_id = $7, settlement_id = $8,
            contact_name = $9, contact_phone = $10
        where id = $1
        """,
        *(school_id, *_values(made)),
    )


async def set_closed(db: Connection, school_id: int, at: datetime | None) -> None:
    """Close it, or open it again."""
    await db.execute("update school set closed_at = $2 where id = $1", school_id, at)


async def taken_codes(db: Connection, codes: Sequence[str]) -> set[str]:
    """Which of these codes schools have already."""
    rows = await db.fetch("select code from school where code = any ($1)", list(codes))
    return {row["code"] for row in rows}


async def tree(db: Connection, scope: Scope) -> dict[str, dict[str, int]]:
    """Region → name of a district in any language, lower case → its id: what a list of schools is read with."""
    rows = await db.fetch(
        """
        select id, region_code, name_kk, name_ru, name_en
        from district
        where $1 or region_code = any ($2)
        order by id
        """,
        *scope.parameters[:2],
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        for name in (row["name_kk"], row["name_ru"], row["name_en"]):
            found.setdefault(row["region_code"], {})[name.lower()] = row["id"]
    return found


async def settlements(db: Connection, district_id: int) -> list[tuple[int, dict[str, str]]]:
    """Of a district, in Kazakh order."""
    rows = await db.fetch(
        f"select t.id, {NAME.format('t')} as name from settlement t where t.district_id = $1 order by kk(t.name_kk), t.id",
        district_id,
    )
    return [(row["id"], row["name"]) for row in rows]


async def insert_settlement(
    db: Connection, district_id: int, kind: str, kato: str | None, names: tuple[str, str, str]
) -> int:
    """A new one; asyncpg.UniqueViolationError if the district has one of that name, or another has the code."""
    return await db.fetchval(
        """
        insert into settlement (district_id, kind, kato, name_kk, name_ru, name_en) values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        *(district_id, kind, kato, *names),
    )


async def settlements_by_name(db: Connection, scope: Scope) -> dict[tuple[int, str], int]:
    """(District, name in any language, lower case) → id."""
    rows = await db.fetch(
        """
        select t.id, t.district_id, t.name_kk, t.name_ru, t.name_en
        from settlement t
        join district d on d.id = t.district_id
        where $1 or d.region_code = any ($2)
        order by t.id
        """,
        *scope.parameters[:2],
    )
    return {
        (row["district_id"], name.lower()): row["id"]
        for row in rows
        for name in (row["name_kk"], row["name_ru"], row["name_en"])
    }


def _values(made: NewSchool) -> tuple[object, ...]:
    names = (made.name_kk, made.name_ru, made.name_en)
    return (made.code, made.kind, *names, made.district_id, made.settlement_id, made.contact_name, made.contact_phone)
