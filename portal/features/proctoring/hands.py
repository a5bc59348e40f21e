"""Whose hands a child is in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from portal.core.problems import NotThere
from portal.features.proctoring import queries

if TYPE_CHECKING:
    from portal.core.accounts import StaffRequest
    from portal.core.db import Connection


async def mine(request: StaffRequest, db: Connection, attempt: int) -> int:
    """The sitting of a child in one's hands; another's, or nobody's, is not there."""
    actor = request.scope["user"]
    sitting_id = await queries.holds(db, attempt, actor.staff_id, actor.scope("watch.view"))
    if sitting_id is None:
        raise NotThere
    return sitting_id


async def here(request: StaffRequest, db: Connection, attempt: int) -> int:
    """The same, of a page that asks again and again: its proctor is there, and keeps all his children of the sitting."""
    sitting_id = await mine(request, db, attempt)
    await queries.still_here(db, sitting_id, request.scope["user"].staff_id)
    return sitting_id


def now_ms() -> int:
    """Unix milliseconds."""
    return int(time.time() * 1000)
