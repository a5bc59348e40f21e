"""The process beside the ingest: it shows pictures to the portal, checks a sample, keeps scores, erases."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

from infra.database import BY_KEY, require_wanted
from infra.local import decode_key
from infra.migrate import require_current
from proctoring import erasure
from proctoring.blot import blot_some
from proctoring.checks.aside import Aside
from proctoring.checks.sample import look_at_some
from proctoring.look.serve import Look, Pictures
from proctoring.proof import prove_some
from proctoring.risk.keep import score_some
from proctoring.store import open_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.settings import ProctoringSettings

log = structlog.get_logger()

IDLE_S = 1.0
ERASE_EVERY_S = 5.0
DUE_EVERY_S = 60.0


async def run(settings: ProctoringSettings) -> None:
    """Until SIGTERM."""
    task = asyncio.current_task()
    assert task is not None
    # Cancelled, so that the process of the checks is waited for.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    pool = asyncpg.create_pool(
        settings.database_url, min_size=1, max_size=12, command_timeout=60, server_settings=BY_KEY
    )
    async with pool, open_store(settings.objects, settings.picture_bucket) as store:
        async with pool.acquire() as db:
            await require_current(db)
        pictures = Pictures(pool, store, decode_key(settings.picture_kek))
        look = Look(settings, pictures)
        aside = Aside()
        turns = _Turns(pool, look)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(look.serve(_say_ready))
                tasks.create_task(turns.for_ever("checked", lambda db: look_at_some(db, pictures, aside)))
                tasks.create_task(turns.for_ever("scored", score_some))
                tasks.create_task(turns.for_ever("due", lambda db: _due(db, store.bucket), DUE_EVERY_S))
                tasks.create_task(turns.for_ever("erased", lambda db: _erase(db, pictures), ERASE_EVERY_S))
        finally:
            aside.close()


class _Turns:
    """Tasks that go round: at once again while there is work, else after a pause; a failure is said and tried again."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], look: Look) -> None:
        self._pool, self._look = pool, look

    async def for_ever(
        self,
        name: str,
        work: Callable[[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]], Awaitable[int]],
        pause_s: float = IDLE_S,
    ) -> None:
        while True:
            done = 0
            try:
                async with self._pool.acquire(timeout=10) as db:
                    done = await work(db)
                self._look.troubles.pop(name, None)
            except Exception as error:  # noqa: BLE001 (Postgres or the store away: the next turn)
                require_wanted()
                self._look.troubles[name] = f"{type(error).__name__}: {error}"[:300]
                log.warning("proctoring.turn.failed", turn=name, reason=self._look.troubles[name])
            self._look.counts[name] = self._look.counts.get(name, 0) + done
            await asyncio.sleep(0.01 if done else pause_s)


async def _due(db: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], bucket: erasure.Bucket) -> int:
    await bucket.ensure()
    found = await erasure.mark_again(db, bucket)
    await erasure.mark_what_is_due(db)
    if found:
        log.warning("proctoring.erasures.came_back", marks=found)
    return 0


async def _erase(db: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], pictures: Pictures) -> int:
    """One after the other: a segment that is being changed for one picture is not deleted meanwhile."""
    bucket = pictures.store.bucket
    blotted = await blot_some(db, bucket)
    return blotted + await erasure.carry_out(db, bucket) + await prove_some(db, pictures)


async def _say_ready() -> None:
    path = os.environ.get("ELUMITI_READY_FILE")
    if path:
        await asyncio.to_thread(Path(path).touch)
