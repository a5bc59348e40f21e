"""What the machine does during a run: CPU and memory of each process, how far Postgres is behind the streams."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import psutil
from redis.exceptions import RedisError

from engine.protocol import stream_key
from infra.database import AWAY
from infra.valkey import beyond
from loadtest.bench.cpu import megabytes_of, seconds_of, trees

if TYPE_CHECKING:
    import redis.asyncio

    from loadtest.nation.drive import Driver

EVERY_S = 2.0


class Sample(msgspec.Struct, kw_only=True):
    """One look. `cpu` is seconds taken by each process so far, `rss_mb` what it holds; lag is in seconds."""

    at_s: float
    cpu: dict[str, float]
    rss_mb: dict[str, float]
    idle: float
    lag_s: float
    valkey_mb: float
    answers: int
    waiting: int
    flying: int


class Watch:
    """Looks every two seconds, until cancelled. Looking costs a few milliseconds of the generator's core."""

    def __init__(self, pids: dict[str, int], owner_url: str, valkey: redis.asyncio.Redis, driver: Driver) -> None:
        self.samples: list[Sample] = []
        self._pids = pids
        self._owner_url = owner_url
        self._valkey = valkey
        self._driver = driver

    async def run(self) -> None:
        """Look until cancelled."""
        psutil.cpu_percent()
        while True:
            await asyncio.sleep(EVERY_S)
            self.samples.append(await self._look())

    async def _look(self) -> Sample:
        found = trees(self._pids)
        cpu = {name: seconds_of(tree) for name, tree in found.items()}
        cpu["generator"] = time.process_time()
        lag, memory = -1.0, -1.0
        with contextlib.suppress(*AWAY, RedisError):
            async with asyncio.timeout(1.5):
                lag, memory = await self._lag()
        return Sample(
            at_s=self._driver.now(),
            cpu=cpu,
            rss_mb={name: megabytes_of(tree) for name, tree in found.items()}
            | {"generator": megabytes_of([psutil.Process()])},
            idle=100 - psutil.cpu_percent(),
            lag_s=lag,
            valkey_mb=memory,
            answers=self._driver.record.answers,
            waiting=self._driver.waiting,
            flying=self._driver.flying,
        )

    async def _lag(self) -> tuple[float, float]:
        """Seconds from the oldest entry that is not in Postgres to the newest, of the worst stream; MB in Valkey."""
        db = await asyncpg.connect(self._owner_url, timeout=1)
        try:
            rows = await db.fetch("select stream, id_ms, id_seq from stream_position where closed_at is null")
        finally:
            await db.close(timeout=1)
        positions = {stream_key(row["stream"]): (row["id_ms"], row["id_seq"]) for row in rows}
        lag_ms = max([0, *(newest - first for first, newest in await beyond(self._valkey, positions))])
        memory = await self._valkey.info("memory")
        return lag_ms / 1000, memory["used_memory"] / 2**20
