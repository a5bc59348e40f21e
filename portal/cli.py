"""`elumiti work`: the portal's jobs (imports, cleaning, sleeping roles) in a process of their own."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from infra.local import adopt
from infra.settings import PortalSettings, read
from portal.core.accounts.grants import put_to_sleep
from portal.core.audit.heads import publish_head
from portal.core.db import open_pool
from portal.core.given_back import weigh_for_ever
from portal.core.jobs.worker import worker
from portal.features import WORK
from portal.features.participants.jobs import erase_old_files


def work() -> None:
    """Do the portal's jobs until stopped."""
    adopt("portal")
    asyncio.run(_work(read(PortalSettings)))


async def _work(settings: PortalSettings) -> None:
    pool = await open_pool(settings.database_url, most=6)

    async def daily() -> None:
        now = datetime.now(UTC)
        await erase_old_files(settings.objects, now)
        async with pool.acquire() as db:
            await put_to_sleep(db, now)

    async def hourly() -> None:
        async with pool.acquire() as db:
            await publish_head(db, settings.objects, datetime.now(UTC))

    # Beside the queue and not in it: time is given back while Valkey is away too.
    weighing = asyncio.create_task(weigh_for_ever(pool))
    running = worker(pool, settings, WORK, daily=daily, hourly=hourly)
    ready = os.environ.get("ELUMITI_READY_FILE")
    if ready:
        Path(ready).touch()
    try:
        await running.start()
    finally:
        weighing.cancel()
        await pool.close()
