"""The live view's figures: last contact and answered items of each attempt, written in pieces every few seconds.

In one statement a nation's would be a hundred thousand rows, and the disk that takes them keeps the answers waiting.

They decide nothing. After a restart the count of answered items starts again from what the table says, so it may lag
until the pupil answers more.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from engine.protocol import Kind, SaveRecord

if TYPE_CHECKING:
    import asyncpg

    from engine.flusher.entries import Unit

PIECE = 2500


class Pulse:
    """What changed since the last writing."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}
        self._due: dict[int, tuple[int, int]] = {}
        self._answered: dict[int, int] = {}
        self._bits: dict[tuple[int, int], int] = {}
        self._items: dict[int, int] = {}

    def feel(self, units: list[Unit]) -> None:
        """Note who was heard and what he answered."""
        for unit in units:
            record = unit.record
            if not isinstance(record, SaveRecord):
                continue
            mask = self._answered.get(record.attempt, 0)
            for event in record.events:
                if event.kind == Kind.ANSWER and event.item is not None:
                    bit = 1 << self._bit(record.sitting, event.item)
                    mask = mask & ~bit if event.value == "null" else mask | bit
            self._answered[record.attempt] = mask
            self._seen[record.attempt] = (record.sitting, record.received_ms)

    def _bit(self, sitting: int, item: int) -> int:
        known = self._bits.get((sitting, item))
        if known is None:
            known = self._items.get(sitting, 0)
            # A hostile player may name thousands of items; a form has a few dozen.
            if known >= 400:
                return 400
            self._items[sitting] = known + 1
            self._bits[sitting, item] = known
        return known

    def begin(self) -> None:
        """Let what changed be written, unless the last round is not all written yet: a nation's are rarer."""
        if not self._due:
            self._due, self._seen = self._seen, {}

    async def write(self, db: asyncpg.Connection[asyncpg.Record]) -> None:
        """Write a piece of the round."""
        seen = {attempt: self._due[attempt] for attempt in itertools.islice(self._due, PIECE)}
        if not seen:
            return
        attempts = sorted(seen)
        await db.execute(
            """
            insert into attempt_pulse as p (attempt_id, sitting_id, last_received_ms, answered)
            select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::smallint[])
            on conflict (attempt_id) do update
            set last_received_ms = greatest(p.last_received_ms, excluded.last_received_ms),
                answered = greatest(p.answered, excluded.answered)
            """,
            attempts,
            [seen[attempt][0] for attempt in attempts],
            [seen[attempt][1] for attempt in attempts],
            [self._answered[attempt].bit_count() for attempt in attempts],
        )
        for attempt in attempts:
            del self._due[attempt]
