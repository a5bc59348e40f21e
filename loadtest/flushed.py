"""Waiting until the flusher has taken in what the streams hold."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg


async def until_flushed(db: asyncpg.Connection[asyncpg.Record], limit_s: float = math.inf) -> None:
    """Returns when no stream's position has moved for a second, or after the limit."""
    end = time.monotonic() + limit_s
    before = -1
    while before != (now := await db.fetchval("select coalesce(sum(id_ms), 0)::bigint from stream_position")):
        if time.monotonic() > end:
            return
        before = now
        await asyncio.sleep(1)
