"""All SQL of the outbox's page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

STATES = ("queued", "sent", "failed", "given_up")
CHANNELS = ("mail", "sms")
ORDERS = {"id": "p.id", "-id": "p.id desc", "next": "p.next_at, p.id", "-next": "p.next_at desc, p.id desc"}


class PostRow(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as the page shows it; what it says is not shown."""

    id: int
    made_at: datetime
    name: str | None
    channel: str
    address: str
    kind: str
    language: str
    state: str
    tries: int
    next_at: datetime
    ends_at: datetime | None
    sent_at: datetime | None
    said: str

    def may_go_again(self, now: datetime) -> bool:
        """It was not sent, and what it says is not over."""
        return self.state in {"failed", "given_up"} and (self.ends_at is None or self.ends_at > now)


async def letters(
    db: Connection, *, state: str, channel: str, kind: str, words: str, sort: str, limit: int, offset: int
) -> tuple[list[PostRow], int]:
    """A page of the outbox."""
    where = """
        from post p
        left join staff s on s.id = p.staff_id
        where ($1 = '' or p.state = $1) and ($2 = '' or p.channel = $2) and ($3 = '' or p.kind = $3)
            and ($4 = '' or strpos(lower(concat_ws(' ', s.full_name, s.login, p.address, p.said)), lower($4)) > 0)
    """
    given = (state, channel, kind, words)
    total = await db.fetchval(f"select count(*) {where}", *given)
    rows = await db.fetch(
        f"""
        select p.id, p.made_at, s.full_name as name, p.channel, p.address, p.kind, p.language, p.state, p.tries,
               p.next_at, p.ends_at, p.sent_at, p.said
        {where}
        order by {ORDERS[sort]}
        limit $5 offset $6
        """,
        *given,
        *(limit, offset),
    )
    return [PostRow(**row) for row in rows], total


async def by_state(db: Connection) -> dict[str, int]:
    """How many there are of each state."""
    rows = await db.fetch("select state, count(*) as letters from post group by state order by state")
    return {row["state"]: row["letters"] for row in rows}


async def send_again(db: Connection, post_id: int) -> str | None:
    """Due at once, with all its tries before it; what it said last. None: it was sent, waits, is over or is not there."""
    return await db.fetchval(
        """
        with old as (
            select id, said
            from post
            where id = $1 and state in ('failed', 'given_up') and (ends_at is null or ends_at > now())
            for no key update)
        update post p set state = 'queued', tries = 0, next_at = now(), said = ''
        from old
        where p.id = old.id
        returning old.said
        """,
        post_id,
    )
