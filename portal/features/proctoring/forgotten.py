"""A pause that its proctor forgot ends by rule: a child must not wait for somebody who went home."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from portal.core import audit, notices
from portal.core.accounts.structs import Scope
from portal.core.controls import order_of
from portal.core.controls.problems import NothingToResume
from portal.core.controls.queries import find_target, insert_control
from portal.core.controls.structs import Wish
from portal.core.projects import enter
from portal.core.sittings import find_head
from portal.features.proctoring import deeds

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

EVERYWHERE = Scope(country=True)


async def end_forgotten(pool: Pool, _settings: PortalSettings) -> bool:
    """One of them; whether there may be more."""
    async with pool.acquire() as db, db.transaction():
        found = await deeds.forgotten(db)
        if found is None:
            return False
        enter(found.project)
        await _end(db, found)
        return True


async def _end(db: Connection, pause: deeds.OpenPause) -> None:
    head = await find_head(db, pause.sitting_id, EVERYWHERE, lock=True)
    attempt = str(pause.attempt_id)
    target = await find_target(db, head.id, "attempt", attempt, EVERYWHERE)
    try:
        made = await order_of(db, head, target, Wish(kind="resume"))
    except NothingToResume:
        # Somebody let the clock go on from another page.
        await deeds.pause_over(db, pause.attempt_id)
        return
    version = await insert_control(db, head.id, "attempt", attempt, made.kind, made.body, None)
    await deeds.pause_over(db, pause.attempt_id)
    await audit.record_for(
        db,
        staff_id=None,
        acting_as="-",
        address="-",
        act="watch.pause.ended-by-rule",
        kind="participant",
        object_id=pause.attempt_id,
        after={"version": version, "body": made.body},
    )
    filled: dict[str, object] = {"minutes": str(deeds.LONGEST_PAUSE // timedelta(minutes=1))}
    link = f"/sittings/{head.id}/wall"
    await notices.tell(db, pause.made_by, "watch.pause-ended", about=pause.id, link=link, filled=filled)
