"""The present password, asked once more in a session. A wrong one counts and rests like one at the door.

Else a session that was left open, or stolen, would be the place to guess the password at leisure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portal.core.accounts import misses
from portal.core.accounts.passwords import verify_password
from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

LONGEST = 200
NOT_PRESENT = N_("This is not your present password. After five misses it rests for five minutes where you sit.")


async def fits(db: Connection, actor: Actor, typed: str) -> bool:
    """Whether it is the actor's password, and does not rest here."""
    stored = await stored_of(db, actor)
    return await settle(db, actor, stored, right=await verify_password(stored, typed[:LONGEST]))


async def stored_of(db: Connection, actor: Actor) -> str | None:
    """What a typed one is held against."""
    return await db.fetchval("select password_hash from staff where id = $1", actor.staff_id)


async def settle(db: Connection, actor: Actor, stored: str | None, *, right: bool) -> bool:
    """Count it; for who holds no connection while Argon2 waits."""
    now = datetime.now(UTC)
    async with db.transaction():
        tries = await misses.lock_tries(db, actor.staff_id, stored or "", actor.address)
        if tries is None or tries.rests(now):
            return False
        await (misses.fitted if right else misses.missed)(db, tries, now)
    return right
