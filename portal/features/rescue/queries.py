"""All SQL of receipts and rescue files."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from engine.protocol import KINDS, Mark
from portal.core.projects import project
from portal.features.rescue.rules import value_text
from portal.features.rescue.structs import Payload, StoredEvent, TakenFile

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

# The portal holds no key of the engine's clock: what a file says of time is for a person to weigh (SAFETY J8).
MARKS = int(Mark.RESCUED | Mark.ANCHOR_UNVERIFIED)


async def pupil_of(db: Connection, sitting_id: int, attempt_id: int, scope: Scope) -> dict[str, Any] | None:
    """Whose attempt it is, within the scope."""
    row = await db.fetchrow(
        """
        select p.id, concat_ws(' ', p.last_name, p.first_name) as name, p.school_id, d.region_code,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               ap.last_received_ms, a.id is not null as begun
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join attempt a on a.id = p.id
        left join attempt_pulse ap on ap.attempt_id = p.id
        where p.sitting_id = $4 and p.id = $5 and ($1 or d.region_code = any($2) or sc.id = any($3))
        """,
        *scope.parameters,
        *(sitting_id, attempt_id),
    )
    return dict(row) if row else None


async def stored_events(db: Connection, sitting_id: int, attempt_id: int, device: str) -> dict[int, StoredEvent]:
    """What Postgres holds of this device."""
    rows = await db.fetch(
        """
        select seq, kind, item, value
        from response_event
        where sitting_id = $1 and attempt_id = $2 and device = $3
        order by seq
        """,
        *(sitting_id, attempt_id, uuid.UUID(device)),
    )
    return {row["seq"]: StoredEvent(row["seq"], row["kind"], row["item"], row["value"]) for row in rows}


async def last_heard_ms(db: Connection, sitting_id: int, attempt_id: int) -> int | None:
    """The newest event of the attempt, by the server's clock."""
    return await db.fetchval(
        "select max(received_ms) from response_event where sitting_id = $1 and attempt_id = $2", sitting_id, attempt_id
    )


async def take_in(db: Connection, sitting_id: int, payload: Payload, now_ms: int) -> int:
    """Insert what is missing, marked; the same identity with other content becomes a conflict. Returns how many."""
    device = uuid.UUID(payload.device)
    # A device that the server never saw counts as the oldest: it fills gaps and overrules nobody.
    await db.execute(
        """
        insert into attempt_device (attempt_id, device, epoch, first_seen_ms, agent)
        select $1, $2, coalesce(min(epoch), 1) - case when count(*) = 0 then 0 else 1 end, $3, 'rescue'
        from attempt_device
        where attempt_id = $1
        on conflict (attempt_id, device) do nothing
        """,
        *(payload.attempt, device, now_ms),
    )
    rows = [(event.seq, KINDS[event.kind], event.item, value_text(event), int(event.ms)) for event in payload.events]
    given = [list(column) for column in zip(*rows, strict=True)]
    sent = "unnest($5::int[], $6::smallint[], $7::int[], $8::text[], $9::int[]) as n (seq, kind, item, value, since_ms)"
    await db.execute(
        f"""
        insert into response_conflict (sitting_id, attempt_id, device, seq, kind, item, value, since_ms, received_ms,
                                       marks)
        select $1, $2, $3, n.seq, n.kind, n.item, n.value, n.since_ms, $4, $10
        from {sent}
        join response_event e on e.sitting_id = $1 and e.attempt_id = $2 and e.device = $3 and e.seq = n.seq
        where (e.kind, e.item, e.value) is distinct from (n.kind, n.item, n.value)
        on conflict do nothing
        """,
        *(sitting_id, payload.attempt, device, now_ms, *given, MARKS),
    )
    done = await db.execute(
        f"""
        insert into response_event (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms,
                                    received_ms, marks)
        select $1, $2, $3, n.seq, n.kind, n.item, n.value, null, n.since_ms, $4, $10
        from {sent}
        on conflict do nothing
        """,
        *(sitting_id, payload.attempt, device, now_ms, *given, MARKS),
    )
    return int(done.split()[-1])


async def note_finish(db: Connection, attempt_id: int, device: str, now_ms: int) -> None:
    """The file holds a hand-in that never arrived: the attempt is finished, and the flusher looks whether it is whole."""
    await db.execute(
        """
        update attempt
        set finished_at = to_timestamp($3 / 1000.0), finish_device = $2
        where id = $1 and finished_at is null
        """,
        *(attempt_id, uuid.UUID(device), float(now_ms)),
    )


async def insert_file(
    db: Connection, sitting_id: int, attempt_id: int, digest: bytes, body: bytes, taken_by: int, report: dict[str, Any]
) -> None:
    """Keep the file itself; the same file twice is one row."""
    await db.execute(
        """
        insert into rescue_file (attempt_id, sitting_id, digest, bytes, taken_by, report)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (digest) do nothing
        """,
        *(attempt_id, sitting_id, digest, body, taken_by, report),
    )


async def taken_files(db: Connection, sitting_id: int, scope: Scope) -> list[TakenFile]:
    """Files taken in so far."""
    rows = await db.fetch(
        """
        select f.attempt_id, concat_ws(' ', p.last_name, p.first_name) as pupil, f.taken_at,
               s.full_name as taken_by_name, f.report
        from rescue_file f
        join participant p on p.id = f.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join staff s on s.id = f.taken_by
        where f.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
        order by f.id desc
        limit 100
        """,
        *scope.parameters,
        sitting_id,
    )
    return [TakenFile(**row) for row in rows]


async def has_published_run(db: Connection, sitting_id: int) -> bool:
    """Whether results are final."""
    return await db.fetchval(
        "select exists (select 1 from score_run where sitting_id = $1 and published_at is not null)", sitting_id
    )


async def seals_of_code(db: Connection, code: str, scope: Scope) -> list[dict[str, Any]]:
    """Seals with this receipt code, within the scope (codes are short: two may share one)."""
    rows = await db.fetch(
        """
        select se.attempt_id, se.finish_seq, se.digest, se.sealed_at, se.sitting_id, s.title,
               concat_ws(' ', p.last_name, p.first_name) as pupil, p.grade, p.class_letter,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               se.sealed_at = (select max(sealed_at) from seal other where other.attempt_id = se.attempt_id) as newest
        from seal se
        join participant p on p.id = se.attempt_id
        join sitting s on s.id = se.sitting_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where se.code = $4 and s.project = $5 and ($1 or d.region_code = any($2) or sc.id = any($3))
        order by se.sealed_at desc, se.attempt_id
        """,
        *scope.parameters,
        *(code, project()),
    )
    return [dict(row) for row in rows]
