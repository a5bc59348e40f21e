"""Who is on the way to a provider and back: a row that its answer takes away, so that none counts twice."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.features.sign_on.protocol import browser_hash

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.core.accounts.providers import Provider
    from portal.core.db import Connection

LIVES = timedelta(minutes=10)


class Begun(msgspec.Struct, frozen=True):
    """What goes with the browser, and what stays here."""

    state: str
    nonce: str
    verifier: str


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One that came back. `staff_id`: who links it to his account; None: a sign-in."""

    provider_id: int
    nonce: str
    verifier: str
    goes_to: str
    staff_id: int | None


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


async def begin(db: Connection, actor: Actor, provider: Provider, goes_to: str, *, staff_id: int | None) -> Begun:
    """Remember who sets out."""
    begun = Begun(*(secrets.token_urlsafe(32) for _ in range(3)))
    await db.execute("delete from signon_flow where ends_at < now()")
    await db.execute(
        """
        insert into signon_flow (state_hash, provider_id, browser_hash, nonce, verifier, goes_to, staff_id, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)
        """,
        *(_hash(begun.state), provider.id, browser_hash(actor.csrf), begun.nonce, begun.verifier, goes_to, staff_id),
        LIVES,
    )
    return begun


async def take(db: Connection, actor: Actor, code: str, state: str) -> Flow | None:
    """Once, by the browser that began and at the address of its provider alone: another try leaves the row to its owner."""
    row = await db.fetchrow(
        """
        delete from signon_flow
        where state_hash = $1 and browser_hash = $2 and ends_at > now()
            and provider_id = (select id from signon_provider where code = $3)
        returning provider_id, nonce, verifier, goes_to, staff_id
        """,
        *(_hash(state), browser_hash(actor.csrf), code),
    )
    return Flow(**row) if row else None
