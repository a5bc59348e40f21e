"""All SQL of results; the tables of a run lie in the object store (tables.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.problems import NotThere
from portal.features.scores.structs import Person, RunRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.accounts import Scope
    from portal.core.db import Connection

COLUMNS = """
    r.id, r.sitting_id, r.version, r.parameters, r.snapshot_hash, r.result_hash, r.code_version, r.summary,
    s.full_name as made_by_name, r.made_at, r.published_at
"""


async def runs(db: Connection, sitting_id: int) -> list[RunRow]:
    """All runs of a sitting, newest first."""
    rows = await db.fetch(
        f"""
        select {COLUMNS}
        from score_run r
        left join staff s on s.id = r.made_by
        where r.sitting_id = $1
        order by r.version desc
        """,
        sitting_id,
    )
    return [RunRow(**row) for row in rows]


async def find_run(db: Connection, sitting_id: int, version: int) -> RunRow:
    """One run."""
    row = await db.fetchrow(
        f"""
        select {COLUMNS}
        from score_run r
        left join staff s on s.id = r.made_by
        where r.sitting_id = $1 and r.version = $2
        """,
        *(sitting_id, version),
    )
    if row is None:
        raise NotThere
    return RunRow(**row)


async def publish(db: Connection, run_id: int) -> bool:
    """From now on these are the results; False if they were before."""
    done = await db.fetchval(
        "update score_run set published_at = now() where id = $1 and published_at is null returning id", run_id
    )
    return done is not None


async def sittings_with_runs(db: Connection, scope: Scope) -> list[dict[str, Any]]:
    """Sittings that are over, or have runs, newest first."""
    rows = await db.fetch(
        """
        select s.id, s.title, s.state, s.starts_at,
               (select count(*) from participant p where p.sitting_id = s.id) as participants,
               (select max(version) from score_run r where r.sitting_id = s.id) as version,
               exists (select 1 from score_run r where r.sitting_id = s.id and r.published_at is not null) as published
        from sitting s
        where s.state <> 'draft' and s.starts_at < now()
            and ($1 or exists (
                select 1
                from sitting_region sr
                left join district d on d.region_code = sr.region_code
                left join school sc on sc.district_id = d.id
                where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
        order by s.starts_at desc, s.id desc
        limit 50
        """,
        *scope.parameters,
    )
    return [dict(row) for row in rows]


async def persons(db: Connection, sitting_id: int, attempts: Sequence[int], scope: Scope) -> dict[int, Person]:
    """Names and schools of attempts within the scope."""
    rows = await db.fetch(
        """
        select p.id, concat_ws(' ', p.last_name, p.first_name) as name, p.grade, p.class_letter,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as region
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        join region r on r.code = d.region_code
        where p.sitting_id = $4 and p.id = any($5::bigint[]) and ($1 or d.region_code = any($2) or sc.id = any($3))
        """,
        *scope.parameters,
        *(sitting_id, list(attempts)),
    )
    return {row["id"]: Person(**row) for row in rows}


async def item_texts(db: Connection, form_id: int) -> dict[str, dict[str, Any]]:
    """Question code → its authored content, without any key."""
    rows = await db.fetch("select code, kind, content, topic from form_item where form_id = $1", form_id)
    return {row["code"]: dict(row) for row in rows}
