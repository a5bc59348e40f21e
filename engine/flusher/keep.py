"""Housekeeping of streams: trim what has long been durable, close what nobody writes any more (rule 2)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import structlog

from engine.protocol import Closed, News, stream_key

if TYPE_CHECKING:
    import asyncpg

    from infra.valkey import Valkey

log = structlog.get_logger()

MARGIN_MS = 5 * 60 * 1000
IDLE_CLOSE_S = 15 * 60
UNUSED_CLOSE_S = 2 * 3600

# Atomically: only if its last entry is durable is the stream put out of its writer's reach. A writer that was
# merely idle hears «no such stream» (NOMKSTREAM) and opens a new one; nothing can slip in between. The last entry may
# lie before the position: a promoted replica never had the last ones, and Postgres has.
CLOSE = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #last == 0 then return 'gone' end
local ms, seq = string.match(last[1][1], '^(%d+)-(%d+)$')
ms, seq = tonumber(ms), tonumber(seq)
if ms > tonumber(ARGV[1]) or (ms == tonumber(ARGV[1]) and seq > tonumber(ARGV[2])) then return 'more' end
redis.call('DEL', KEYS[1])
return 'closed'
"""


async def keep_house(db: asyncpg.Connection[asyncpg.Record], valkey: Valkey) -> list[News]:
    """One round over all open streams; returns which were closed, for what lay behind their position is lost."""
    closed: list[News] = []
    rows = await db.fetch(
        """
        select stream, id_ms, id_seq, trimmed_ms, retired_at is not null as retired,
               extract(epoch from now() - opened_at)::float8 as age_s
        from stream_position
        where closed_at is null
        order by stream
        """
    )
    now_ms = time.time_ns() // 1_000_000
    for row in rows:
        idle_s = (now_ms - row["id_ms"]) / 1000
        unused = row["id_ms"] == 0 and (row["age_s"] > UNUSED_CLOSE_S or row["retired"])
        if unused or (
            row["id_ms"] and (row["retired"] or idle_s > IDLE_CLOSE_S or not await _exists(valkey, row["stream"]))
        ):
            if await _close(db, valkey, row["stream"], row["id_ms"], row["id_seq"]):
                closed.append(Closed(row["stream"], row["id_ms"], row["id_seq"]))
        elif row["id_ms"] - MARGIN_MS > row["trimmed_ms"] + MARGIN_MS:
            await _trim(db, valkey, row["stream"], row["id_ms"] - MARGIN_MS)
    return closed


async def _exists(valkey: Valkey, stream: int) -> bool:
    return bool(await valkey.exists(stream_key(stream)))


async def _trim(db: asyncpg.Connection[asyncpg.Record], valkey: Valkey, stream: int, below_ms: int) -> None:
    await db.execute("update stream_position set trimmed_ms = $2 where stream = $1", stream, below_ms)
    await valkey.xtrim(stream_key(stream), minid=f"{below_ms}-0", approximate=True)


async def _close(db: asyncpg.Connection[asyncpg.Record], valkey: Valkey, stream: int, id_ms: int, id_seq: int) -> bool:
    # redis-py types eval as str; with undecoded responses it is an awaitable of bytes.
    outcome: bytes = await cast("Any", valkey.eval(CLOSE, 1, stream_key(stream), id_ms, id_seq))
    if outcome == b"more":
        return False
    await db.execute(
        "update stream_position set closed_at = now() where stream = $1 and id_ms = $2 and id_seq = $3",
        *(stream, id_ms, id_seq),
    )
    log.info("flusher.stream.closed", stream=stream, found=outcome.decode())
    return True
