"""Writing: one transaction moves the positions and stores everything that was read, or nothing of it.

New events go by plain COPY, those sent again through a staging table; the same event sent ten times is one row, the
same seq with other content is kept as a conflict. Only what Postgres refuses as data (SQLSTATE 22, 23), found by
halving, becomes a dead letter; any other error rolls back, and the round is done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import msgspec
import structlog
from asyncpg.pgproto.pgproto import UUID

from engine.flusher.devices import hold, sign_in
from engine.flusher.limits import Poisoned, cross, note_limits
from engine.flusher.rooms import note_openings
from engine.flusher.starts import start
from engine.flusher.tries import tried
from engine.protocol import (
    MAX_SEQ,
    Kind,
    Locked,
    MissRecord,
    News,
    SaveRecord,
    StoredEvent,
)

if TYPE_CHECKING:
    from engine.flusher.entries import StreamAt, Taken, Unit

log = structlog.get_logger()
encode = msgspec.msgpack.Encoder().encode

COLUMNS = (
    *("sitting_id", "attempt_id", "device", "seq", "kind", "item", "value"),
    *("anchor_ms", "since_ms", "received_ms", "marks"),
)
Row = tuple[int, int, UUID, int, int, int | None, str | None, int | None, int, int, int]
# Sitting, attempt, device, seq: what makes an event one and the same.
Identity = tuple[int, int, UUID, int]
# The rows that stand are looked up one by one. Joined as a planner sees fit, who knows of a table that grows what it was
# a minute ago, the whole sitting was read at each repeat.
CONFLICTS = """
    insert into response_conflict
        (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms, received_ms, marks)
    select s.sitting_id, s.attempt_id, s.device, s.seq, s.kind, s.item, s.value,
           s.anchor_ms, s.since_ms, s.received_ms, s.marks
    from staging s
    cross join lateral (
        select e.kind, e.item, e.value
        from response_event e
        where e.sitting_id = s.sitting_id and e.attempt_id = s.attempt_id and e.device = s.device and e.seq = s.seq
        limit 1
    ) e
    where (s.kind, s.item, s.value) is distinct from (e.kind, e.item, e.value)
    on conflict do nothing
"""
REMEMBERED = 2_000_000
# What the client cannot even encode (DataError of its own, OverflowError) is the same verdict as class 22.
REFUSED_DATA = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, OverflowError)


class PositionMovedError(Exception):
    """Another flusher was first: read the positions anew."""


class Memory:
    """What this flusher has seen in Postgres, so that it need not ask again. Forgetting is always safe."""

    def __init__(self) -> None:
        self.devices: set[tuple[int, bytes]] = set()
        # (attempt, leg) → its start
        self.started: dict[tuple[int, int], int] = {}
        self.uuids: dict[bytes, UUID] = {}
        self.poisoned = Poisoned()
        # Attempts that sent something again and did not say so: theirs go the long way, and nobody else's with them.
        self.repeating: set[int] = set()

    def uuid(self, device: bytes) -> UUID:
        """The device id as Postgres takes it."""
        known = self.uuids.get(device)
        if known is None:
            if len(self.uuids) > REMEMBERED:
                self.uuids.clear()
            known = self.uuids[device] = UUID(device)
        return known

    def bound(self) -> None:
        """Keep within memory."""
        if len(self.devices) > REMEMBERED:
            self.devices.clear()
        if len(self.started) > REMEMBERED:
            self.started.clear()
        if len(self.poisoned.letters) > REMEMBERED:
            self.poisoned.letters.clear()
        if len(self.repeating) > REMEMBERED:
            self.repeating.clear()


class Written(msgspec.Struct):
    """What a transaction brought: to be told after COMMIT, never before."""

    events: int = 0
    dead: int = 0
    news: list[News] = []
    finished: set[int] = set()
    devices: set[tuple[int, bytes]] = set()
    started: dict[tuple[int, int], int] = {}

    def take(self, other: Written) -> None:
        """Add what a part brought."""
        self.events += other.events
        self.dead += other.dead
        self.news += other.news
        self.finished |= other.finished
        self.devices |= other.devices
        self.started |= other.started


async def prepare(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """Once a connection: the staging table."""
    await db.execute(
        """
        create temporary table staging (
            ord int, sitting_id int, attempt_id bigint, device uuid, seq int, kind smallint, item int, value text,
            anchor_ms bigint, since_ms int, received_ms bigint, marks smallint
        ) on commit delete rows
        """
    )


async def write(db: asyncpg.Connection[asyncpg.Record], taken: Taken, memory: Memory) -> Written:
    """Store what was read; returns after COMMIT. Raises PositionMovedError if another flusher was first."""
    written = Written()
    async with db.transaction():
        await move(db, taken.moves)
        for poison in taken.poison:
            await _bury(
                db, poison.stream, poison.id_ms, poison.id_seq, None, "undecodable", poison.reason, poison.payload
            )
            written.dead += 1
        for units in memory.poisoned.apart(taken.units):
            written.take(await _store(db, units, memory))
    memory.devices |= written.devices
    memory.started |= written.started
    memory.bound()
    return written


async def prove(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """A COMMIT of nothing: when it returns unwarned, all that was committed before is where the standby can't lose it."""
    await db.execute("select pg_logical_emit_message(true, 'elumiti', '')")


async def move(db: asyncpg.Connection[asyncpg.Record], moves: list[tuple[StreamAt, StreamAt]]) -> None:
    """Move each position from exactly where we read it; it waits for a flusher that is at it."""
    for old, new in moves:
        moved = await db.fetchval(
            """
            update stream_position set id_ms = $4, id_seq = $5
            where stream = $1 and id_ms = $2 and id_seq = $3 and closed_at is null
            returning 1
            """,
            *(old.stream, old.id_ms, old.id_seq, new.id_ms, new.id_seq),
        )
        if moved is None:
            raise PositionMovedError(old.stream)


async def _store(db: asyncpg.Connection[asyncpg.Record], units: list[Unit], memory: Memory) -> Written:
    """Store units; halve on refused data until the one that is refused is alone."""
    try:
        async with db.transaction():
            return await _store_all(db, units, memory)
    except REFUSED_DATA as error:
        first = units[0].record
        if memory.poisoned.is_capped(first.attempt) and all(unit.record.attempt == first.attempt for unit in units):
            # Whole: what is good in it is not lost, and nobody waits while it is looked for.
            payload = encode([unit.record for unit in units])
            return await _dead(db, units[0], error, payload, memory)
        if len(units) > 1:
            middle = len(units) // 2
            groups = memory.poisoned.apart(units)
            written = Written()
            for group in groups if len(groups) > 1 else (units[:middle], units[middle:]):
                written.take(await _store(db, group, memory))
            return written
        unit = units[0]
        record = unit.record
        if isinstance(record, SaveRecord) and len(record.events) > 1:
            singles = [
                msgspec.structs.replace(unit, record=msgspec.structs.replace(record, events=[event]))
                for event in record.events
            ]
            return await _store(db, singles, memory)
        return await _dead(db, unit, error, encode(record), memory)


async def _dead(
    db: asyncpg.Connection[asyncpg.Record], unit: Unit, error: Exception, payload: bytes, memory: Memory
) -> Written:
    """What Postgres refuses as data, kept with the reason."""
    attempt = unit.record.attempt
    sqlstate = getattr(error, "sqlstate", None) or "client"
    log.error("flusher.event.dead", attempt=attempt, sqlstate=sqlstate, reason=str(error))
    await _bury(db, unit.stream, unit.id_ms, unit.id_seq, attempt, sqlstate, str(error), payload)
    memory.poisoned.add(attempt)
    written = Written(dead=1)
    if memory.poisoned.is_capped(attempt):
        told = await cross(db, attempt, "poison", unit.id_ms, 1)
        written.news += told
    return written


async def _store_all(db: asyncpg.Connection[asyncpg.Record], units: list[Unit], memory: Memory) -> Written:
    written = Written()
    saves = [unit.record for unit in units if isinstance(unit.record, SaveRecord)]
    await sign_in(db, units, saves, memory, written)
    written.started, news = await start(db, units, saves, memory)
    written.news += news
    for unit in units:
        if isinstance(unit.record, MissRecord):
            await _miss(db, unit.record, written)
    fresh, again = rows_of(saves, memory)
    written.events = len(fresh) + len(again)
    if fresh and not await _copied(db, fresh):
        stored = await _stage(db, fresh + again)
        memory.repeating |= repeating(fresh, stored)
    elif again:
        await _stage(db, again)
    await _note(db, saves, memory, written)
    held, limited = await hold(db, units), await note_limits(db, units)
    written.news += [*held, *limited]
    return written


def rows_of(saves: list[SaveRecord], memory: Memory) -> tuple[list[Row], list[Row]]:
    """Rows of events sent for the first time, and of those sent again or by somebody who does not say so."""
    fresh: list[Row] = []
    again: list[Row] = []
    for save in saves:
        sitting, attempt, received = save.sitting, save.attempt, save.received_ms
        device = memory.uuid(save.device)
        quiet = attempt in memory.repeating
        for event in save.events:
            row = (
                *(sitting, attempt, device, event.seq, event.kind, event.item, event.value),
                *(event.anchor_ms, event.since_ms, received, event.marks),
            )
            if event.again or quiet:
                again.append(row)
            else:
                fresh.append(row)
    return fresh, again


async def _copied(db: asyncpg.Connection[asyncpg.Record], fresh: list[Row]) -> bool:
    """Plain COPY; False, and nothing is stored, if an unmarked repeat is among them: then all go through the staging table."""
    try:
        async with db.transaction():
            await db.copy_records_to_table("response_event", records=fresh, columns=COLUMNS)
    except asyncpg.UniqueViolationError:
        return False
    return True


def repeating(fresh: list[Row], stored: set[Identity]) -> set[int]:
    """Attempts whose events were there before, or twice among these, though they came as new."""
    left = set(stored)
    found: set[int] = set()
    for row in fresh:
        if row[:4] in left:
            left.remove(row[:4])
        else:
            found.add(row[1])
    return found


async def _stage(db: asyncpg.Connection[asyncpg.Record], rows: list[Row]) -> set[Identity]:
    """Once each identity, and which of them are new; what differs from the row that stands is a conflict beside it (rule 3)."""
    numbered = [(number, *row) for number, row in enumerate(rows)]
    await db.copy_records_to_table("staging", records=numbered, columns=("ord", *COLUMNS))
    columns = ", ".join(COLUMNS)
    stored = await db.fetch(
        f"""
        insert into response_event ({columns})
        select distinct on (sitting_id, attempt_id, device, seq) {columns}
        from staging
        order by sitting_id, attempt_id, device, seq, ord
        on conflict do nothing
        returning sitting_id, attempt_id, device, seq
        """
    )
    await db.execute(CONFLICTS)
    await db.execute("truncate staging")
    return {tuple(row) for row in stored}


async def _miss(db: asyncpg.Connection[asyncpg.Record], record: MissRecord, written: Written) -> None:
    locked = await db.fetchval(
        """
        update participant
        set birth_misses = greatest(birth_misses, $2),
            locked_at = case when $2 >= 3 then coalesce(locked_at, to_timestamp($3 / 1000.0)) else locked_at end
        where id = $1
        returning locked_at is not null
        """,
        *(record.attempt, min(record.misses, 32767), float(record.at_ms)),
    )
    if locked:
        written.news.append(Locked(record.attempt))


def seen_control(event: StoredEvent) -> int | None:
    """The version of the control that an event says was shown; None: it says so of none that can be."""
    if event.kind != Kind.CONTROL or event.value is None:
        return None
    version = int(event.value)
    return version if 0 < version <= MAX_SEQ else None


async def _note(
    db: asyncpg.Connection[asyncpg.Record], saves: list[SaveRecord], memory: Memory, written: Written
) -> None:
    """Finish events, controls that the player says it applied, and what it tried in vain."""
    finished: dict[int, tuple[int, UUID]] = {}
    seen: list[tuple[int, int, int]] = []
    tries: list[tuple[SaveRecord, StoredEvent]] = []
    opened: list[tuple[SaveRecord, StoredEvent]] = []
    for save in saves:
        for event in save.events:
            if event.kind == Kind.FINISH:
                finished[save.attempt] = (save.received_ms, memory.uuid(save.device))
            elif event.kind == Kind.TRIED and event.value is not None:
                tries.append((save, event))
            elif event.kind == Kind.OPENED and event.value is not None:
                opened.append((save, event))
            elif (version := seen_control(event)) is not None:
                seen.append((save.attempt, version, save.received_ms))
    if finished:
        await db.execute(
            """
            update attempt a
            set finished_at = to_timestamp(f.at_ms / 1000.0), finish_device = f.device
            from unnest($1::bigint[], $2::bigint[], $3::uuid[]) as f (id, at_ms, device)
            where a.id = f.id and (a.finished_at is null or a.finished_at < to_timestamp(f.at_ms / 1000.0))
            """,
            list(finished),
            [at_ms for at_ms, _ in finished.values()],
            [device for _, device in finished.values()],
        )
        written.finished = set(finished)
    if seen:
        await db.execute(
            """
            insert into control_seen (attempt_id, version, seen_ms)
            select distinct on (attempt_id, version) attempt_id, version, seen_ms
            from unnest($1::bigint[], $2::int[], $3::bigint[]) as s (attempt_id, version, seen_ms)
            order by attempt_id, version, seen_ms
            on conflict do nothing
            """,
            *([part[place] for part in seen] for place in range(3)),
        )
    if tries:
        await tried(db, tries, memory)
    if opened:
        started = await note_openings(db, opened, memory)
        written.news += started


async def _bury(
    db: asyncpg.Connection[asyncpg.Record],
    stream: int,
    id_ms: int,
    id_seq: int,
    attempt: int | None,
    sqlstate: str,
    reason: str,
    payload: bytes,
) -> None:
    await db.execute(
        """
        insert into dead_letter (stream, id_ms, id_seq, attempt_id, sqlstate, reason, payload)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        *(stream, id_ms, id_seq, attempt, sqlstate, reason.replace("\x00", "")[:2000], payload),
    )
