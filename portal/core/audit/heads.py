"""The fingerprint of the newest record, put outside of the database each hour (SAFETY J5).

Who owns the database could compute the whole chain anew; he cannot change what was published before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from infra.objects import open_bucket

if TYPE_CHECKING:
    from datetime import datetime

    from infra.settings import ObjectStore
    from portal.core.db import Connection

BUCKET = "audit-heads"
# A quarter of a year of hours.
MOST_COMPARED = 2200


class Head(msgspec.Struct, frozen=True):
    """Number and hash of a record that was once the newest."""

    last_id: int
    hash: str


async def publish_head(db: Connection, store: ObjectStore, at: datetime) -> None:
    """Write the newest fingerprint under its hour; the same hour twice keeps the first."""
    row = await db.fetchrow("select last_id, hash from audit_head where only_row")
    if row is None or row["last_id"] == 0:
        return
    key = at.strftime("%Y-%m-%dT%H")
    async with open_bucket(store, BUCKET) as bucket:
        await bucket.ensure()
        if await bucket.get(key) is None:
            await bucket.put(key, msgspec.json.encode(Head(row["last_id"], row["hash"].hex())), "application/json")


async def broken_against_published(db: Connection, store: ObjectStore) -> int | None:
    """The first published record that is not what it was; None when all are, or when the store is away."""
    try:
        async with open_bucket(store, BUCKET) as bucket:
            await bucket.ensure()
            bodies = [await bucket.get(key) for key in (await bucket.keys())[-MOST_COMPARED:]]
    except (ClientError, BotoCoreError, OSError):
        return None
    heads = [msgspec.json.decode(body, type=Head) for body in bodies if body is not None]
    rows = await db.fetch(
        """
        select id, hash from audit where id = any($1::bigint[])
        union all
        select id, hash from audit_archived where id = any($1::bigint[])
        """,
        [head.last_id for head in heads],
    )
    held = {row["id"]: row["hash"].hex() for row in rows}
    return min((head.last_id for head in heads if held.get(head.last_id) != head.hash), default=None)
