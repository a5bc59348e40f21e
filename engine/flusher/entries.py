"""Reading streams: entries after the position in Postgres, decoded; what can't be decoded is kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.protocol import Record, stream_key

if TYPE_CHECKING:
    import asyncpg
    import redis.asyncio

decode_entry = msgspec.msgpack.Decoder(list[Record]).decode


class StreamAt(msgspec.Struct, frozen=True, gc=False):
    """A stream and its position: the last entry that is in Postgres."""

    stream: int
    id_ms: int
    id_seq: int


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A record and the entry it came in: the smallest thing that can become a dead letter."""

    stream: int
    id_ms: int
    id_seq: int
    record: Record


class Poison(msgspec.Struct, frozen=True):
    """An entry that is not what we write."""

    stream: int
    id_ms: int
    id_seq: int
    reason: str
    payload: bytes


class Taken(msgspec.Struct, frozen=True):
    """What one round read. `moves`: (old, new) position of each stream that had entries."""

    units: list[Unit]
    poison: list[Poison]
    moves: list[tuple[StreamAt, StreamAt]]
    drained: bool


async def open_streams(db: asyncpg.Connection[asyncpg.Record]) -> list[StreamAt]:
    """Streams that may still have entries to read, with their positions: from Postgres, never from memory."""
    rows = await db.fetch("select stream, id_ms, id_seq from stream_position where closed_at is null order by stream")
    return [StreamAt(row["stream"], row["id_ms"], row["id_seq"]) for row in rows]


async def take(valkey: redis.asyncio.Redis, streams: list[StreamAt], count: int) -> Taken:
    """Read up to `count` entries of each stream after its position. `drained`: none has more."""
    if not streams:
        return Taken([], [], [], drained=True)
    # redis-py's own type of the argument is an invariant dict of unions.
    wanted: dict[Any, Any] = {stream_key(at.stream): f"{at.id_ms}-{at.id_seq}" for at in streams}
    by_key = {stream_key(at.stream).encode(): at for at in streams}
    answer = await valkey.xread(wanted, count=count)
    units: list[Unit] = []
    poison: list[Poison] = []
    moves: list[tuple[StreamAt, StreamAt]] = []
    drained = True
    for key, entries in answer or []:
        at = by_key[bytes(key)]
        id_ms, id_seq = at.id_ms, at.id_seq
        for entry_id, fields in entries:
            id_ms, id_seq = (int(part) for part in entry_id.split(b"-"))
            body = fields.get(b"b")
            if body is None:
                # The entry that opens a stream.
                continue
            try:
                records = decode_entry(body)
            except msgspec.DecodeError as error:
                poison.append(Poison(at.stream, id_ms, id_seq, str(error), body))
                continue
            units.extend([Unit(at.stream, id_ms, id_seq, record) for record in records])
        moves.append((at, StreamAt(at.stream, id_ms, id_seq)))
        drained = drained and len(entries) < count
    # Rows are locked in the order of their numbers, so two flushers cannot lock each other out.
    moves.sort(key=lambda move: move[0].stream)
    return Taken(units, poison, moves, drained)
