"""All SQL of pupils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.db import containing
from portal.core.problems import NotThere
from portal.core.sittings import REACHED
from portal.features.participants.structs import (
    Device,
    EventLine,
    NewParticipant,
    OtherAttempt,
    Participant,
    ParticipantRow,
)

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.accounts import Scope
    from portal.core.db import Connection

IN_SCOPE = "($1 or d.region_code = any($2) or sc.id = any($3))"
SCHOOL = "jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en)"
NAME = "concat_ws(' ', p.last_name, p.first_name, nullif(p.middle_name, ''))"
SORTS = {
    "name": "p.sort_name, p.id",
    "-name": "p.sort_name desc, p.id desc",
    "class": "p.grade, p.class_letter, p.sort_name, p.id",
    "-class": "p.grade desc, p.class_letter desc, p.sort_name desc, p.id desc",
    "school": "sc.id, p.grade, p.class_letter, p.sort_name, p.id",
    "-school": "sc.id desc, p.grade, p.class_letter, p.sort_name, p.id",
}
WATCHED = "exists (select from sitting_watch w where w.sitting_id = p.sitting_id)"
# Sat, and no picture of him came; once the sitting's pictures are erased, nobody can say so any more.
UNSEEN = """
    a.started_at is not null
    and not exists (select from picture x where x.sitting_id = p.sitting_id and x.attempt_id = p.id)
    and not exists (select from picture_erasure e where e.sitting_id = p.sitting_id and e.attempt_id is null)
"""
STATES = {
    "no-code": "p.code_hash is null",
    "locked": "p.locked_at is not null",
    "absent": "a.id is null",
    "waiting": "a.id is not null and a.started_at is null",
    "writing": "a.started_at is not null and a.finished_at is null",
    "finished": "a.finished_at is not null",
    "extra": "p.extra_minutes > 0",
    "no-camera": f"{WATCHED} and {UNSEEN}",
}
COLUMNS = [
    *["school_id", "last_name", "first_name", "middle_name", "birth_date", "gender", "grade", "class_letter"],
    *["language", "extra_minutes", "external_id"],
]


async def stage(db: Connection, job_id: int, rows: list[NewParticipant]) -> None:
    """Checked rows wait for «take in»."""
    names = [*COLUMNS, "room"]
    records = [(job_id, number, *(getattr(row, column) for column in names)) for number, row in enumerate(rows)]
    await db.copy_records_to_table("participant_staging", records=records, columns=["job_id", "row_number", *names])


async def take_staged(db: Connection, sitting_id: int, job_id: int) -> int:
    """The waiting rows become pupils, in the order of the file, and their rooms are made; the staging is emptied."""
    names = ", ".join(COLUMNS)
    await db.execute(
        """
        insert into room (sitting_id, school_id, name)
        select distinct $1::int, school_id, room
        from participant_staging
        where job_id = $2 and room <> ''
        order by school_id, room
        on conflict do nothing
        """,
        *(sitting_id, job_id),
    )
    done = await db.execute(
        f"""
        insert into participant (sitting_id, import_job, room_id, {names})
        select $1, $2, r.id, {", ".join(f"w.{name}" for name in COLUMNS)}
        from participant_staging w
        left join room r on r.sitting_id = $1 and r.school_id = w.school_id and r.name = w.room
        where w.job_id = $2
        order by w.row_number
        """,
        *(sitting_id, job_id),
        timeout=600,
    )
    await drop_staged(db, job_id)
    return int(done.split()[-1])


async def drop_staged(db: Connection, job_id: int) -> None:
    """Forget waiting rows."""
    await db.execute("delete from participant_staging where job_id = $1", job_id, timeout=600)


async def undo_import(db: Connection, sitting_id: int, job_id: int) -> int | None:
    """Delete what an import brought; None if one of its pupils has signed in."""
    begun = await db.fetchval(
        """
        select exists (
            select 1 from attempt a join participant p on p.id = a.id where p.sitting_id = $1 and p.import_job = $2)
        """,
        *(sitting_id, job_id),
    )
    if begun:
        return None
    done = await db.execute(
        "delete from participant where sitting_id = $1 and import_job = $2", sitting_id, job_id, timeout=600
    )
    # Rooms that nobody sits in any more: their codes are free again, nobody has seen them.
    await db.execute(
        """
        delete from room r
        where r.sitting_id = $1 and not exists (select 1 from participant p where p.room_id = r.id)
            and not exists (select 1 from room_opening o where o.room_id = r.id)
        """,
        sitting_id,
    )
    return int(done.split()[-1])


async def schools_for_import(db: Connection, sitting_id: int, scope: Scope) -> dict[str, int]:
    """School code → id, in the sitting's regions and the actor's territory."""
    rows = await db.fetch(
        f"""
        select sc.code, sc.id
        from school sc
        join district d on d.id = sc.district_id
        join sitting_region sr on sr.region_code = d.region_code and sr.sitting_id = $4
        where {IN_SCOPE}
        """,
        *scope.parameters,
        sitting_id,
    )
    return {row["code"]: row["id"] for row in rows}


async def external_ids(db: Connection, sitting_id: int) -> set[str]:
    """Ids in use."""
    rows = await db.fetch("select external_id from participant where sitting_id = $1", sitting_id)
    return {row["external_id"] for row in rows}


async def list_participants(
    db: Connection,
    sitting_id: int,
    scope: Scope,
    *,
    state: str,
    region: str,
    school: int | None,
    words: str,
    sort: str,
    limit: int,
    offset: int,
) -> tuple[list[ParticipantRow], int]:
    """A page of the list, and how many there are."""
    patterns = containing(words, most=4)
    where = f"""
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join room rm on rm.id = p.room_id
        left join attempt a on a.id = p.id
        where {REACHED} and p.sitting_id = $7 and ({STATES.get(state, "true")})
            and ($8 = '' or d.region_code = $8) and ($9::int is null or sc.id = $9)
            and (cardinality($10::text[]) = 0 or p.search_name like all($10))
    """
    given = (*scope.of_pupils, sitting_id, region, school, patterns)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"""
        select p.id, {NAME} as name, p.grade, p.class_letter, rm.name as room, p.language, p.extra_minutes,
               {SCHOOL} as school,
               sc.id as school_id, d.region_code, p.code_hash is not null as has_code,
               p.locked_at is not null as locked, a.signed_in_at, a.started_at, a.finished_at
        {where}
        order by {SORTS[sort]}
        limit $11 offset $12
        """,
        *given,
        *(limit, offset),
    )
    return [ParticipantRow(**row) for row in rows], total


async def find_participant(db: Connection, sitting_id: int, participant_id: int, scope: Scope) -> Participant:
    """One pupil within the scope."""
    row = await db.fetchrow(
        f"""
        select p.id, p.sitting_id, p.school_id, d.region_code, p.last_name, p.first_name, p.middle_name, p.grade,
               p.class_letter, rm.name as room, p.language, p.extra_minutes, p.external_id, p.code_hash is not null as has_code,
               p.code_version, p.birth_misses, p.locked_at, {SCHOOL} as school,
               jsonb_build_object('kk', d.name_kk, 'ru', d.name_ru, 'en', d.name_en) as district,
               sc.contact_name, sc.contact_phone, a.signed_in_at, a.started_at, a.finished_at, a.reopened_at,
               ap.last_received_ms, ap.answered, se.sealed_at, se.code as seal_code,
               (select count(*) from response_conflict rc where rc.attempt_id = p.id) as conflicts,
               dh.tries as held_tries, dh.newest_ms as held_newest_ms, dh.agent as held_agent, p.devices_freed_at,
               (select coalesce(jsonb_object_agg(al.name, al.times), '{{}}') from attempt_limit al where al.attempt_id = p.id)
                   as limits,
               p.person_id is not null as known,
               p.person_id is not null and consent_holds(p.person_id, 'camera') as camera,
               {WATCHED} as watched, ({UNSEEN}) as unseen
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join room rm on rm.id = p.room_id
        left join attempt a on a.id = p.id
        left join attempt_pulse ap on ap.attempt_id = p.id
        left join device_hold dh on dh.attempt_id = p.id
        left join lateral (
            select sealed_at, code from seal where attempt_id = p.id order by sealed_at desc limit 1) se on true
        where {REACHED} and p.sitting_id = $7 and p.id = $8
        """,
        *scope.of_pupils,
        *(sitting_id, participant_id),
    )
    if row is None:
        raise NotThere
    return Participant(**row)


async def devices(db: Connection, sitting_id: int, attempt_id: int, scope: Scope) -> list[Device]:
    """The devices in the order the server saw them, and whose attempts lay on the same phone at the same time.

    Of others those within the scope alone: a phone that was lent tells no name of another school.
    """
    rows = await db.fetch(
        f"""
        with used as (
            select d.attempt_id, d.device, d.phone, d.first_seen_ms,
                   greatest(d.first_seen_ms, coalesce(max(e.received_ms), 0)) as until_ms, count(e.seq) as events
            from attempt_device d
            left join response_event e
                on e.sitting_id = $8 and e.attempt_id = d.attempt_id and e.device = d.device
            where d.attempt_id = $7
                or d.phone in (select phone from attempt_device where attempt_id = $7 and phone is not null)
            group by d.attempt_id, d.device
        )
        select d.epoch, d.first_seen_ms, d.agent, u.events, before.epoch as same_phone_as,
               coalesce((
                   select jsonb_agg(distinct jsonb_build_object('id', p.id, 'name', concat_ws(' ', p.last_name, p.first_name)))
                   from used o
                   join participant p on p.id = o.attempt_id and p.sitting_id = $8
                   join school sc on sc.id = p.school_id
                   join district d on d.id = sc.district_id
                   where o.attempt_id <> $7 and o.phone = u.phone
                       and o.first_seen_ms <= u.until_ms and u.first_seen_ms <= o.until_ms and {REACHED}), '[]') as others
        from used u
        join attempt_device d on d.attempt_id = u.attempt_id and d.device = u.device
        left join attempt_device before on before.attempt_id = d.attempt_id and before.device = d.continues
        where u.attempt_id = $7
        order by d.first_seen_ms, d.epoch
        """,
        *scope.of_pupils,
        *(attempt_id, sitting_id),
    )
    return [
        Device(
            epoch=row["epoch"],
            first_seen_ms=row["first_seen_ms"],
            agent=row["agent"],
            events=row["events"],
            same_phone_as=row["same_phone_as"],
            others=[OtherAttempt(**other) for other in row["others"]],
        )
        for row in rows
    ]


async def newest_events(db: Connection, sitting_id: int, attempt_id: int) -> list[EventLine]:
    """The last events, without what was answered."""
    rows = await db.fetch(
        """
        select e.kind, e.received_ms, e.marks, d.epoch
        from response_event e
        left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
        where e.sitting_id = $1 and e.attempt_id = $2
        order by e.received_ms desc, e.seq desc, e.device
        limit 30
        """,
        *(sitting_id, attempt_id),
    )
    return [EventLine(**row) for row in rows]


async def controls_seen(db: Connection, sitting_id: int, attempt_id: int) -> list[dict[str, Any]]:
    """What staff told this pupil, and when his device said that it had it."""
    rows = await db.fetch(
        """
        select c.version, c.kind, c.made_at, cs.seen_ms
        from control c
        join participant p on p.id = $2
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join control_seen cs on cs.attempt_id = $2 and cs.version = c.version
        where c.sitting_id = $1
            and (c.scope = 'sitting' or (c.scope = 'region' and c.scope_id = d.region_code)
                 or (c.scope = 'school' and c.scope_id = sc.id::text) or (c.scope = 'attempt' and c.scope_id = p.id::text))
        order by c.version desc
        """,
        *(sitting_id, attempt_id),
    )
    return [dict(row) for row in rows]


async def set_lock(db: Connection, participant_id: int, at: datetime | None) -> None:
    """Lock or unlock a code; unlocking forgives the misses."""
    await db.execute(
        """
        update participant
        set locked_at = $2, birth_misses = case when $2::timestamptz is null then 0 else birth_misses end
        where id = $1
        """,
        *(participant_id, at),
    )


async def free_devices(db: Connection, participant_id: int, at: datetime) -> None:
    """From now on take-overs are counted anew: the next device is let in."""
    await db.execute("update participant set devices_freed_at = $2 where id = $1", participant_id, at)
