"""Forms opened with a room's code: the start by the phone's word, and an alarm where it was opened before T0 (SAFETY M1).

The word is bounded: a start lies between T0 and the moment at which the server heard of it. Whoever opened before T0 had
a code that nobody may have had: his room's codes are closed, and the room gets a spare number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from engine.controls import KeptControl, attempt_clock, scopes_of
from engine.flusher.starts import set_starts
from engine.records import OpenedByCode, decode_opened

if TYPE_CHECKING:
    import asyncpg

    from engine.flusher.write import Memory
    from engine.protocol import News, SaveRecord, StoredEvent

log = structlog.get_logger()


class Place(msgspec.Struct, frozen=True):
    """Where an attempt sits: its room (None: at home), and what holds on each leg."""

    room: int | None
    legs: tuple[Leg, Leg]


class Leg(msgspec.Struct, frozen=True):
    """A form of an attempt: the numbers that its room ever had there, T0 and last entry in Unix ms (None: not sat)."""

    numbers: list[int]
    starts_ms: int | None = None
    last_entry_ms: int = 0


async def note_openings(
    db: asyncpg.Connection[asyncpg.Record], opened: list[tuple[SaveRecord, StoredEvent]], memory: Memory
) -> list[News]:
    """Put openings on record, set starts, close what leaked; in the transaction that stores the events."""
    places = await _places(db, sorted({save.attempt for save, _ in opened}))
    starts: dict[tuple[int, int], int] = {}
    leaked: set[int] = set()
    for save, event in opened:
        assert event.value is not None
        told, place = decode_opened(event.value), places.get(save.attempt)
        leg = place.legs[told.leg] if place else None
        if place is None or leg is None or leg.starts_ms is None:
            # A leg that this sitting does not have: the event itself is kept, and nothing follows from it.
            log.warning("flusher.room.opened_nothing", attempt=save.attempt, leg=told.leg)
            continue
        early = why_early(told, event, save.received_ms, leg.starts_ms)
        foreign = told.number not in leg.numbers
        mine = place.room is not None and not foreign
        # The first word of an attempt closes its room's codes; repeating it does not use up the spares of everybody.
        first = early is not None and mine and not await db.fetchval(CLOSED_ONCE, save.attempt, told.leg)
        await db.execute(
            OPENING,
            *(save.attempt, memory.uuid(save.device), event.seq, save.sitting, told.leg, told.number, place.room),
            *(told.at_ms, told.jump_ms, event.anchor_ms, event.since_ms, save.received_ms, early, foreign),
        )
        at = (save.attempt, told.leg)
        # By who sits at home, or under another room's number, it is an event with its evidence and no more.
        if mine:
            latest = min(save.received_ms, leg.last_entry_ms)
            started_ms = max(leg.starts_ms, min(told.at_ms, latest))
            starts[at] = min(starts.get(at, started_ms), started_ms)
            if first and place.room is not None:
                leaked.add(place.room)
        if early or foreign:
            log.error("flusher.room.alarm", attempt=save.attempt, early=early, foreign=foreign, number=told.number)
    for room in sorted(leaked):
        forms = await db.fetch(CLOSE, room)
        for form in sorted({row["form_id"] for row in forms}):
            await db.fetchval("select give_room_codes($1)", form)
    return await set_starts(db, starts)


def why_early(told: OpenedByCode, event: StoredEvent, received_ms: int, starts_ms: int) -> str | None:
    """How it shows that a form was opened before its T0; None: it does not show.

    The surest first: our own clock when we heard of it, a time that we signed and the phone's monotonic count since,
    the phone's word.
    """
    if received_ms < starts_ms:
        return "received"
    if event.anchor_ms is not None and event.anchor_ms + event.since_ms < starts_ms:
        return "anchor"
    return "told" if told.at_ms < starts_ms else None


async def _places(db: asyncpg.Connection[asyncpg.Record], attempts: list[int]) -> dict[int, Place]:
    rows = await db.fetch(PLACES, attempts)
    ids = [str(attempt) for attempt in attempts]
    controls: dict[tuple[int, str, str], list[tuple[int, KeptControl]]] = {}
    for row in await db.fetch(CONTROLS, list({row["sitting_id"] for row in rows}), ids):
        at = (row["sitting_id"], row["scope"], row["scope_id"])
        kept = KeptControl(row["scope"], row["scope_id"], row["kind"], row["body"])
        controls.setdefault(at, []).append((row["version"], kept))
    places: dict[int, Place] = {}
    for row in rows:
        scopes = scopes_of(row["sitting_id"], row["region_code"], row["school_id"], row["id"])
        found = [one for scope in scopes for one in controls.get((row["sitting_id"], *scope), ())]
        concerning = [control for _, control in sorted(found, key=lambda one: one[0])]
        clock = attempt_clock(concerning, extra_s=0, started_ms=None)
        held_ms = 1000 * (clock.paused_s + clock.entry_s)
        first = Leg(row["numbers"], row["starts_ms"], row["last_entry_ms"] + (held_ms if clock.leg == 0 else 0))
        second = Leg(row["reserve_numbers"])
        if clock.restart is not None:
            second = Leg(row["reserve_numbers"], clock.restart.starts_ms, clock.restart.last_entry_ms + held_ms)
        places[row["id"]] = Place(row["room_id"], (first, second))
    return places


OPENING = """
    insert into room_opening (attempt_id, device, seq, sitting_id, leg, number, room_id, at_ms, jump_ms, anchor_ms, since_ms,
                              received_ms, early, foreign_number)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict do nothing
"""

# Numbers: all that the room ever had there, for a phone may hold a blob from before its code was closed.
PLACES = """
    select p.id, p.sitting_id, p.school_id, p.room_id, d.region_code,
           (extract(epoch from s.starts_at) * 1000)::bigint as starts_ms,
           (extract(epoch from s.last_entry_at) * 1000)::bigint as last_entry_ms,
           array(select number from room_code where room_id = p.room_id and form_id = s.form_id) as numbers,
           array(select number from room_code where room_id = p.room_id and form_id = s.reserve_form_id) as reserve_numbers
    from participant p
    join sitting s on s.id = p.sitting_id
    join school sc on sc.id = p.school_id
    join district d on d.id = sc.district_id
    where p.id = any($1::bigint[])
"""

CONTROLS = """
    select sitting_id, scope, scope_id, version, kind, body
    from control
    where sitting_id = any($1::int[]) and (scope <> 'attempt' or scope_id = any($2::text[]))
    order by version
"""

CLOSED_ONCE = """
    select exists (
        select 1 from room_opening
        where attempt_id = $1 and leg = $2 and early is not null and room_id is not null and not foreign_number
    )
"""

CLOSE = """
    update room_code
    set closed_at = now(), closed_reason = 'opened-early', changed_in = pg_current_xact_id()
    where room_id = $1 and closed_at is null
    returning form_id
"""
