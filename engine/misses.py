"""Sign-ins that failed, counted by the minute over all workers and machines (SAFETY J3).

A worker counts in memory and adds to Valkey's minute every few seconds, so no sign-in waits for it; the portal adds up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from engine.protocol import MISS_MINUTES_KEPT, miss_key

if TYPE_CHECKING:
    from infra.valkey import Valkey

log = structlog.get_logger()

TELL_EVERY_S = 2.0


class Misses:
    """This worker's failed sign-ins that Valkey has not heard of yet."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, code: str, sitting: int = 0) -> None:
        """One more; sitting 0 where nobody knows which one was meant (an unknown code)."""
        self._counts[f"{code}:{sitting}"] += 1

    async def tell_for_ever(self, valkey: Valkey) -> None:
        """Add the counts to the minute; while Valkey is away they wait here and go into a later minute."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            if not self._counts:
                continue
            told, self._counts = self._counts, Counter()
            key = miss_key(int(time.time() // 60))
            try:
                async with valkey.pipeline(transaction=True) as pipe:
                    for field, count in told.items():
                        pipe.hincrby(key, field, count)
                    pipe.expire(key, 60 * MISS_MINUTES_KEPT)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                self._counts.update(told)
                log.warning("engine.misses.not_told", reason=str(error))
