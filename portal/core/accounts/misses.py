"""Wrong passwords: they rest a login at the address they came from, so that nobody elsewhere keeps its owner out.

At one address five misses rest the login for 5 minutes, each further one twice as long, an hour at most. Misses from
strange addresses together rest it for a minute after each twenty, and only for strange addresses: one where the
password fitted within a month is the owner's desk, and is not asked to wait for what others type.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from infra.callers import place_of

if TYPE_CHECKING:
    from portal.core.db import Connection

MISSES = 5
REST = timedelta(minutes=5)
LONGEST_REST = timedelta(hours=1)
STRANGE_MISSES = 20
STRANGE_REST = timedelta(minutes=1)
KNOWN_FOR = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(days=1)


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """How a login stands for one address."""

    staff_id: int
    place: str
    misses: int
    locked_until: datetime | None
    fitted_at: datetime | None
    strange_misses: int
    strange_locked_until: datetime | None

    def known(self, now: datetime) -> bool:
        """Whether the password fitted here lately."""
        return self.fitted_at is not None and self.fitted_at > now - KNOWN_FOR

    def rests(self, now: datetime) -> bool:
        """Whether even the right password opens nothing here now."""
        here = self.locked_until is not None and self.locked_until > now
        strange = self.strange_locked_until is not None and self.strange_locked_until > now
        return here or (strange and not self.known(now))


async def lock_tries(db: Connection, staff_id: int, password_hash: str, address: str) -> Tries | None:
    """The count, locked: tries at the same time are judged one after the other. None: the password was just changed."""
    found = await db.fetchval(
        "select id from staff where id = $1 and password_hash = $2 and disabled_at is null for no key update",
        *(staff_id, password_hash),
    )
    if found is None:
        return None
    # A statement of its own: it sees what those before us in the queue of the lock have counted.
    row = await db.fetchrow(
        """
        select s.id as staff_id, $2 as place, coalesce(a.misses, 0) as misses, a.locked_until, a.fitted_at,
               s.failed_sign_ins as strange_misses, s.locked_until as strange_locked_until
        from staff s
        left join sign_in_address a on a.staff_id = s.id and a.address = $2
        where s.id = $1
        """,
        *(staff_id, place_of(address)),
    )
    assert row is not None
    return Tries(**row)


async def missed(db: Connection, tries: Tries, now: datetime) -> None:
    """One more wrong password."""
    misses = tries.misses + 1
    # The exponent is bounded: two to the power of a thousand misses is no time.
    rest = min(LONGEST_REST, REST * 2 ** min(misses - MISSES, 10)) if misses >= MISSES else None
    await db.execute(
        """
        insert into sign_in_address (staff_id, address, misses, locked_until, seen_at)
        values ($1, $2, $3, $4, $5)
        on conflict (staff_id, address) do update
        set misses = excluded.misses, locked_until = excluded.locked_until, seen_at = excluded.seen_at
        """,
        *(tries.staff_id, tries.place, misses, now + rest if rest else None, now),
    )
    if not tries.known(now):
        strange = tries.strange_misses + 1
        full = strange >= STRANGE_MISSES
        await db.execute(
            "update staff set failed_sign_ins = $2, locked_until = $3 where id = $1",
            *(tries.staff_id, 0 if full else strange, now + STRANGE_REST if full else None),
        )


async def fitted(db: Connection, tries: Tries, now: datetime) -> None:
    """The right password: this address is the owner's; what is old is forgotten."""
    await db.execute("update staff set failed_sign_ins = 0, locked_until = null where id = $1", tries.staff_id)
    await db.execute(
        """
        insert into sign_in_address (staff_id, address, fitted_at, seen_at)
        values ($1, $2, $3, $3)
        on conflict (staff_id, address) do update
        set misses = 0, locked_until = null, fitted_at = excluded.fitted_at, seen_at = excluded.seen_at
        """,
        *(tries.staff_id, tries.place, now),
    )
    await db.execute(
        "delete from sign_in_address where staff_id = $1 and seen_at < $2 and coalesce(fitted_at, '-infinity') < $3",
        *(tries.staff_id, now - FORGOTTEN_AFTER, now - KNOWN_FOR),
    )


async def forget(db: Connection, staff_id: int) -> None:
    """A new password: nothing is known of where the old one fitted or missed."""
    await db.execute("delete from sign_in_address where staff_id = $1", staff_id)
