"""SQL of an import: COPY into a staging table, questions to all rows at once, then two or three statements take them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.features.persons.rules import Ground

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection
    from portal.features.persons.rules import Staged

PERSON = [
    *("external_id", "last_name", "first_name", "middle_name", "birth_date", "sex", "language", "phone", "email"),
    *("region_code", "district_id", "school_id", "grade", "class_letter"),
]
STAGED = ["job_id", "row_number", *PERSON, "name_key", "search_key", "project", "role", "attributes", "sealed", "blind"]


async def ground_of(db: Connection, scope: Scope) -> Ground:
    """Where this person may put others."""
    rows = await db.fetch(
        """
        select s.code, s.id, s.district_id, d.region_code
        from school s
        join district d on d.id = s.district_id
        where $1 or d.region_code = any ($2) or s.id = any ($3)
        """,
        *scope.parameters,
    )
    regions = await db.fetch("select code from region where $1 or code = any ($2)", scope.country, list(scope.regions))
    return Ground(
        schools={row["code"]: (row["id"], row["district_id"], row["region_code"]) for row in rows},
        regions=frozenset(row["code"] for row in regions),
    )


async def stage(db: Connection, job_id: int, rows: list[Staged], project: str | None, role: str | None) -> None:
    """Checked rows wait for «take in»."""
    records = (
        (
            *(job_id, row.row_number),
            *(getattr(row.person, name) for name in PERSON),
            *(
                row.name_key,
                row.search_key,
                project,
                role,
                msgspec.json.encode(row.attributes).decode(),
                row.sealed,
                row.blind,
            ),
        )
        for row in rows
    )
    await db.copy_records_to_table("person_staging", records=records, columns=STAGED, timeout=600)


async def ids_taken(db: Connection, job_id: int) -> set[int]:
    """Rows whose external id somebody has, anywhere."""
    return {row["row"] for row in await db.fetch("select staged_ids_taken($1) as row", job_id)}


async def twins_of(db: Connection, job_id: int) -> int:
    """How many rows may be persons whom the registry knows already."""
    return await db.fetchval("select count(*) from staged_twins($1)", job_id)


async def unstage(db: Connection, job_id: int, rows: set[int]) -> None:
    """Take refused rows out again."""
    await db.execute(
        "delete from person_staging where job_id = $1 and row_number = any ($2::int[])", job_id, list(rows)
    )


async def drop_staged(db: Connection, job_id: int) -> None:
    """Forget waiting rows."""
    await db.execute("delete from person_staging where job_id = $1", job_id, timeout=600)


async def undo_import(db: Connection, job_id: int) -> tuple[int, int]:
    """Take out again whom an import brought; how many went and how many stay. Whoever was worked on since stays."""
    await db.execute("create temp table undone (id bigint primary key) on commit drop")
    await db.execute(
        """
        insert into undone
        select p.id
        from person p
        where p.import_job = $1 and p.changed_at = p.made_at and p.status = 'active'
            and not exists (select 1 from person_merge m where m.kept_id = p.id or m.gone_id = p.id)
            and not exists (select 1 from person_project pp where pp.person_id = p.id and pp.joined_at <> p.made_at)
        """,
        job_id,
        timeout=600,
    )
    await db.execute("analyze undone")
    for statement in (
        "delete from person_twin t using undone u where t.first_id = u.id",
        "delete from person_twin t using undone u where t.second_id = u.id",
        "delete from person_project t using undone u where t.person_id = u.id",
        "delete from person_iin t using undone u where t.person_id = u.id",
        "delete from person t using undone u where t.id = u.id",
    ):
        done = await db.execute(statement, timeout=600)
    left = await db.fetchval("select count(*) from person where import_job = $1", job_id)
    return int(done.split()[-1]), left


async def settle_search(db: Connection) -> None:
    """Put what an import added where a search finds it fast."""
    await db.execute("select settle_search()", timeout=600)


async def take_staged(db: Connection, job_id: int, staff_id: int | None) -> int:
    """The waiting rows become persons, in the order of the file; twins are flagged; the staging is emptied."""
    names = ", ".join(PERSON)
    done = await db.execute(
        f"""
        insert into person (id, {names}, name_key, search_key, projects, import_job, made_by)
        overriding system value
        select person_id, {names}, name_key, search_key,
               case when project is null then '{{}}'::text[] else array[project] end, $1, $2
        from person_staging
        where job_id = $1
        order by row_number
        """,
        *(job_id, staff_id),
        timeout=600,
    )
    for statement in (
        """
        insert into person_project (person_id, project, role, attributes)
        select person_id, project, role, attributes::jsonb
        from person_staging
        where job_id = $1 and project is not null
        order by row_number
        """,
        """
        insert into person_iin (person_id, sealed, blind)
        select person_id, sealed, blind from person_staging where job_id = $1 and sealed is not null order by row_number
        """,
        "select flag_twins(array(select person_id from person_staging where job_id = $1))",
    ):
        await db.execute(statement, job_id, timeout=600)
    await drop_staged(db, job_id)
    return int(done.split()[-1])
