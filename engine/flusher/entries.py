"""Reading streams: entries after the position in Postgres, decoded; what can't be decoded is kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.protocol import Record, stream_key
from infra.valkey import read_after

if TYPE_CHECKING:
    import asyncpg

    from infra.valkey import Valkey

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
    """What one round read. `moves`: (old, new) position of each stream that had entries.

    `trouble`: a shard of the cluster could not be read; what the others gave is here.
    """

    units: list[Unit]
    poison: list[Poison]
    moves: list[tuple[StreamAt, StreamAt]]
    drained: bool
    trouble: Exception | None = None


async def open_streams(db: asyncpg.Connection[asyncpg.Record]) -> list[StreamAt]:
    """Streams that may still have entries to read, with their positions: from Postgres, never from memory."""
    rows = await db.fetch("select stream, id_ms, id_seq from stream_position where closed_at is null order by stream")
    return [StreamAt(row["stream"], row["id_ms"], row["id_seq"]) for row in rows]


async def take(valkey: Valkey, streams: list[StreamAt], count: int) -> Taken:
    """Read up to `count` entries of each stream after its position. `drained`: none has more."""
    if not streams:
        return Taken([], [], [], drained=True)
    wanted = {stream_key(at.stream): f"{at.id_ms}-{at.id_seq}" for at in streams}
    by_key = {stream_key(at.stream).encode(): at for at in streams}
    read = await read_after(valkey, wanted, count)
    units: list[Unit] = []
    poison: list[Poison] = []
    moves: list[tuple[StreamAt, StreamAt]] = []
    drained = read.trouble is None
    for key, entries in read.entries:
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
    return Taken(units, poison, moves, drained, read.trouble)
