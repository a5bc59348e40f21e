"""The outbox's table. A row is taken by pushing its next try ahead, so a worker that dies with it in hand loses nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

# Seconds at first, for a server that restarts; hours at last, for one that is mended by people. Then given up.
PAUSES = tuple(timedelta(seconds=s) for s in (15, 60, 300, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600))
# Longer than a whole round can take (AT_ONCE letters at the senders' limits).
IN_HAND = timedelta(minutes=10)
AT_ONCE = 10
KEPT = timedelta(days=90)
MOST_SAID = 300


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to be sent."""

    id: int
    made_at: datetime
    channel: str
    address: str
    kind: str
    language: str
    filled: dict[str, Any]
    tries: int
    ends_at: datetime | None
    unwanted: bool


class Outcome(msgspec.Struct, frozen=True):
    """How a try went: sent, failed (tried again) or given up; and what the other side said."""

    state: str
    said: str = ""


async def put(
    db: Connection,
    *,
    staff_id: int | None,
    address: str,
    kind: str,
    language: str,
    filled: dict[str, object],
    channel: str = "mail",
    ends_at: datetime | None = None,
    notice_id: int | None = None,
    person_id: int | None = None,
) -> int:
    """A letter, in the caller's transaction; its number.

    `person_id`: it is to a child, or about it to a parent, and goes out only while the consent «contact» holds.
    """
    return await db.fetchval(
        """
        insert into post (staff_id, channel, address, kind, language, filled, ends_at, notice_id, person_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning id
        """,
        *(staff_id, channel, address, kind, language, filled, ends_at, notice_id, person_id),
    )


async def take(db: Connection) -> list[Row]:
    """Letters that are due, oldest first, in our hand for some minutes."""
    rows = await db.fetch(
        """
        update post p
        set tries = p.tries + 1, next_at = now() + $2::interval
        from (
            select id
            from post
            where state in ('queued', 'failed') and next_at <= now()
            order by next_at, id
            limit $1
            for no key update skip locked) due
        where p.id = due.id
        returning p.id, p.made_at, p.channel, p.address, p.kind, p.language, p.filled, p.tries, p.ends_at,
                  p.person_id is not null and not consent_holds(p.person_id, 'contact') as unwanted
        """,
        *(AT_ONCE, IN_HAND),
    )
    return sorted((Row(**row) for row in rows), key=lambda row: row.id)


def next_try(tries: int) -> timedelta | None:
    """How long to wait after so many tries; None: it is given up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


async def settle(db: Connection, row: Row, outcome: Outcome) -> None:
    """Write down how it went; what makes a link goes as soon as it is sent."""
    pause = next_try(row.tries) if outcome.state == "failed" else None
    state = "given_up" if outcome.state == "failed" and pause is None else outcome.state
    await db.execute(
        """
        update post
        set state = $2, said = $3, next_at = now() + coalesce($4::interval, '0'),
            sent_at = case when $2 = 'sent' then now() end,
            filled = case when $2 = 'sent' then filled - 'seed' else filled end
        where id = $1
        """,
        *(row.id, state, outcome.said[:MOST_SAID], pause),
    )


async def erase_old(db: Connection) -> None:
    """What was written to whom is nobody's business after a quarter of a year."""
    await db.execute("delete from post where made_at < now() - $1::interval and state in ('sent', 'given_up')", KEPT)
