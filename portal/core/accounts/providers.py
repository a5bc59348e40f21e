"""Providers of OpenID Connect at which people may have an account that opens theirs here. Rows, not code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

COLUMNS = """
    select id, code, jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en) as name, issuer, discovery,
           client_id, client_secret, scopes, response_mode, echoed, projects, is_on, place
    from signon_provider
"""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider. `client_secret` is sealed; what each field means is said at the table's columns."""

    id: int
    code: str
    name: dict[str, str]
    issuer: str
    discovery: str
    client_id: str
    client_secret: bytes | None
    scopes: str
    response_mode: str
    echoed: list[str]
    projects: list[str]
    is_on: bool
    place: int


async def all_providers(db: Connection, *, on_only: bool = False) -> list[Provider]:
    """In the order of the sign-in page."""
    rows = await db.fetch(COLUMNS + "where is_on or not $1 order by place, id", on_only)
    return [Provider(**row) for row in rows]


async def provider_by(db: Connection, *, provider_id: int | None = None, code: str | None = None) -> Provider | None:
    """One, by its number or its code, on or off."""
    row = await db.fetchrow(COLUMNS + "where id = $1 or code = $2", provider_id, code)
    return Provider(**row) if row else None
