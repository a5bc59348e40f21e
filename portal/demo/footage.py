"""Puts drawn pictures and events down as the ingest does: one segment, a key for each child, rows in one transaction."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import msgspec

from infra.local import decode_key
from infra.objects import open_bucket
from proctoring import index, keys, segments
from proctoring.risk.keep import score_some
from proctoring.store import object_name

if TYPE_CHECKING:
    import asyncpg

    from infra.settings import ProctoringSettings


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What one phone sent: pictures as (kind, seq, taken, bytes), and events."""

    attempt: int
    pictures: list[tuple[str, int, int, bytes]]
    events: list[index.Event]


async def put_down(
    db: asyncpg.Connection[asyncpg.Record],
    settings: ProctoringSettings,
    sitting: int,
    sent: list[Sent],
    known: dict[int, keys.Key] | None = None,
) -> None:
    """Into the object store, then into the tables; the scores are worked out at once.

    `known`: the keys of attempts by a run before, kept by who comes again.
    Nothing of it is checked by a machine: that would see that it is drawn.
    """
    segment_id, kek = uuid.uuid4(), decode_key(settings.picture_kek)
    name = str(segment_id)
    known = {} if known is None else known
    pieces: list[bytes] = []
    drawn: list[keys.Key] = []
    for phone in sent:
        key = known[phone.attempt] = known.get(phone.attempt) or keys.draw(phone.attempt, sitting)
        drawn.append(key)
        pieces += [_entry(key, kind, seq, at, body) for kind, seq, at, body in phone.pictures]
        if phone.events:
            told = index.encode_events(phone.events)
            pieces.append(_entry(key, "events", 1, phone.events[-1].at, told))
    group = bytearray(segments.MARK_BYTES) + b"".join(pieces)
    segments.mark(memoryview(group), segment_id.bytes)
    body = bytes(group)
    async with open_bucket(settings.objects, settings.picture_bucket) as bucket:
        await bucket.ensure()
        await bucket.put(object_name(name), body)
    found = list(segments.entries(body))
    events = await index.events_of(db, body, found, keys.KeyRing(), drawn, kek)
    segment = index.Segment(name, object_name(name), len(body), found, drawn, events)
    await index.put_down(db, segment, kek, lambda _entry: False)
    while await score_some(db):
        pass


def _entry(key: keys.Key, kind: str, seq: int, at_ms: int, body: bytes) -> bytes:
    """One sealed entry; it came a second after it was made."""
    entry = bytearray(segments.entry_bytes(len(body)))
    nonce = os.urandom(segments.NONCE_BYTES)
    segments.seal_into(memoryview(entry), key, segments.KINDS[kind], seq, at_ms, at_ms + 1000, body, nonce)
    return bytes(entry)
