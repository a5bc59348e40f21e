"""Systems that joined the demo's house, and a provider that waits for its numbers: their pages are not empty."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

# Addresses of nobody (RFC 2606); their secrets are drawn and known to nobody either.
SYSTEMS = (
    (
        "Электрондық журнал",
        "Электронный журнал",
        "E-journal",
        "birge-oqy",
        "journal",
        ["openid", "profile", "roles"],
        True,
    ),
    ("Дарын кітапханасы", "Библиотека дарования", "Library of talent", None, "library", ["openid", "profile"], False),
)


async def insert_sign_on(db: asyncpg.Connection[asyncpg.Record]) -> None:
    """Two systems, one provider that is off."""
    await db.executemany(
        """
        insert into oauth_client (name_kk, name_ru, name_en, project, client_id, redirect_uris, logout_uris,
                                  backchannel_uri, scopes, is_own, secret_hash)
        values ($1, $2, $3, $4, $5, array[$6], array[$7], $8, $9, $10, $11)
        """,
        [
            (
                *(kk, ru, en, project, f"demo-{host}", f"https://{host}.example/back", f"https://{host}.example/"),
                *(f"https://{host}.example/logout", scopes, own, hashlib.sha256(secrets.token_bytes(32)).digest()),
            )
            for kk, ru, en, project, host, scopes, own in SYSTEMS
        ],
    )
    await db.execute(
        """
        insert into signon_provider (code, name_kk, name_ru, name_en, issuer, client_id, scopes)
        values ('google', 'Google', 'Google', 'Google', 'https://accounts.google.com', 'demo', 'openid email profile')
        """
    )
