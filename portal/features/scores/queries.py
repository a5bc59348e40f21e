"""All SQL of results; the tables of a run lie in the object store (tables.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.problems import NotThere
from portal.core.projects import project
from portal.features.scores.structs import (
    Attempt,
    ExclusionRow,
    Item,
    ItemRuling,
    Person,
    QuotaPlan,
    RunRow,
    WaitingDecision,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.core.accounts import Scope
    from portal.core.db import Connection

COLUMNS = """
    r.id, r.sitting_id, r.version, r.parameters, r.snapshot_hash, r.result_hash, r.code_version, r.summary,
    s.full_name as made_by_name, r.made_at, r.published_at
"""
BY = "a.full_name as asked_by, b.full_name as agreed_by, r.decided_at"
BOTH = "join staff a on a.id = r.asked_by join staff b on b.id = r.agreed_by"


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
        where s.state <> 'draft' and s.starts_at < now() and s.project = $4
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
        project(),
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


async def rulings_since(db: Connection, sitting_id: int, at: datetime) -> int:
    """How many decisions were made after a run: it does not know of them."""
    return await db.fetchval(
        """
        select (select count(*) from quota_plan where sitting_id = $1 and decided_at > $2)
             + (select count(*) from waiting_decision where sitting_id = $1 and decided_at > $2)
             + (select count(*) from exclusion where sitting_id = $1 and decided_at > $2)
             + (select count(*) from item_ruling where sitting_id = $1 and decided_at > $2)
        """,
        *(sitting_id, at),
    )


async def quota_plan(db: Connection, sitting_id: int) -> QuotaPlan | None:
    """Quota places, if any were set."""
    row = await db.fetchrow(
        f"select r.places, r.tie_at_line, r.from_home, r.reason, {BY} from quota_plan r {BOTH} where r.sitting_id = $1",
        sitting_id,
    )
    return QuotaPlan(**row) if row else None


async def set_quota_plan(
    db: Connection, sitting_id: int, plan: dict[str, Any], reason: str, asked_by: int, agreed_by: int
) -> None:
    """From the next run on."""
    await db.execute(
        """
        insert into quota_plan (sitting_id, places, tie_at_line, from_home, reason, asked_by, agreed_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (sitting_id) do update
        set places = excluded.places, tie_at_line = excluded.tie_at_line, from_home = excluded.from_home,
            reason = excluded.reason, asked_by = excluded.asked_by, agreed_by = excluded.agreed_by, decided_at = now()
        """,
        *(sitting_id, plan["places"], plan["tie_at_line"], plan["from_home"], reason, asked_by, agreed_by),
    )


async def waiting_decisions(db: Connection, sitting_id: int) -> dict[int, WaitingDecision]:
    """Attempt → what was decided about its waiting answers."""
    rows = await db.fetch(
        f"""
        select r.attempt_id, r.counts, r.reason, {BY}
        from waiting_decision r {BOTH}
        where r.sitting_id = $1
        order by r.attempt_id
        """,
        sitting_id,
    )
    return {row["attempt_id"]: WaitingDecision(**row) for row in rows}


async def decide_waiting(
    db: Connection, sitting_id: int, attempts: list[int], reason: str, asked_by: int, agreed_by: int, *, counts: bool
) -> None:
    """The last word for each attempt stands."""
    await db.execute(
        """
        insert into waiting_decision (attempt_id, sitting_id, counts, reason, asked_by, agreed_by)
        select id, $1, $3, $4, $5, $6 from participant where sitting_id = $1 and id = any($2::bigint[])
        on conflict (attempt_id) do update
        set counts = excluded.counts, reason = excluded.reason, asked_by = excluded.asked_by,
            agreed_by = excluded.agreed_by, decided_at = now()
        """,
        *(sitting_id, attempts, counts, reason, asked_by, agreed_by),
    )


async def exclusions(db: Connection, sitting_id: int) -> list[ExclusionRow]:
    """Who is or was left out, newest first."""
    rows = await db.fetch(
        f"""
        select r.attempt_id, r.reason, r.note, r.excluded, {BY}
        from exclusion r {BOTH}
        where r.sitting_id = $1
        order by r.excluded desc, r.decided_at desc, r.attempt_id
        """,
        sitting_id,
    )
    return [ExclusionRow(**row) for row in rows]


async def set_exclusion(
    db: Connection, sitting_id: int, row: dict[str, Any], asked_by: int, agreed_by: int, *, excluded: bool
) -> None:
    """Leave an attempt out, or take it in again."""
    await db.execute(
        """
        insert into exclusion (attempt_id, sitting_id, reason, note, excluded, asked_by, agreed_by)
        values ($2, $1, $3, $4, $5, $6, $7)
        on conflict (attempt_id) do update
        set reason = excluded.reason, note = excluded.note, excluded = excluded.excluded,
            asked_by = excluded.asked_by, agreed_by = excluded.agreed_by, decided_at = now()
        """,
        *(sitting_id, row["attempt"], row["why"], row["note"], excluded, asked_by, agreed_by),
    )


async def item_rulings(db: Connection, sitting_id: int) -> list[ItemRuling]:
    """Questions that were decided about, by code."""
    rows = await db.fetch(
        f"""
        select r.form_id, r.code, r.ruling, r.rule, r.reason, {BY}
        from item_ruling r {BOTH}
        where r.sitting_id = $1
        order by r.form_id, r.code
        """,
        sitting_id,
    )
    return [ItemRuling(**row) for row in rows]


async def set_item_ruling(
    db: Connection, sitting_id: int, row: dict[str, Any], reason: str, asked_by: int, agreed_by: int
) -> None:
    """From the next run on; keys.item_key stays as it was packed."""
    await db.execute(
        """
        insert into item_ruling (sitting_id, form_id, code, ruling, rule, reason, asked_by, agreed_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (sitting_id, form_id, code) do update
        set ruling = excluded.ruling, rule = excluded.rule, reason = excluded.reason, asked_by = excluded.asked_by,
            agreed_by = excluded.agreed_by, decided_at = now()
        """,
        *(sitting_id, row["form_id"], row["code"], row["ruling"], row["rule"], reason, asked_by, agreed_by),
    )


async def find_item(db: Connection, sitting_id: int, form_id: int, code: str) -> Item:
    """A question of the sitting's form or reserve form, without any key."""
    row = await db.fetchrow(
        """
        select i.form_id, f.name as form_name, i.code, i.kind, i.content
        from form_item i
        join form f on f.id = i.form_id
        join sitting s on i.form_id in (s.form_id, s.reserve_form_id)
        where s.id = $1 and i.form_id = $2 and i.code = $3
        """,
        *(sitting_id, form_id, code),
    )
    if row is None:
        raise NotThere
    return Item(**row)


async def attempts_of(db: Connection, sitting_id: int, attempts: Sequence[int]) -> list[Attempt]:
    """Those of the given attempts that are of this sitting."""
    rows = await db.fetch(
        """
        select p.id, p.school_id, a.id is not null as begun
        from participant p
        left join attempt a on a.id = p.id
        where p.sitting_id = $1 and p.id = any($2::bigint[])
        order by p.id
        """,
        *(sitting_id, list(attempts)),
    )
    return [Attempt(**row) for row in rows]
