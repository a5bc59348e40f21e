"""All SQL of scoring, a function a statement. The connection's role is elumiti_scoring.

It reads keys, writes runs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from scoring.deadlines import Control

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import asyncpg

    Connection = asyncpg.Connection

Rows = list[tuple[Any, ...]]
# The class of the advisory lock: any constant that no other part uses.
RECORDING = 0x73636F72


class SittingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of sitting; times in Unix milliseconds."""

    id: int
    title: str
    form_id: int
    reserve_form_id: int | None
    starts_ms: int
    waiting_opens_ms: int
    last_entry_ms: int
    duration_s: int
    ends_ms: int | None
    grace_s: int
    late_policy: str
    place: str
    state: str
    longest_extra_s: int


class QuotaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Quota places as two persons set them; they are named, for a list from home has to say who agreed."""

    places: dict[str, int]
    tie_at_line: str
    from_home: bool
    asked_by: str
    agreed_by: str


SITTINGS = """
    select s.id, s.title::text as title, s.form_id, s.reserve_form_id,
           (extract(epoch from s.starts_at) * 1000)::bigint as starts_ms,
           (extract(epoch from s.waiting_opens_at) * 1000)::bigint as waiting_opens_ms,
           (extract(epoch from s.last_entry_at) * 1000)::bigint as last_entry_ms,
           s.duration_s,
           (extract(epoch from s.ends_at) * 1000)::bigint as ends_ms,
           s.grace_s, s.late_policy, s.place, s.state,
           60 * coalesce((select max(p.extra_minutes)::int from participant p where p.sitting_id = s.id), 0)
               as longest_extra_s
    from sitting s
"""


async def sitting(db: Connection, sitting_id: int) -> SittingRow | None:
    """One sitting."""
    row = await db.fetchrow(SITTINGS + "where s.id = $1", sitting_id)
    return None if row is None else SittingRow(**dict(row))


async def sittings_on_forms(db: Connection, forms: list[int]) -> list[SittingRow]:
    """Published and later sittings that use one of the forms, also as their reserve."""
    rows = await db.fetch(
        SITTINGS
        + """
        where s.state <> 'draft' and (s.form_id = any($1::int[]) or s.reserve_form_id = any($1::int[]))
        order by s.id
        """,
        forms,
    )
    return [SittingRow(**dict(row)) for row in rows]


async def controls(db: Connection, sitting_id: int) -> list[Control]:
    """The controls of a sitting in the order of their versions."""
    rows = await db.fetch(
        """
        select scope, scope_id, version, kind, body::text as body
        from control
        where sitting_id = $1
        order by version
        """,
        sitting_id,
    )
    return [Control(*row.values()) for row in rows]


async def attempts(db: Connection, sitting_id: int) -> Rows:
    """attempt_id, region_code, school_id, extra_s; signed_in, started, restarted, finished, reopened (ms); sealed."""
    rows = await db.fetch(
        """
        select a.id, d.region_code, p.school_id, 60 * p.extra_minutes,
               (extract(epoch from a.signed_in_at) * 1000)::bigint,
               (extract(epoch from a.started_at) * 1000)::bigint,
               (extract(epoch from a.restarted_at) * 1000)::bigint,
               (extract(epoch from a.finished_at) * 1000)::bigint,
               (extract(epoch from a.reopened_at) * 1000)::bigint,
               exists (select from seal where seal.attempt_id = a.id)
        from attempt a
        join participant p on p.id = a.id
        join school s on s.id = p.school_id
        join district d on d.id = s.district_id
        where a.sitting_id = $1
        order by a.id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def participants(db: Connection, sitting_id: int) -> Rows:
    """attempt_id, region_code, district_id, school_id, language, gender, grade, extra_minutes: no names."""
    rows = await db.fetch(
        """
        select p.id, d.region_code, s.district_id, p.school_id, p.language, p.gender, p.grade, p.extra_minutes
        from participant p
        join school s on s.id = p.school_id
        join district d on d.id = s.district_id
        where p.sitting_id = $1
        order by p.id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def persons(db: Connection, sitting_id: int) -> Rows:
    """attempt_id, external_id, last_name, first_name, middle_name, birth_date, class_letter.

    The names, apart.
    """
    rows = await db.fetch(
        """
        select id, external_id, last_name, first_name, middle_name, birth_date, class_letter
        from participant
        where sitting_id = $1
        order by id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def places(db: Connection, sitting_id: int) -> Rows:
    """school_id, school_code, region_code, and names kk/ru/en of school, district and region."""
    rows = await db.fetch(
        """
        select s.id, s.code, r.code, s.name_kk, s.name_ru, s.name_en, d.name_kk, d.name_ru, d.name_en,
               r.name_kk, r.name_ru, r.name_en
        from school s
        join district d on d.id = s.district_id
        join region r on r.code = d.region_code
        where s.id in (select school_id from participant where sitting_id = $1)
        order by s.id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def items(db: Connection, forms: list[int]) -> Rows:
    """form_id, code, section, position, kind, topic, skill, rule, points ×100, voided; by form, in order."""
    rows = await db.fetch(
        """
        select i.form_id, i.code, i.section, i.position, i.kind, i.topic, i.skill,
               k.rule::text, (k.points * 100)::bigint, k.voided
        from form_item i
        left join keys.item_key k on k.form_id = i.form_id and k.code = i.code
        where i.form_id = any($1::int[])
        order by i.form_id, i.position, i.code
        """,
        forms,
    )
    return [tuple(row.values()) for row in rows]


async def item_maps(db: Connection, forms: list[int]) -> dict[int, str]:
    """form_id → item_map of its packing, as JSON text; a form that was never packed is absent."""
    rows = await db.fetch(
        """
        select form_id, item_map::text as item_map
        from form_pack
        where form_id = any($1::int[])
        order by form_id
        """,
        forms,
    )
    return {row["form_id"]: row["item_map"] for row in rows}


async def copy_events(db: Connection, sitting_id: int, path: Path) -> None:
    """Write all events of a sitting to a CSV file, in the order of attempt, device number and seq.

    Line breaks between JSON tokens become spaces: inside of JSON strings they can't stand. A device that the
    engine never numbered gets 0 and so comes first.
    """
    await db.copy_from_query(
        """
        select e.attempt_id, coalesce(d.epoch, 0) as epoch, e.seq, e.kind, e.item,
               translate(e.value, E'\\n\\r\\t', '   ') as value,
               e.anchor_ms, e.since_ms, e.received_ms, e.marks
        from response_event e
        left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
        where e.sitting_id = $1
        order by e.attempt_id, coalesce(d.epoch, 0), e.seq, e.device
        """,
        sitting_id,
        output=path,
        format="csv",
        header=True,
    )


async def quota_plan(db: Connection, sitting_id: int) -> QuotaPlan | None:
    """The quota places of a sitting, if any were set."""
    row = await db.fetchrow(
        """
        select q.places::text as places, q.tie_at_line, q.from_home, a.full_name as asked_by, b.full_name as agreed_by
        from quota_plan q
        join staff a on a.id = q.asked_by
        join staff b on b.id = q.agreed_by
        where q.sitting_id = $1
        """,
        sitting_id,
    )
    if row is None:
        return None
    return QuotaPlan(**{**dict(row), "places": msgspec.json.decode(row["places"], type=dict[str, int])})


async def waiting_decisions(db: Connection, sitting_id: int) -> Rows:
    """attempt_id, counts, reason of each decision about waiting answers."""
    rows = await db.fetch(
        """
        select attempt_id, counts, reason
        from waiting_decision
        where sitting_id = $1
        order by attempt_id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def exclusions(db: Connection, sitting_id: int) -> Rows:
    """attempt_id and the reason's code of each attempt that is left out now."""
    rows = await db.fetch(
        """
        select attempt_id, reason
        from exclusion
        where sitting_id = $1 and excluded
        order by attempt_id
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


async def item_rulings(db: Connection, sitting_id: int) -> Rows:
    """form_id, code, rule as JSON text (None: voided) of each question that does not count as packed."""
    rows = await db.fetch(
        """
        select form_id, code, rule::text
        from item_ruling
        where sitting_id = $1 and ruling <> 'as-packed'
        order by form_id, code
        """,
        sitting_id,
    )
    return [tuple(row.values()) for row in rows]


@asynccontextmanager
async def recording(db: Connection, sitting_id: int) -> AsyncGenerator[None, None]:
    """Hold the right to record a run of a sitting: a lock of the session, so two runs take two numbers."""
    await db.execute("select pg_advisory_lock($1, $2)", RECORDING, sitting_id)
    try:
        yield
    finally:
        await db.execute("select pg_advisory_unlock($1, $2)", RECORDING, sitting_id)


async def same_run(db: Connection, sitting_id: int, snapshot: str, parameters: str, code: str) -> int | None:
    """The version of the newest run, if it was over the same snapshot with the same parameters and code.

    An older one does not count: after a decision was taken back, the newest run has to be the one that holds.
    """
    return await db.fetchval(
        """
        select version
        from score_run
        where sitting_id = $1 and snapshot_hash = $2 and parameters = $3::jsonb and code_version = $4
            and version = (select max(version) from score_run where sitting_id = $1)
        """,
        *(sitting_id, snapshot, parameters, code),
    )


async def next_version(db: Connection, sitting_id: int) -> int:
    """The number of the next run; the unique key of the table refuses a second run of the same number."""
    newest = await db.fetchval("select max(version) from score_run where sitting_id = $1", sitting_id)
    return 1 + (newest or 0)


async def insert_run(db: Connection, sitting_id: int, version: int, made_by: int | None, run: dict[str, str]) -> None:
    """Record a run; `run` holds parameters, snapshot_hash, result_hash, code_version and summary."""
    await db.execute(
        """
        insert into score_run
            (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary, made_by)
        values ($1, $2, $3::jsonb, $4, $5, $6, $7::jsonb, $8)
        """,
        *(sitting_id, version, run["parameters"], run["snapshot_hash"], run["result_hash"]),
        *(run["code_version"], run["summary"], made_by),
    )
