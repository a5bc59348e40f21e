"""Rows of pictures, keys and events in Postgres: a segment's in one transaction, however often it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proctoring import bounds
from proctoring import keys as wrapping
from proctoring.keys import Key, KeyRing
from proctoring.segments import EVENTS, HEAD, HEAD_BYTES, NAMES, NONCE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import asyncpg

    from infra.database import Db
    from proctoring.segments import Buffer, Entry

# A phone sends a picture again after 120 s: what came sooner after it was taken came for the first time.
AGAIN_MS = 100_000
# A phone's idea of our time is off by less than this; a clock further ahead says nothing of how often it was sent.
AHEAD_MS = 5_000
LOCK = "picture_erase"
PICTURE = (
    *("sitting_id", "attempt_id", "seq", "kind", "taken_ms", "received_ms"),
    *("segment_id", "byte_offset", "byte_length", "key_id"),
)
EVENT = ("sitting_id", "attempt_id", "seq", "kind", "at_ms", "received_ms", "data")
TO_CHECK = ("sitting_id", "attempt_id", "seq", "taken_ms")


class Event(msgspec.Struct, frozen=True):
    """An event as it stands in a segment: the rest of what the phone said is `data`."""

    n: int
    kind: str
    at: int
    data: dict[str, object]


decode_events = msgspec.msgpack.Decoder(list[Event]).decode
encode_events = msgspec.msgpack.Encoder().encode


class Segment(msgspec.Struct, frozen=True):
    """What is to be put down of one segment."""

    id: str
    object_name: str
    size_bytes: int
    entries: list[Entry]
    keys: list[Key]
    events: list[tuple[Entry, list[Event]]]


async def watch_partitions(db: Db, sittings: Iterable[int], known: set[int]) -> None:
    """Tables of these sittings, before the transaction that fills them."""
    for sitting in sorted(set(sittings) - known):
        await db.execute("select make_watch_partition($1)", sitting)
        known.add(sitting)


async def knows(db: Db, segment: str) -> bool:
    """Whether a segment was put down already: then it is in the store too, or was erased there since."""
    return await db.fetchval("select exists (select from picture_segment where id = $1)", segment)


async def opens_newest(db: Db, kek: bytes) -> bool:
    """Whether this is the key that the newest sitting's key was wrapped by; nothing wrapped yet opens with any."""
    row = await db.fetchrow("select sitting_id, wrapped from picture_sitting_key order by sitting_id desc limit 1")
    try:
        return row is None or bool(wrapping.unwrap(row["wrapped"], kek, wrapping.sitting_label(row["sitting_id"])))
    except wrapping.WrongKeyError:
        return False


async def put_down(db: Db, segment: Segment, kek: bytes, wants_check: Callable[[Entry], bool]) -> bool:
    """All rows of a segment, or none; False when they were there already."""
    sittings = sorted({entry.sitting for entry in segment.entries} | {key.sitting for key in segment.keys})
    async with db.transaction():
        # Erasing takes it alone: no key can slip in behind it.
        await db.execute("select pg_advisory_xact_lock_shared(hashtext($1))", LOCK)
        attempts, whole = await _erased(db, sittings)
        pictures = [one for one in segment.entries if one.kind != EVENTS and one.sitting not in whole]
        pictures = [one for one in pictures if one.attempt not in attempts]
        fresh = await db.fetchval(
            """
            insert into picture_segment (id, object_name, size_bytes, pictures)
            values ($1, $2, $3, $4)
            on conflict (id) do nothing
            returning true
            """,
            *(segment.id, segment.object_name, segment.size_bytes, len(pictures)),
        )
        if not fresh:
            return False
        kept = [key for key in segment.keys if key.sitting not in whole and key.attempt not in attempts]
        await _keep_keys(db, kept, kek)
        again = await _sealed(db, pictures)
        rows = await _not_there(db, [one for one in pictures if name_of(one) not in again])
        await _seal_again(db, segment.id, [one for one in pictures if name_of(one) in again])
        await db.copy_records_to_table(
            "picture",
            columns=PICTURE,
            records=[
                (
                    *(one.sitting, one.attempt, one.seq, NAMES[one.kind], one.taken_ms, one.received_ms),
                    *(segment.id, one.offset, one.length, one.key),
                )
                for one in rows
            ],
        )
        await _put_events(db, segment.events, attempts, whole)
        await _count(db, rows)
        await db.executemany(
            "insert into picture_segment_sitting (segment_id, sitting_id) values ($1, $2)",
            [(segment.id, sitting) for sitting in sorted({one.sitting for one in pictures})],
        )
        checked = [one for one in rows if wants_check(one)]
        if checked:
            records = [(one.sitting, one.attempt, one.seq, one.taken_ms) for one in checked]
            await db.copy_records_to_table("picture_to_check", columns=TO_CHECK, records=records)
    return True


async def _erased(db: Db, sittings: list[int]) -> tuple[set[int], set[int]]:
    """Attempts and whole sittings that nothing is put down of any more."""
    rows = await db.fetch(
        "select sitting_id, attempt_id from picture_erasure where sitting_id = any($1::int[])", sittings
    )
    whole = {row["sitting_id"] for row in rows if row["attempt_id"] is None}
    return {row["attempt_id"] for row in rows if row["attempt_id"] is not None}, whole


async def _keep_keys(db: Db, keys: list[Key], kek: bytes) -> None:
    of_sitting = {
        sitting: AESGCM(await sitting_key(db, sitting, kek)) for sitting in sorted({key.sitting for key in keys})
    }
    await db.execute(
        """
        insert into picture_key (id, attempt_id, sitting_id, wrapped)
        select * from unnest($1::bytea[], $2::bigint[], $3::int[], $4::bytea[])
        on conflict (id) do nothing
        """,
        [key.id for key in keys],
        [key.attempt for key in keys],
        [key.sitting for key in keys],
        [
            wrapping.wrap(key.secret, of_sitting[key.sitting], wrapping.label_of(key.id, key.attempt, key.sitting))
            for key in keys
        ],
    )


async def sitting_key(db: Db, sitting: int, kek: bytes) -> bytes:
    """The sitting's key, made by whoever comes first."""
    label = wrapping.sitting_label(sitting)
    select = "select wrapped from picture_sitting_key where sitting_id = $1"
    wrapped = await db.fetchval(select, sitting)
    if wrapped is None:
        drawn = wrapping.wrap(wrapping.draw(0, sitting).secret, AESGCM(kek), label)
        insert = "insert into picture_sitting_key (sitting_id, wrapped) values ($1, $2) on conflict do nothing"
        await db.execute(insert, sitting, drawn)
        wrapped = await db.fetchval(select, sitting)
    return wrapping.unwrap(wrapped, kek, label)


async def find_key(db: Db, key_id: bytes, kek: bytes) -> Key | None:
    """A key from Postgres; None when it was erased, or its sitting's."""
    row = await db.fetchrow(
        """
        select k.attempt_id, k.sitting_id, k.wrapped, s.wrapped as by
        from picture_key k
        join picture_sitting_key s on s.sitting_id = k.sitting_id
        where k.id = $1
        """,
        key_id,
    )
    return (
        None if row is None else unwrapped(key_id, row["attempt_id"], row["sitting_id"], row["wrapped"], row["by"], kek)
    )


def unwrapped(key_id: bytes, attempt: int, sitting: int, wrapped: bytes, by: bytes, kek: bytes) -> Key:
    """A key from its own wrapping and its sitting's."""
    of_sitting = wrapping.unwrap(by, kek, wrapping.sitting_label(sitting))
    return Key(
        key_id, wrapping.unwrap(wrapped, of_sitting, wrapping.label_of(key_id, attempt, sitting)), attempt, sitting
    )


def name_of(picture: Entry) -> tuple[int, int, int]:
    """What is the same of a picture that was sent twice."""
    return picture.attempt, picture.seq, picture.taken_ms


async def _sealed(db: Db, pictures: list[Entry]) -> set[tuple[int, int, int]]:
    """Names of pictures that should not be seen: sent once more they are so again."""
    rows = await db.fetch(
        "select attempt_id, seq, taken_ms from picture_seal where attempt_id = any($1::bigint[]) and state <> 'unsealed'",
        sorted({one.attempt for one in pictures}),
    )
    return {tuple(row) for row in rows}


async def _seal_again(db: Db, segment: str, pictures: list[Entry]) -> None:
    """They get a row, so that these bytes too become zeros if the officer said so (proctoring/blot.py)."""
    for one in pictures:
        await db.execute(
            f"""
            insert into picture ({", ".join(PICTURE)}, sealed_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())
            """,
            *(one.sitting, one.attempt, one.seq, NAMES[one.kind], one.taken_ms, one.received_ms),
            *(segment, one.offset, one.length, one.key),
        )
        await db.execute(
            """
            update picture_seal set erased_at = null
            where attempt_id = $1 and seq = $2 and taken_ms = $3 and state = 'erase'
            """,
            *name_of(one),
        )


async def _not_there(db: Db, pictures: list[Entry]) -> list[Entry]:
    """Those that are not put down yet: of pictures that a phone may have sent before, the index is asked."""
    seen: set[tuple[int, int, int]] = set()
    found: list[Entry] = []
    late: list[Entry] = []
    for one in pictures:
        name = name_of(one)
        if name in seen:
            continue
        seen.add(name)
        (found if -AHEAD_MS <= one.received_ms - one.taken_ms <= AGAIN_MS else late).append(one)
    if late:
        there: list[asyncpg.Record] = await db.fetch(
            """
            select p.attempt_id, p.seq, p.taken_ms
            from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as l (sitting, attempt, seq, taken)
            join picture p
                on p.sitting_id = l.sitting and p.attempt_id = l.attempt and p.taken_ms = l.taken and p.seq = l.seq
            """,
            [one.sitting for one in late],
            [one.attempt for one in late],
            [one.seq for one in late],
            [one.taken_ms for one in late],
        )
        known = {tuple(row) for row in there}
        found += [one for one in late if name_of(one) not in known]
    return found


async def _count(db: Db, pictures: list[Entry]) -> None:
    """How many pictures of each attempt there are and when the last was taken: what a wall of tiles asks all the time."""
    seen: dict[int, tuple[int, int, int]] = {}
    for one in pictures:
        sitting, count, last_ms = seen.get(one.attempt, (one.sitting, 0, 0))
        seen[one.attempt] = (sitting, count + 1, max(last_ms, one.taken_ms))
    # In the order of attempts, as everybody who touches several: no two wait for each other.
    order = sorted(seen)
    await db.execute(
        """
        insert into watch_score as s (attempt_id, sitting_id, score, reasons, pictures, last_picture_ms)
        select attempt, sitting, 0, '[]', pictures, last_ms
        from unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[]) as n (attempt, sitting, pictures, last_ms)
        on conflict (attempt_id) do update
        set pictures = s.pictures + excluded.pictures,
            last_picture_ms = greatest(s.last_picture_ms, excluded.last_picture_ms)
        """,
        order,
        *([seen[attempt][part] for attempt in order] for part in range(3)),
    )


async def _put_events(db: Db, told: list[tuple[Entry, list[Event]]], attempts: set[int], whole: set[int]) -> None:
    """Events are few: each is looked up, for a phone sends them again until it hears of them."""
    rows = [
        (entry.sitting, entry.attempt, event.n, event.kind, event.at, entry.received_ms, event.data)
        for entry, events in told
        if entry.attempt not in attempts and entry.sitting not in whole
        for event in events
    ]
    rows = await bounds.within(db, rows)
    await db.executemany(
        """
        insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms, data)
        select $1, $2, $3, $4, $5, $6, $7::jsonb
        where not exists (
            select from watch_event w
            where w.sitting_id = $1 and w.attempt_id = $2 and w.at_ms = $5 and w.seq = $3 and w.kind = $4)
        """,
        [(*row[:6], msgspec.json.encode(row[6]).decode()) for row in rows],
    )
    touched = sorted({(row[0], row[1]) for row in rows})
    await db.executemany("insert into watch_to_score (sitting_id, attempt_id) values ($1, $2)", touched)


def opened(segment: Buffer, entry: Entry, secret: bytes) -> bytes:
    """What an entry seals; InvalidTag when it is not what was sealed."""
    view = memoryview(segment)
    head = bytes(view[entry.offset - HEAD_BYTES : entry.offset - HEAD_BYTES + HEAD.size])
    return unsealed(bytes(view[entry.offset : entry.offset + entry.length]), head, secret)


def unsealed(blob: bytes, head: bytes, secret: bytes) -> bytes:
    """The plain bytes of nonce, ciphertext and tag under this head."""
    return AESGCM(secret).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], head)


async def events_of(
    db: Db, segment: Buffer, found: list[Entry], ring: KeyRing, keys: Iterable[Key], kek: bytes
) -> list[tuple[Entry, list[Event]]]:
    """The events of a segment, read with the keys that are at hand, else with Postgres'. Erased ones are left out."""
    by_id = {key.id: key for key in keys}
    told: list[tuple[Entry, list[Event]]] = []
    for entry in found:
        if entry.kind != EVENTS:
            continue
        key = by_id.get(entry.key) or ring.by_id(entry.key) or await find_key(db, entry.key, kek)
        if key is None:
            continue
        try:
            told.append((entry, decode_events(opened(segment, entry, key.secret))))
        except InvalidTag:
            continue
    return told
