"""Published points go from the run's table in the object store into rows by attempt, so that a pupil's page reads a row.

Nothing is taken of a run that is not published: before that no figure that depends on a key is anybody's (SAFETY J6).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from infra.objects import open_bucket
from scoring.artefacts import read_parquet

if TYPE_CHECKING:
    from asyncpg import Record

    from infra.settings import PortalSettings
    from portal.core.db import Pool

log = structlog.get_logger()
COLUMNS = ("attempt_id", "run_id", "raw", "max_points", "scaled", "percentile")
# The names that a run's table has for them.
OF_RUN = ("attempt_id", "raw", "max_points", "scaled_0_100", "percentile_rank")
_broken: set[int] = set()


async def take_published(pool: Pool, settings: PortalSettings) -> bool:
    """A round of the worker: one run; True if there may be more at once."""
    async with pool.acquire() as db:
        run = await db.fetchrow(
            """
            select r.id, r.sitting_id, r.version
            from (
                select distinct on (sitting_id) id, sitting_id, version
                from score_run
                where published_at is not null
                order by sitting_id, version desc) r
            where not exists (select from result_run t where t.run_id = r.id) and r.id <> all ($1::bigint[])
            order by r.id
            limit 1
            """,
            list(_broken),
        )
        if run is None:
            return False
        rows = await _rows(settings, run)
        if rows is None:
            # Said once a process; the run's page says it to whoever opens it.
            _broken.add(run["id"])
            log.error("results.run.lost", run=run["id"])
            return True
        async with db.transaction():
            if await db.fetchval(
                "insert into result_run (run_id) values ($1) on conflict do nothing returning run_id", run["id"]
            ):
                await db.execute(
                    "delete from result where run_id in (select id from score_run where sitting_id = $1)",
                    run["sitting_id"],
                    timeout=600,
                )
                await db.copy_records_to_table("result", records=rows, columns=COLUMNS, timeout=600)
    return True


async def _rows(settings: PortalSettings, run: Record) -> list[tuple[object, ...]] | None:
    async with open_bucket(settings.objects, settings.score_bucket) as bucket:
        body = await bucket.get(f"sittings/{run['sitting_id']}/runs/{run['version']:04d}/scores.parquet")
    if body is None:
        return None
    table = await asyncio.to_thread(read_parquet, body)
    if not set(OF_RUN) <= set(table.columns):
        return None
    return [(attempt, run["id"], *figures) for attempt, *figures in table.select(OF_RUN).iter_rows()]
