"""Bounds of one pupil, as the flusher keeps them: what the engines refused, and whose events Postgres refuses (SAFETY M2).

A pupil one of whose events became a dead letter is stored apart from then on, so that looking for the next one stops
nobody else's batch. Beyond the cap his records are not taken apart any more: what fails is kept whole, as one letter a
round, and the engines take no more of him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.protocol import FULL, Full, LimitRecord

if TYPE_CHECKING:
    import asyncpg

    from engine.flusher.entries import Unit
    from engine.protocol import News, OverLimit

log = structlog.get_logger()

# Dead letters of one attempt that are looked for one by one: a fault of ours shows in a few.
POISON_CAP = 20


class Poisoned:
    """Dead letters by attempt, as far as this flusher remembers: forgetting costs a few more searches."""

    def __init__(self) -> None:
        self.letters: dict[int, int] = {}

    def add(self, attempt: int) -> None:
        """One more."""
        self.letters[attempt] = self.letters.get(attempt, 0) + 1

    def is_capped(self, attempt: int) -> bool:
        """Whether his records are not taken apart any more."""
        return self.letters.get(attempt, 0) >= POISON_CAP

    def apart(self, units: list[Unit]) -> list[list[Unit]]:
        """Everybody's units together, then those of each suspect alone; empty groups are left out."""
        if not self.letters:
            return [units] if units else []
        calm: list[Unit] = []
        suspects: dict[int, list[Unit]] = {}
        for unit in units:
            if unit.record.attempt in self.letters:
                suspects.setdefault(unit.record.attempt, []).append(unit)
            else:
                calm.append(unit)
        return [group for group in (calm, *suspects.values()) if group]


async def note_limits(db: asyncpg.Connection[asyncpg.Record], units: list[Unit]) -> list[News]:
    """Put refusals on record; a limit that is used up for good is told to every engine."""
    news: list[News] = []
    for unit in units:
        record = unit.record
        if isinstance(record, LimitRecord):
            log.info("flusher.limit.crossed", attempt=record.attempt, limit=record.limit, times=record.times)
            news += await cross(db, record.attempt, record.limit, record.at_ms, record.times)
    return news


async def cross(
    db: asyncpg.Connection[asyncpg.Record], attempt: int, limit: OverLimit, at_ms: int, times: int
) -> list[News]:
    """So many refusals more of an attempt for one reason."""
    await db.execute(CROSSED, attempt, limit, at_ms, times)
    return [Full(attempt, limit)] if limit in FULL else []


CROSSED = """
    insert into attempt_limit as l (attempt_id, name, first_ms, newest_ms, times)
    values ($1, $2, $3, $3, $4)
    on conflict (attempt_id, name) do update
    set first_ms = least(l.first_ms, excluded.first_ms), newest_ms = greatest(l.newest_ms, excluded.newest_ms),
        times = l.times + excluded.times
"""
