"""The queue and its worker. What a job does is a function of its feature; a failure is a sentence in its row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from redis.asyncio import Redis
from saq import Worker
from saq.job import CronJob
from saq.queue.redis import RedisQueue

from infra.errors import PlainError
from infra.valkey import connect
from portal.core.i18n import speak
from portal.core.jobs import rows
from portal.core.problems import Problem
from portal.core.projects import PROJECT, enter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from infra.settings import PortalSettings
    from portal.core.db import Pool
    from portal.core.jobs.rows import Job

log = structlog.get_logger()
PORTAL_QUEUE = "portal"
SCORING_QUEUE = "scoring"
LONGEST_S = 3600
# Kinds that the scoring process does: the one that may read the answer keys.
SCORING_KINDS = frozenset({"score"})


class Context(msgspec.Struct, frozen=True):
    """What a job gets."""

    pool: Pool
    settings: PortalSettings
    job: Job

    async def progress(self, done: int, total: int) -> None:
        """Tell how far it is."""
        async with self.pool.acquire() as db:
            await rows.progress(db, self.job.id, done, total)


if TYPE_CHECKING:
    Work = Callable[[Context], Awaitable[dict[str, Any]]]
else:
    Work = object


class Queues:
    """Sending jobs. A Valkey that is away delays a job (the worker looks for forgotten ones) and fails nobody.

    `streams`: the Valkey where the answers pass, for those who look at them; the same server unless settings say another.
    """

    def __init__(self, url: str, streams_url: str = "") -> None:
        self.redis = Redis.from_url(url, socket_connect_timeout=2)
        self.streams = connect(streams_url or url)
        self._queues = {name: RedisQueue(self.redis, name) for name in (PORTAL_QUEUE, SCORING_QUEUE)}

    async def send(self, job_id: int, kind: str) -> None:
        """Hand a committed job over; the same id twice is one job."""
        queue = self._queues[SCORING_QUEUE if kind in SCORING_KINDS else PORTAL_QUEUE]
        try:
            await queue.enqueue("run", key=f"job-{job_id}", job_id=job_id, timeout=LONGEST_S, retries=1)
        except Exception as error:  # noqa: BLE001 (whatever Valkey says, the row stays and is sent again)
            log.warning("jobs.send.failed", job=job_id, error=repr(error))

    async def close(self) -> None:
        """Let the connection go."""
        await self.redis.aclose()
        await self.streams.aclose()


async def run_one(pool: Pool, settings: PortalSettings, kinds: Mapping[str, Work], job_id: int) -> None:
    """Do one job, whatever it says in the queue; the row's state decides whether it is still to be done."""
    async with pool.acquire() as db:
        job = await rows.begin(db, job_id)
        if job is None:
            return
        enter(await db.fetchval("select project from sitting where id = $1", job.sitting_id) or PROJECT)
        speak(await db.fetchval("select language from staff where id = $1", job.made_by) or "kk")
    state, result = "done", {}
    try:
        result = await kinds[job.kind](Context(pool, settings, job))
    except Problem as problem:
        state, result = "failed", {"problem": problem.code, "values": {k: str(v) for k, v in problem.values.items()}}
    except PlainError as error:
        state, result = "failed", {"said": str(error)}
    except Exception as error:
        log.exception("jobs.job.failed", job=job_id, kind=job.kind)
        state, result = "failed", {"bug": type(error).__name__}
    async with pool.acquire() as db:
        await rows.finish(db, job_id, state, result)


def worker(
    pool: Pool,
    settings: PortalSettings,
    kinds: Mapping[str, Work],
    *,
    daily: Callable[[], Awaitable[None]],
    hourly: Callable[[], Awaitable[None]],
) -> Worker:
    """The worker of the portal's queue."""
    redis = Redis.from_url(settings.valkey_url)
    queue = RedisQueue(redis, PORTAL_QUEUE)

    async def run(_context: object, *, job_id: int) -> None:
        await run_one(pool, settings, kinds, job_id)

    async def look_for_forgotten(_context: object) -> None:
        async with pool.acquire() as db:
            found = await rows.forgotten(db, sorted(kinds))
        for job_id, _ in found:
            await asyncio.shield(run_one(pool, settings, kinds, job_id))

    async def clean(_context: object) -> None:
        await daily()

    async def publish(_context: object) -> None:
        await hourly()

    return Worker(
        queue,
        [("run", run), ("look_for_forgotten", look_for_forgotten), ("clean", clean), ("publish", publish)],
        concurrency=2,
        cron_jobs=[
            CronJob(look_for_forgotten, cron="* * * * *"),
            CronJob(clean, cron="17 3 * * *"),
            CronJob(publish, cron="3 * * * *"),
        ],
        dequeue_timeout=1.0,
    )
