"""All SQL of the live view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.projects import project
from portal.features.live.structs import ControlRow, Count, SchoolCount

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

# 300 000 children type some per mille of wrong birthdays in the minutes of the entry; guessing codes is far above.
MISSES_ALLOWED = 300


async def count_schools(db: Connection, sitting_id: int, silent_before_ms: int) -> list[SchoolCount]:
    """Every school of a sitting with its figures; the caller cuts it to a scope and keeps it for seconds."""
    rows = await db.fetch(
        """
        select p.school_id, d.region_code,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as name,
               count(*) as total, count(p.code_hash) as with_code, count(a.id) as signed_in,
               count(a.started_at) as started,
               count(*) filter (where a.started_at is not null and a.finished_at is null
                                and ap.last_received_ms >= $2) as answering,
               count(*) filter (where a.started_at is not null and a.finished_at is null
                                and coalesce(ap.last_received_ms, 0) < $2) as silent,
               count(a.finished_at) as finished, count(se.attempt_id) as sealed,
               coalesce(sum(ap.answered), 0)::int as answered
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join attempt a on a.id = p.id
        left join attempt_pulse ap on ap.attempt_id = p.id
        left join (select distinct attempt_id from seal where sitting_id = $1) se on se.attempt_id = p.id
        where p.sitting_id = $1
        group by p.school_id, sc.id, d.region_code
        order by d.region_code, kk(sc.name_kk), p.school_id
        """,
        *(sitting_id, silent_before_ms),
    )
    names = Count.__struct_fields__
    return [
        SchoolCount(
            school_id=row["school_id"],
            name=row["name"],
            region_code=row["region_code"],
            count=Count(**{name: row[name] for name in names}),
        )
        for row in rows
    ]


async def running(db: Connection, scope: Scope) -> list[dict[str, Any]]:
    """Published sittings in the scope, nearest first."""
    rows = await db.fetch(
        """
        select s.id, s.title, s.starts_at, s.state,
               (select count(*) from participant p where p.sitting_id = s.id) as participants
        from sitting s
        where s.state = 'published' and s.project = $4
            and ($1 or exists (
                select 1
                from sitting_region sr
                left join district d on d.region_code = sr.region_code
                left join school sc on sc.district_id = d.id
                where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
        order by abs(extract(epoch from s.starts_at - now())), s.id
        limit 50
        """,
        *scope.parameters,
        project(),
    )
    return [dict(row) for row in rows]


async def conflict_count(db: Connection, sitting_id: int) -> int:
    """Events with the same identity and other content."""
    return await db.fetchval("select count(*) from response_conflict where sitting_id = $1", sitting_id)


async def dead_letter_count(db: Connection, sitting_id: int) -> int:
    """Events of this sitting's attempts, or of nobody's, that Postgres could not take."""
    return await db.fetchval(
        """
        select count(*)
        from dead_letter l
        left join participant p on p.id = l.attempt_id
        where p.sitting_id = $1 or (l.attempt_id is null and l.at > now() - interval '1 day')
        """,
        sitting_id,
    )


async def devices_waiting(db: Connection, sitting_id: int, scope: Scope) -> int:
    """Pupils of whom a device is held back and nobody has decided yet (SAFETY J4)."""
    return await db.fetchval(
        """
        select count(*)
        from device_hold h
        join participant p on p.id = h.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
            and (p.devices_freed_at is null or extract(epoch from p.devices_freed_at) * 1000 < h.newest_ms)
        """,
        *(*scope.parameters, sitting_id),
    )


async def beyond_limits(db: Connection, sitting_id: int, scope: Scope) -> int:
    """Pupils whose device sent more than one pupil may (SAFETY M2)."""
    return await db.fetchval(
        """
        select count(distinct al.attempt_id)
        from attempt_limit al
        join participant p on p.id = al.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
        """,
        *(*scope.parameters, sitting_id),
    )


async def room_openings(db: Connection, sitting_id: int, scope: Scope) -> tuple[int, int]:
    """Attempts that a room code opened before T0, and those that name another room's number (SAFETY M1)."""
    row = await db.fetchrow(
        """
        select count(distinct o.attempt_id) filter (where o.early is not null) as early,
               count(distinct o.attempt_id) filter (where o.foreign_number) as foreign_number
        from room_opening o
        join participant p on p.id = o.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where o.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
        """,
        *(*scope.parameters, sitting_id),
    )
    assert row is not None
    return row["early"], row["foreign_number"]


async def shared_phones(db: Connection, sitting_id: int, scope: Scope) -> int:
    """Phones on which several attempts were written at one time (SAFETY J4): an event with evidence, no verdict."""
    return await db.fetchval(
        """
        select count(*)
        from (
            select ad.phone
            from attempt_device ad
            join participant p on p.id = ad.attempt_id
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            left join attempt_pulse ap on ap.attempt_id = ad.attempt_id
            where p.sitting_id = $4 and ad.phone is not null
                and ($1 or d.region_code = any($2) or sc.id = any($3))
            group by ad.phone
            having count(distinct ad.attempt_id) > 1
                and max(ad.first_seen_ms) < min(coalesce(ap.last_received_ms, ad.first_seen_ms))
        ) shared
        """,
        *(*scope.parameters, sitting_id),
    )


async def open_streams(db: Connection) -> list[tuple[int, int, int]]:
    """(stream, position ms, position counter) of every stream that is still read."""
    rows = await db.fetch(
        "select stream, id_ms, id_seq from stream_position where closed_at is null order by stream desc limit 200"
    )
    return [(row["stream"], row["id_ms"], row["id_seq"]) for row in rows]


async def controls(db: Connection, sitting_id: int, scope: Scope, limit: int) -> list[ControlRow]:
    """The newest controls with how many devices have them. Delivered to all in the scope of the asker."""
    rows = await db.fetch(
        """
        select c.id, c.scope, c.scope_id, c.version, c.kind, c.body, s.full_name as made_by_name, c.made_at,
               c.relayed_at,
               case c.scope
                   when 'region' then (select jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en)
                                       from region where code = c.scope_id)
                   when 'school' then (select jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en)
                                       from school where id::text = c.scope_id)
                   when 'attempt' then (select jsonb_build_object('kk', concat_ws(' ', last_name, first_name))
                                        from participant where id::text = c.scope_id)
               end as scope_name,
               counted.concerned, counted.seen
        from control c
        left join staff s on s.id = c.made_by
        cross join lateral (
            select count(*) as concerned, count(cs.attempt_id) as seen
            from attempt a
            join participant p on p.id = a.id
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            left join control_seen cs on cs.attempt_id = a.id and cs.version = c.version
            where a.sitting_id = c.sitting_id and ($1 or d.region_code = any($2) or sc.id = any($3))
                and (c.scope = 'sitting' or (c.scope = 'region' and d.region_code = c.scope_id)
                     or (c.scope = 'school' and sc.id::text = c.scope_id)
                     or (c.scope = 'attempt' and a.id::text = c.scope_id))
        ) counted
        where c.sitting_id = $4 and c.kind <> 'credit' and (counted.concerned > 0 or c.scope = 'sitting')
        order by c.version desc
        limit $5
        """,
        *scope.parameters,
        *(sitting_id, limit),
    )
    return [ControlRow(**row) for row in rows]


async def items(db: Connection, form_id: int) -> dict[str, int]:
    """Question code → its id on the wire."""
    row = await db.fetchrow("select item_map from form_pack where form_id = $1", form_id)
    return {code: item["id"] for code, item in (row["item_map"] if row else {}).items()}


async def misses_allowed(db: Connection) -> int:
    """Failed sign-ins a minute in the whole country that are no alarm; the setting `sign_in_alarm` changes it."""
    found = await db.fetchval("select (value ->> 'per_minute')::int from setting where name = 'sign_in_alarm'")
    return MISSES_ALLOWED if found is None else found
