"""Systems that a person let know him, when he signed in there through us."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class AllowedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `id` is the system's."""

    id: int
    name: dict[str, str]
    given_at: datetime


async def allowed_systems(db: Connection, staff_id: int) -> list[AllowedSystem]:
    """Those that he allowed, the newest first."""
    rows = await db.fetch(
        """
        select c.id, jsonb_build_object('kk', c.name_kk, 'ru', c.name_ru, 'en', c.name_en) as name, w.given_at
        from oauth_consent w
        join oauth_client c on c.id = w.client_id
        where w.staff_id = $1
        order by w.given_at desc, c.id
        """,
        staff_id,
    )
    return [AllowedSystem(**row) for row in rows]
