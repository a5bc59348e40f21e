"""A sitting with a camera whose first pupil's mother agreed to it, as the engine and the ingest know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from tests.support.camera_consent import give_camera, known_person
from tests.support.sittings import make_sitting
from tests.support.watched import watch

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene


async def watched_sitting(stack: Stack, owner_url: str, *, every_s: int) -> tuple[Scene, int]:
    """The sitting, which began two minutes ago, and the first pupil's row of the registry."""
    made = await make_sitting(stack, owner_url, starts_in_s=-120)
    db = await asyncpg.connect(owner_url)
    try:
        await watch(db, made.sitting, every_s=every_s)
        person = await known_person(db, made.seats[0].attempt)
        await give_camera(db, person)
    finally:
        await db.close()
    return made, person
