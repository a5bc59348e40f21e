"""All SQL of sittings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core.problems import NotThere
from portal.core.projects import project
from portal.features.sittings.structs import Draft, FormChoice, FormUse, HistoryLine, Sitting, SittingRow, Watch

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection
    from portal.core.sittings import SittingHead

IN_SCOPE = """
    ($1 or exists (
        select 1
        from sitting_region sr
        left join district d on d.region_code = sr.region_code
        left join school sc on sc.district_id = d.id
        where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
"""
SORTS = {
    "start": "s.starts_at, s.id",
    "-start": "s.starts_at desc, s.id desc",
    "title": "kk(s.title ->> 'kk'), s.id",
    "-title": "kk(s.title ->> 'kk') desc, s.id desc",
    "pupils": "participants, s.id",
    "-pupils": "participants desc, s.id desc",
}


async def list_sittings(
    db: Connection, scope: Scope, *, state: str, words: str, sort: str, limit: int, offset: int
) -> tuple[list[SittingRow], int]:
    """A page of the list and how many there are in all."""
    rows = await db.fetch(
        f"""
        select s.id, s.title, s.state, s.place, s.starts_at, s.last_entry_at, t.title as test, f.name as form,
               (select count(*) from participant p where p.sitting_id = s.id) as participants,
               (select count(*) from sitting_region sr where sr.sitting_id = s.id) as regions,
               count(*) over () as total
        from sitting s
        join test t on t.id = s.test_id
        join form f on f.id = s.form_id
        where {IN_SCOPE} and s.project = $4
            and ($5 = '' or s.state = $5)
            and ($6 = '' or strpos(lower(s.title::text), lower($6)) > 0)
        order by {SORTS[sort]}
        limit $7 offset $8
        """,
        *scope.parameters,
        *(project(), state, words, limit, offset),
    )
    total = rows[0]["total"] if rows else 0
    return [SittingRow(**{k: v for k, v in row.items() if k != "total"}) for row in rows], total


async def find_sitting(db: Connection, sitting_id: int, scope: Scope) -> Sitting:
    """A sitting whole, within the scope."""
    row = await db.fetchrow(
        f"""
        select s.id, s.test_id, s.title, s.form_id, s.reserve_form_id, s.place, s.waiting_opens_at, s.starts_at,
               s.last_entry_at, s.duration_s, s.ends_at, s.grace_s, s.spread_s, s.late_policy, s.help_name,
               s.help_phone, s.state, s.rehearsed_at, s.published_at, s.closed_at, t.title as test, f.name as form,
               r.name as reserve_form, c.full_name as created_by_name,
               array(select region_code from sitting_region where sitting_id = s.id order by 1) as regions,
               (select count(*) from participant p where p.sitting_id = s.id) as participants,
               (select count(*) from participant p where p.sitting_id = s.id and p.code_hash is null) as without_code,
               array(select distinct extra_minutes from participant where sitting_id = s.id order by 1)
                   as extra_minutes,
               (select jsonb_build_object('every_s', w.every_s, 'most_bytes', w.most_bytes, 'identity', w.identity,
                                          'screen', w.screen, 'keep_days', w.keep_days)
                from sitting_watch w
                where w.sitting_id = s.id) as watch
        from sitting s
        join test t on t.id = s.test_id
        join form f on f.id = s.form_id
        left join form r on r.id = s.reserve_form_id
        left join staff c on c.id = s.created_by
        where {IN_SCOPE} and s.id = $4 and s.project = $5
        """,
        *scope.parameters,
        *(sitting_id, project()),
    )
    if row is None:
        raise NotThere
    return Sitting(**{**row, "watch": msgspec.convert(row["watch"], Watch | None)})


async def forms(db: Connection) -> list[FormChoice]:
    """Every form of the project's tests, newest test first."""
    rows = await db.fetch(
        """
        select f.id, f.test_id, t.title as test, f.name, f.state, k.form_id is not null as packed
        from form f
        join test t on t.id = f.test_id
        left join form_pack k on k.form_id = f.id
        where t.project = $1
        order by t.id desc, f.name, f.id
        """,
        project(),
    )
    return [FormChoice(**row) for row in rows]


async def other_uses(db: Connection, sitting_id: int, form_ids: list[int]) -> list[FormUse]:
    """Published sittings, now or before, in which one of these forms is main or reserve."""
    rows = await db.fetch(
        """
        select case when s.form_id = any($2) then s.form_id else s.reserve_form_id end as form_id,
               s.id as sitting_id, s.title, s.starts_at
        from sitting s
        where s.id <> $1 and s.state <> 'draft' and (s.form_id = any($2) or s.reserve_form_id = any($2))
        order by s.starts_at, s.id
        """,
        *(sitting_id, form_ids),
    )
    return [FormUse(**row) for row in rows]


async def insert(db: Connection, draft: Draft, staff_id: int | None) -> int:
    """A new draft."""
    sitting_id = await db.fetchval(
        """
        insert into sitting (project, test_id, form_id, reserve_form_id, title, place, waiting_opens_at, starts_at,
                             last_entry_at, duration_s, ends_at, grace_s, spread_s, late_policy, help_name,
                             help_phone, created_by)
        select $1, f.test_id, f.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
        from form f
        where f.id = $2
        returning id
        """,
        project(),
        *_values(draft),
        staff_id,
    )
    await set_regions(db, sitting_id, draft.regions)
    await set_watch(db, sitting_id, draft.watch)
    return sitting_id


async def update(db: Connection, sitting_id: int, draft: Draft) -> bool:
    """Change a draft; its clock is to be rehearsed anew. False: it is no draft any more."""
    done = await db.fetchval(
        """
        update sitting
        set test_id = (select test_id from form where id = $2), form_id = $2, reserve_form_id = $3, title = $4,
            place = $5, waiting_opens_at = $6, starts_at = $7, last_entry_at = $8, duration_s = $9, ends_at = $10,
            grace_s = $11, spread_s = $12, late_policy = $13, help_name = $14, help_phone = $15, rehearsed_at = null
        where id = $1 and state = 'draft'
        returning id
        """,
        sitting_id,
        *_values(draft),
    )
    if done:
        await set_regions(db, sitting_id, draft.regions)
        await set_watch(db, sitting_id, draft.watch)
    return done is not None


def _values(draft: Draft) -> tuple[object, ...]:
    return (
        draft.form_id,
        draft.reserve_form_id,
        draft.title,
        draft.place,
        draft.waiting_opens_at,
        draft.starts_at,
        draft.last_entry_at,
        draft.duration_s,
        draft.ends_at,
        draft.grace_s,
        draft.spread_s,
        draft.late_policy,
        draft.help_name,
        draft.help_phone,
    )


async def set_regions(db: Connection, sitting_id: int, regions: list[str]) -> None:
    """Exactly these regions."""
    await db.execute("delete from sitting_region where sitting_id = $1", sitting_id)
    await db.execute(
        "insert into sitting_region (sitting_id, region_code) select $1, unnest($2::text[])", sitting_id, regions
    )


async def set_watch(db: Connection, sitting_id: int, watch: Watch | None) -> None:
    """Proctored like this, or not at all; of a draft only, for pupils were told what is taken."""
    if watch is None:
        await db.execute("delete from sitting_watch where sitting_id = $1", sitting_id)
        return
    await db.execute(
        """
        insert into sitting_watch (sitting_id, every_s, most_bytes, identity, screen, keep_days)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (sitting_id) do update
        set every_s = excluded.every_s, most_bytes = excluded.most_bytes, identity = excluded.identity,
            screen = excluded.screen, keep_days = excluded.keep_days
        """,
        sitting_id,
        *(watch.every_s, watch.most_bytes, watch.identity, watch.screen, watch.keep_days),
    )


async def set_rehearsed(db: Connection, sitting_id: int, at: datetime) -> bool:
    """A person looked at the time line and confirmed it."""
    done = await db.fetchval(
        "update sitting set rehearsed_at = $2 where id = $1 and state = 'draft' returning id", sitting_id, at
    )
    return done is not None


async def publish(db: Connection, sitting_id: int, at: datetime) -> bool:
    """From now on pupils may sign in; makes the partitions of its events and, if it is proctored, of its pictures."""
    done = await db.fetchval(
        "update sitting set state = 'published', published_at = $2 where id = $1 and state = 'draft' returning id",
        *(sitting_id, at),
    )
    if done is None:
        return False
    await db.execute("select make_sitting_partition($1)", sitting_id)
    if await db.fetchval("select exists (select from sitting_watch where sitting_id = $1)", sitting_id):
        await db.execute("select make_watch_partition($1)", sitting_id)
    return True


async def close(db: Connection, sitting_id: int, at: datetime) -> bool:
    """Over for good."""
    done = await db.fetchval(
        "update sitting set state = 'closed', closed_at = $2 where id = $1 and state = 'published' returning id",
        *(sitting_id, at),
    )
    return done is not None


async def history(db: Connection, sitting_id: int) -> list[HistoryLine]:
    """What was done with this sitting, newest first."""
    rows = await db.fetch(
        """
        select a.at, a.act, s.full_name as name, a.reason
        from audit a
        left join staff s on s.id = a.staff_id
        where (a.object_kind = 'sitting' and a.object_id = $1::text)
            or (a.object_kind in ('import', 'score_run') and a.after ->> 'sitting_id' = $1::text)
        order by a.id desc
        limit 200
        """,
        str(sitting_id),
    )
    return [HistoryLine(**row) for row in rows]


async def last_over(db: Connection, head: SittingHead, plain: datetime) -> datetime:
    """When the last attempt can be over, with what controls have given and taken."""
    restart = await db.fetchrow(
        """
        select (body ->> 'starts_ms')::bigint, (body ->> 'last_entry_ms')::bigint
        from control
        where sitting_id = $1 and kind = 'restart'
        order by version desc
        limit 1
        """,
        head.id,
    )
    if restart is not None:
        # The last to enter the reserve form is as long at it as the last to enter the first.
        begun, was = (restart[0], head.starts_at) if head.ends_at else (restart[1], head.last_entry_at)
        plain += datetime.fromtimestamp(begun / 1000, UTC) - was
    row = await db.fetchrow(
        """
        select coalesce((select sum(coalesce((body ->> 'extra_s')::int, 0) + coalesce((body ->> 'paused_s')::int, 0))
                         from control where sitting_id = $1 and kind in ('extra', 'resume')), 0)
                   -- Given back by rule: of one attempt each, so the most that any has.
                   + coalesce((select max(clock_s + entry_s) from credit where sitting_id = $1), 0),
               (select max((body ->> 'at_ms')::bigint)
                from control
                where sitting_id = $1 and kind = 'end' and scope = 'sitting'
                    and version > coalesce((select max(version) from control
                                            where sitting_id = $1 and kind = 'restart'), 0))
        """,
        head.id,
    )
    assert row is not None
    given_s, ended = row
    if ended is not None:
        return datetime.fromtimestamp(ended / 1000 + head.grace_s, UTC)
    return plain + timedelta(seconds=given_s)
