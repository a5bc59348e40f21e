"""The keys that our tokens are signed with: rows, sealed; the newest signs, older ones are published while theirs hold."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from portal.core.accounts.sealing import seal, unseal

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection

# OpenID Connect asks every provider and client for it.
ALGORITHM = "RS256"
BITS = 2048
SIGNS_FOR = timedelta(days=90)
# Longer than any token that a key signed, and than clients keep what they fetched.
PUBLISHED_AFTER = timedelta(days=1)


def issuer(settings: PortalSettings) -> str:
    """Our name among providers."""
    return settings.portal_url.rstrip("/")


async def draw_key(db: Connection, settings: PortalSettings) -> str:
    """A new key, which signs from now on; its number. Those long replaced go."""
    key = await asyncio.to_thread(RSAKey.generate_key, BITS)
    kid = secrets.token_hex(8)
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    await db.execute(
        "insert into oauth_key (kid, sealed, public) values ($1, $2, $3)",
        *(kid, seal(settings, key.as_pem(private=True).decode()), public),
    )
    await db.execute(
        """
        delete from oauth_key k
        where exists (select from oauth_key newer where newer.made_at > k.made_at and newer.made_at < now() - $1::interval)
        """,
        PUBLISHED_AFTER * 7,
    )
    return kid


async def published(db: Connection) -> list[dict[str, Any]]:
    """What clients check our signatures with."""
    rows = await db.fetch(
        """
        select k.public
        from oauth_key k
        where not exists (
            select from oauth_key newer where newer.made_at > k.made_at and newer.made_at < now() - $1::interval)
        order by k.made_at desc, k.kid
        """,
        PUBLISHED_AFTER,
    )
    return [row["public"] for row in rows]


async def sign(db: Connection, settings: PortalSettings, claims: dict[str, Any], kind: str = "JWT") -> str:
    """A token of ours."""
    kid, pem = await _newest(db, settings)
    header = {"alg": ALGORITHM, "kid": kid, "typ": kind}
    return jwt.encode(header, claims, RSAKey.import_key(pem), algorithms=[ALGORITHM])


async def read_hint(db: Connection, settings: PortalSettings, token: str) -> dict[str, Any] | None:
    """The claims of an ID token of ours, however old; None: it is none."""
    rows = await db.fetch("select public from oauth_key order by made_at desc, kid")
    try:
        keys = KeySet.import_key_set({"keys": [row["public"] for row in rows]})
        read = jwt.decode(token, keys, algorithms=[ALGORITHM])
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    mine = read.claims.get("iss") == issuer(settings) and read.header.get("typ") == "JWT"
    return dict(read.claims) if mine else None


async def _newest(db: Connection, settings: PortalSettings) -> tuple[str, str]:
    """Number and private half of the key that signs; drawn if there is none that is young and can be opened."""
    query = "select kid, sealed, made_at from oauth_key order by made_at desc, kid limit 1"
    for _ in range(2):
        row = await db.fetchrow(query)
        pem = unseal(settings, row["sealed"]) if row else None
        if row and pem and row["made_at"] > datetime.now(UTC) - SIGNS_FOR:
            return row["kid"], pem
        await draw_key(db, settings)
    raise AssertionError
