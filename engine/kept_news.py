"""News as Postgres holds them: all of them for a board that is rebuilt, the newest for a flusher to tell once more."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from engine.protocol import FULL, Full, NewestDevice, News, Sealed, Started
from infra.breath import rows_in_pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from infra.database import Db


async def written_news(
    db: Db, sittings: list[int], lately_s: float | None = None, *, hurry: bool = False
) -> AsyncIterator[News]:
    """What rounds write: devices in the order of their epochs, starts, used-up limits; of the last seconds or of all time.

    `hurry`: nobody's requests wait meanwhile.
    """
    async for row in _rows(db, DEVICES, DEVICES_LATELY, sittings, lately_s, hurry=hurry):
        yield NewestDevice(row["attempt_id"], row["device"].bytes, row["epoch"], row["first_seen_ms"])
    async for row in _rows(db, STARTS, "and s.at > now() - $2::interval", sittings, lately_s, hurry=hurry):
        yield Started(row["id"], row["started_ms"], row["leg"])
    async for row in _rows(db, LIMITS, f"and l.newest_ms > {SINCE_MS}", sittings, lately_s, hurry=hurry):
        if row["name"] in FULL:
            yield Full(row["attempt_id"], row["name"])


async def sealed_news(
    db: Db, sittings: list[int], lately_s: float | None = None, *, hurry: bool = False
) -> AsyncIterator[News]:
    """Final receipts."""
    async for row in _rows(db, SEALS, "and sealed_at > now() - $2::interval", sittings, lately_s, hurry=hurry):
        yield Sealed(row["attempt_id"], row["code"], row["at_ms"], row["answered"])


async def _rows(
    db: Db, query: str, lately: str, sittings: list[int], lately_s: float | None, *, hurry: bool
) -> AsyncIterator[asyncpg.Record]:
    """Piece by piece: a worker that reads a nation again (Valkey was away, a sitting is new) goes on saving meanwhile."""
    query = query.format(lately="" if lately_s is None else lately)
    since = () if lately_s is None else (dt.timedelta(seconds=lately_s),)
    async with db.transaction(readonly=True):
        async for rows in rows_in_pieces(db, query, sittings, *since, hurry=hurry):
            for row in rows:
                yield row


SINCE_MS = "extract(epoch from now() - $2::interval) * 1000"

DEVICES = """
    select d.attempt_id, d.device, d.epoch, d.first_seen_ms
    from attempt_device d
    join attempt a on a.id = d.attempt_id
    where a.sitting_id = any($1::int[]) {lately}
    order by d.attempt_id, d.epoch
"""
# A hold gives an old device a new epoch (SAFETY J4): of an attempt that changed, all devices are told.
DEVICES_LATELY = f"""
    and (exists (select 1 from attempt_device n where n.attempt_id = a.id and n.first_seen_ms > {SINCE_MS})
         or exists (select 1 from device_hold h where h.attempt_id = a.id and h.newest_ms > {SINCE_MS}))
"""

STARTS = """
    select a.id, (extract(epoch from s.at) * 1000)::bigint as started_ms, s.leg
    from attempt a
    cross join lateral (values (0, a.started_at), (1, a.restarted_at)) as s (leg, at)
    where a.sitting_id = any($1::int[]) and s.at is not null {lately}
"""

LIMITS = """
    select l.attempt_id, l.name
    from attempt_limit l
    join attempt a on a.id = l.attempt_id
    where a.sitting_id = any($1::int[]) {lately}
"""

SEALS = """
    select attempt_id, code, coalesce(answered, finish_seq - 1) as answered,
           (extract(epoch from sealed_at) * 1000)::bigint as at_ms
    from seal
    where sitting_id = any($1::int[]) {lately}
"""
