"""All SQL of the KPI log. What is about a person runs within `portal.core.cards`, else it sees nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from portal.core.territory import NAME
from portal.features.kpi.structs import Entry, Filter, Measure, NewEntry, Sum

if TYPE_CHECKING:
    from portal.core.db import Connection

WHERE = """
    e.person_id = $1 and e.day between $2 and $3 and ($4 = '' or e.project = $4) and ($5 = '' or e.measure = $5)
"""
SORTS = {
    "-day": "e.day desc, e.id desc",
    "day": "e.day, e.id",
    "measure": "m.place, e.day desc, e.id desc",
    "-measure": "m.place desc, e.day desc, e.id desc",
    "value": "e.value, e.id",
    "-value": "e.value desc, e.id desc",
}


async def measures(db: Connection) -> list[Measure]:
    """All that are in use."""
    rows = await db.fetch(
        f"""
        select m.code, m.project, m.role, {NAME.format("m")} as name, m.unit, m.from_system
        from kpi_measure m
        where m.retired_at is null
        order by m.place, m.code
        """
    )
    return [Measure(**row) for row in rows]


async def entries(
    db: Connection, person_id: int, wanted: Filter, *, sort: str = "-day", limit: int, offset: int = 0
) -> tuple[list[Entry], int]:
    """A page of the log, and how many rows there are."""
    given = (person_id, wanted.since, wanted.until, wanted.project, wanted.measure)
    total = await db.fetchval(f"select count(*) from kpi_entry e where {WHERE}", *given)
    rows = await db.fetch(
        f"""
        select e.id, e.project, {NAME.format("p")} as project_name, e.measure, {NAME.format("m")} as name, m.unit, e.day, e.value,
               e.source, e.note, s.full_name as made_by, e.made_at
        from kpi_entry e
        join kpi_measure m on m.code = e.measure
        join project p on p.code = e.project
        left join staff s on s.id = e.made_by
        where {WHERE}
        order by {SORTS[sort]}
        limit $6 offset $7
        """,
        *given,
        *(limit, offset),
    )
    return [Entry(**row) for row in rows], total


async def sums(db: Connection, person_id: int, wanted: Filter) -> list[Sum]:
    """Each measure over the period."""
    rows = await db.fetch(
        f"""
        select e.measure, {NAME.format("m")} as name, m.unit, count(*)::int as entries,
               round(case m.unit when 'percent' then avg(e.value) else sum(e.value) end, 2) as value
        from kpi_entry e
        join kpi_measure m on m.code = e.measure
        where {WHERE}
        group by e.measure, m.code
        order by m.place, m.code
        """,
        *(person_id, wanted.since, wanted.until, wanted.project, wanted.measure),
    )
    return [Sum(**row) for row in rows]


async def months(db: Connection, person_id: int, wanted: Filter) -> list[tuple[date, Decimal]]:
    """One measure by month."""
    rows = await db.fetch(
        f"""
        select date_trunc('month', e.day)::date as month,
               round(case m.unit when 'percent' then avg(e.value) else sum(e.value) end, 2) as value
        from kpi_entry e
        join kpi_measure m on m.code = e.measure
        where {WHERE}
        group by 1, m.unit
        order by 1
        """,
        *(person_id, wanted.since, wanted.until, wanted.project, wanted.measure),
    )
    return [(row["month"], row["value"]) for row in rows]


async def insert(db: Connection, rows: list[tuple[int, NewEntry]], source: str, staff_id: int) -> None:
    """New rows of persons within the territory; any other is refused by Postgres itself."""
    await db.executemany(
        """
        insert into kpi_entry (person_id, project, measure, day, value, source, note, made_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [(person, row.project, row.measure, row.day, row.value, source, row.note, staff_id) for person, row in rows],
    )


async def remove(db: Connection, person_id: int, entry_id: int) -> dict[str, object] | None:
    """Take one out that a person entered; what it said."""
    row = await db.fetchrow(
        """
        delete from kpi_entry
        where id = $2 and person_id = $1 and source <> 'system'
        returning project, measure, day::text, value::text, source, note
        """,
        *(person_id, entry_id),
    )
    return dict(row) if row else None


async def by_external_id(db: Connection, ids: list[str]) -> dict[str, int]:
    """Persons of the territory by their external ids."""
    rows = await db.fetch(
        "select external_id, id from person where status = 'active' and external_id = any ($1::text[])", ids
    )
    return {row["external_id"]: row["id"] for row in rows}


async def gather(db: Connection) -> int:
    """What the platform knows of the last days goes into the log; the same again changes nothing. How many rows changed."""
    done = await db.execute(
        """
        insert into kpi_entry (person_id, project, measure, day, value, source)
        select k.person_id, k.project, k.measure, k.day, k.value, 'system'
        from kpi_known k
        join person p on p.id = k.person_id
        order by k.person_id, k.project, k.measure, k.day
        on conflict (person_id, project, measure, day) where source = 'system'
        do update set value = excluded.value, made_at = now()
        where kpi_entry.value <> excluded.value
        """
    )
    return int(done.split()[-1])
