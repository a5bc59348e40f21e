"""`elumiti score-work`: scoring runs that analysts ask for, in the one process that may read the answer keys."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
import structlog
from redis.asyncio import Redis
from saq import Worker
from saq.job import CronJob
from saq.queue.redis import RedisQueue

from infra.errors import PlainError
from infra.local import adopt
from infra.settings import ScoringSettings, read
from portal.core.db import open_pool
from portal.core.jobs import rows
from portal.core.jobs.worker import SCORING_KINDS, SCORING_QUEUE
from scoring.decided import with_decided
from scoring.run import compute, record
from scoring.sealed import score_store
from scoring.snapshot import read_snapshot
from scoring.structs import NotOverError, Parameters

if TYPE_CHECKING:
    from portal.core.db import Pool
    from portal.core.jobs import Job

log = structlog.get_logger()


def work() -> None:
    """Do scoring runs until stopped."""
    adopt("scoring")
    asyncio.run(_work(read(ScoringSettings)))


async def _work(settings: ScoringSettings) -> None:
    pool = await open_pool(settings.database_url, most=3)

    async def run(_context: object, *, job_id: int) -> None:
        await run_one(pool, settings, job_id)

    async def look_for_forgotten(_context: object) -> None:
        async with pool.acquire() as db:
            found = await rows.forgotten(db, sorted(SCORING_KINDS))
        for job_id, _ in found:
            await run_one(pool, settings, job_id)

    worker = Worker(
        RedisQueue(Redis.from_url(settings.valkey_url), SCORING_QUEUE),
        [("run", run), ("look_for_forgotten", look_for_forgotten)],
        concurrency=1,
        cron_jobs=[CronJob(look_for_forgotten, cron="* * * * *")],
        dequeue_timeout=1.0,
    )
    ready = os.environ.get("ELUMITI_READY_FILE")
    if ready:
        Path(ready).touch()
    try:
        await worker.start()
    finally:
        await pool.close()


async def run_one(pool: Pool, settings: ScoringSettings, job_id: int) -> None:
    """Take the job, score, and write its outcome into its row."""
    async with pool.acquire() as db:
        job = await rows.begin(db, job_id)
    if job is None:
        return
    try:
        state, result = "done", await _score(settings, job)
    except NotOverError as error:
        state, result = "failed", {"kind": "not-over", "said": str(error)}
    except PlainError as error:
        state, result = "failed", {"kind": "plain", "said": str(error)}
    except Exception as error:
        log.exception("scoring.job.failed", job=job_id)
        state, result = "failed", {"kind": "bug", "said": type(error).__name__}
    async with pool.acquire() as db:
        await rows.finish(db, job_id, state, result)


async def _score(settings: ScoringSettings, job: Job) -> dict[str, Any]:
    assert job.sitting_id is not None
    parameters = msgspec.convert(job.payload["parameters"], Parameters)
    db = await asyncpg.connect(settings.database_url)
    try:
        parameters = await with_decided(db, job.sitting_id, parameters)
        snapshot = await read_snapshot(db, job.sitting_id, time.time_ns() // 1_000_000)
        run = await asyncio.to_thread(compute, snapshot, parameters)
        async with score_store(settings) as store:
            recorded = await record(db, store, snapshot, run, made_by=job.made_by)
    finally:
        await db.close()
    return {"version": recorded.version}
