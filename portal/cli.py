"""`elumiti work`: the portal's jobs (imports, mail, cleaning) in a process of their own."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from infra.local import adopt
from infra.settings import PortalSettings, read
from portal.core import notices
from portal.core.accounts import links
from portal.core.accounts.ending import tell_of_ending
from portal.core.accounts.resets import answer_asks
from portal.core.audit.archive import archive
from portal.core.audit.heads import publish_head
from portal.core.db import open_pool
from portal.core.given_back import weigh_for_ever
from portal.core.jobs.telling import tell_of_ended
from portal.core.jobs.worker import worker
from portal.core.post import outbox
from portal.core.post.rounds import go_round
from portal.core.post.sender import send_due
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
        async with pool.acquire() as db:
            await tell_of_ending(db, now)
            await notices.erase_old(db)
            await outbox.erase_old(db)
            await links.erase_old(db, now)
            await archive(db, settings.objects)
        await erase_old_files(settings.objects, now)

    async def hourly() -> None:
        async with pool.acquire() as db:
            await publish_head(db, settings.objects, datetime.now(UTC))

    # Beside the queue and not in it: time is given back, and letters go out, while Valkey is away too.
    beside = [
        asyncio.create_task(weigh_for_ever(pool)),
        asyncio.create_task(go_round(pool, settings, (answer_asks, tell_of_ended, send_due))),
    ]
    running = worker(pool, settings, WORK, daily=daily, hourly=hourly)
    ready = os.environ.get("ELUMITI_READY_FILE")
    if ready:
        Path(ready).touch()
    try:
        await running.start()
    finally:
        for task in beside:
            task.cancel()
        await pool.close()
