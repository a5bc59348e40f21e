"""What each purpose of a consent feeds: what a withdrawal stops in its own transaction, and what is erased after (SAFETY P6).

A feature registers what it keeps under a purpose: `stop` runs at once, `erase` within 15 days; each says what it did, a line
a thing. The talents are closed by a trigger of the database besides, whoever writes the withdrawal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.scope import everywhere

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portal.core.db import Connection

    Deed = Callable[[Connection, int], Awaitable[list["Line"]]]
else:
    Deed = object

# A day less than the law's fifteen: the job runs once a day.
ERASED_AFTER = timedelta(days=14)


class Line(msgspec.Struct, frozen=True):
    """What was done with one thing: a sentence of the catalogue and its values."""

    text: str
    values: dict[str, Any] = {}


class Feed(msgspec.Struct, frozen=True):
    """What a feature keeps under a purpose."""

    stop: Deed
    erase: Deed


FEEDS: dict[str, list[Feed]] = {}


def feeds(purpose: str, *, stop: Deed, erase: Deed) -> None:
    """Make known what a purpose feeds."""
    FEEDS.setdefault(purpose, []).append(Feed(stop, erase))


async def nothing(_db: Connection, _person_id: int) -> list[Line]:
    """Of a feed that has nothing to stop, or nothing to erase."""
    return []


async def withdraw(db: Connection, person_id: int, purpose: str, staff_id: int | None, note: str) -> int:
    """Withdraw all that was agreed to for a purpose, stop what it fed, set the day of the erasure; how many records that were.

    In the caller's transaction and territory; what is stopped may lie outside of it (the child's sitting in another region).
    """
    done = await db.execute(
        """
        update consent
        set withdrawn_at = now(), withdrawn_by = $3, withdrawn_note = $4
        where person_id = $1 and purpose = $2 and withdrawn_at is null
        """,
        *(person_id, purpose, staff_id, note),
    )
    how_many = int(done.split()[-1])
    if how_many:
        async with everywhere(db):
            for feed in FEEDS.get(purpose, []):
                await feed.stop(db, person_id)
            await db.execute(
                """
                insert into erasure (person_id, purpose, due_at)
                values ($1, $2, now() + $3::interval)
                on conflict (person_id, purpose) where done_at is null do nothing
                """,
                *(person_id, purpose, ERASED_AFTER),
            )
    return how_many
