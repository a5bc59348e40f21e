"""Links in mail that do one thing once: prove an e-mail, set a new password.

The outbox holds a seed, the table a hash, and the key between them is outside of the database: a dump opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core.post.tokens import token_of

if TYPE_CHECKING:
    from portal.core.db import Connection

LIVES = {"email": timedelta(hours=24), "password": timedelta(minutes=30)}


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that still holds."""

    staff_id: int
    email: str
    ends_at: datetime


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def make(db: Connection, key: bytes, *, staff_id: int, purpose: str, email: str, at: datetime) -> str:
    """A new link; its seed, for the letter."""
    seed = secrets.token_urlsafe(24)
    await db.execute(
        "insert into staff_link (token_hash, staff_id, purpose, email, made_at, ends_at) values ($1, $2, $3, $4, $5, $6)",
        *(_hash(token_of(key, purpose, seed)), staff_id, purpose, email, at, at + LIVES[purpose]),
    )
    return seed


async def find(db: Connection, purpose: str, token: str) -> Link | None:
    """The link, if it still holds. It is looked up by its hash, so the time that takes tells nothing of it."""
    row = await db.fetchrow(
        """
        select l.staff_id, l.email, l.ends_at
        from staff_link l
        join staff s on s.id = l.staff_id
        where l.token_hash = $1 and l.purpose = $2 and l.used_at is null and l.ends_at > now()
            and s.disabled_at is null
        """,
        *(_hash(token), purpose),
    )
    return Link(**row) if row else None


async def use(db: Connection, purpose: str, token: str, staff_id: int) -> bool:
    """Use it up; False: another was first, or it holds no more."""
    done = await db.fetchval(
        """
        update staff_link set used_at = now()
        where token_hash = $1 and purpose = $2 and staff_id = $3 and used_at is null and ends_at > now()
        returning staff_id
        """,
        *(_hash(token), purpose, staff_id),
    )
    return done is not None


async def end_open(db: Connection, staff_id: int) -> None:
    """No link of the person that is still on its way does anything any more (the rows stay: they are counted)."""
    await db.execute(
        "update staff_link set ends_at = least(ends_at, now()) where staff_id = $1 and used_at is null", staff_id
    )


async def made_since(db: Connection, staff_id: int, purpose: str, since: datetime) -> int:
    """How many were made lately: a mailbox is no bin for a stranger's clicks."""
    return await db.fetchval(
        "select count(*) from staff_link where staff_id = $1 and purpose = $2 and made_at > $3",
        *(staff_id, purpose, since),
    )


async def open_email(db: Connection, staff_id: int) -> str | None:
    """The address that waits for its link to be opened."""
    return await db.fetchval(
        """
        select email from staff_link
        where staff_id = $1 and purpose = 'email' and used_at is null and ends_at > now()
        order by made_at desc
        limit 1
        """,
        staff_id,
    )


async def erase_old(db: Connection, now: datetime) -> None:
    """Links that are over and answered asks are of no use."""
    await db.execute("delete from staff_link where ends_at < $1", now - timedelta(days=7))
    await db.execute("delete from reset_ask where done_at is not null and at < $1", now - timedelta(days=1))
