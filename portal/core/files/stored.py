"""Files that belong to a row and live as long as it. A file that no row names is erased, whatever went wrong between.

`put` writes the key down as let go before the bytes go out; `hold` takes it off that list in the transaction that makes
the row; `let_go` puts it there again with the change that takes the row away. The worker erases what is on the list.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from infra.objects import open_bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings import ObjectStore, PortalSettings
    from portal.core.db import Connection, Pool

BUCKET = "cards"
# An upload that is under way is no orphan yet.
MEANWHILE = timedelta(hours=1)
AT_ONCE = 100


async def put(db: Connection, store: ObjectStore, owner: str, bodies: Sequence[bytes], endings: Sequence[str]) -> str:
    """Put files away under one key with an ending each; outside of the transaction that will `hold` them."""
    key = f"{owner}/{uuid.uuid4().hex}"
    await db.executemany(
        "insert into object_let_go (key, erase_at) values ($1, now() + $2::interval)",
        [(key + ending, MEANWHILE) for ending in endings],
    )
    async with open_bucket(store, BUCKET) as bucket:
        await bucket.ensure()
        for body, ending in zip(bodies, endings, strict=True):
            await bucket.put(key + ending, body)
    return key


async def hold(db: Connection, keys: Sequence[str]) -> None:
    """A row names them now."""
    await db.execute("delete from object_let_go where key = any($1::text[])", list(keys))


async def let_go(db: Connection, keys: Sequence[str | None]) -> None:
    """No row names them any more."""
    await db.executemany(
        "insert into object_let_go (key, erase_at) values ($1, now()) on conflict (key) do update set erase_at = now()",
        [(key,) for key in keys if key],
    )


async def fetch(store: ObjectStore, key: str) -> bytes | None:
    """The bytes; None once they are erased."""
    async with open_bucket(store, BUCKET) as bucket:
        return await bucket.get(key)


async def erase_let_go(pool: Pool, settings: PortalSettings) -> bool:
    """A round of the worker; True if there may be more at once."""
    async with pool.acquire() as db, db.transaction():
        rows = await db.fetch(
            """
            select key
            from object_let_go
            where erase_at <= now()
            order by erase_at, key
            limit $1
            for update skip locked
            """,
            AT_ONCE,
        )
        keys = [row["key"] for row in rows]
        if not keys:
            return False
        async with open_bucket(settings.objects, BUCKET) as bucket:
            await bucket.ensure()
            for key in keys:
                await bucket.delete(key)
        await db.execute("delete from object_let_go where key = any($1::text[])", keys)
    return len(keys) == AT_ONCE
