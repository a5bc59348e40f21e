"""News for the engines: what staff decided (from Postgres), what became durable (after COMMIT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.protocol import CONTROL_STREAM, ControlSet, News

if TYPE_CHECKING:
    import asyncpg

    from infra.valkey import Valkey

encode = msgspec.msgpack.Encoder().encode
# The newest tens of thousands of entries: a worker that was away longer rebuilds its board from Postgres.
KEPT = 50_000
NEWS_AN_ENTRY = 2000


async def tell(valkey: Valkey, news: list[News]) -> None:
    """Append news to the control stream. Hearing the same twice is harmless, so a failed call is simply repeated."""
    for start in range(0, len(news), NEWS_AN_ENTRY):
        entry = encode(news[start : start + NEWS_AN_ENTRY])
        await valkey.xadd(CONTROL_STREAM, {b"n": entry}, maxlen=KEPT, approximate=True)


async def relay_controls(db: asyncpg.Connection[asyncpg.Record], valkey: Valkey) -> int:
    """Tell the engines of controls that have not been told yet; mark them only when they were."""
    async with db.transaction():
        rows = await db.fetch(
            """
            select id, sitting_id, scope, scope_id, version, kind, body
            from control
            where relayed_at is null
            order by sitting_id, version
            limit 1000
            for no key update skip locked
            """
        )
        if not rows:
            return 0
        news: list[News] = [
            ControlSet(
                *(row["sitting_id"], row["scope"], row["scope_id"], row["version"], row["kind"]),
                row["body"].encode(),
            )
            for row in rows
        ]
        await tell(valkey, news)
        await db.execute(
            "update control set relayed_at = now() where id = any($1::bigint[])", [row["id"] for row in rows]
        )
    return len(rows)
