"""Who asked for a job is told that it ended, whichever process did it; unless he watched it end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import notices
from portal.core.jobs.titles import home_of, title_of

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

AT_ONCE = 50


async def tell_of_ended(pool: Pool, _settings: PortalSettings) -> bool:
    """One round; True if there may be more at once."""
    async with pool.acquire() as db, db.transaction():
        rows = await db.fetch(
            """
            update job j set told_at = now()
            from (
                select id
                from job
                where told_at is null and state in ('done', 'failed')
                order by id
                limit $1
                for no key update skip locked) ended
            where j.id = ended.id
            returning j.id, j.kind, j.sitting_id, j.payload, j.made_by, j.state
            """,
            AT_ONCE,
        )
        for row in sorted(rows, key=lambda row: row["id"]):
            if row["made_by"] is not None:
                await notices.tell(
                    db,
                    row["made_by"],
                    f"job.{row['state']}",
                    about=row["id"],
                    link=home_of(row["kind"], row["id"], row["sitting_id"], row["payload"]),
                    filled={"job": {"text": title_of(row["kind"])}},
                )
    return len(rows) == AT_ONCE


async def seen(db: Connection, job_id: int, staff_id: int) -> None:
    """Its maker saw it end on the progress card: there is nothing to tell, or it is read."""
    async with db.transaction():
        await db.execute("update job set told_at = now() where id = $1 and told_at is null", job_id)
        for kind in ("job.done", "job.failed"):
            await notices.done_with(db, kind, job_id, staff_id)
