"""`elumiti restored`: what has to be said after Postgres came back as it was some time ago (docs/rules/saving.md, 1, 6).

Streams that were opened after the backup are in Valkey and not in Postgres any more: they are registered again, at
their beginning, so that the flusher reads them. Their numbers are never given out a second time. The generation rises,
so every player asks what is there and sends what is missing.
"""

from __future__ import annotations

import asyncio
import re

import asyncpg
import msgspec

from infra.local import adopt
from infra.settings import RestoreSettings, read
from infra.valkey import connect

STREAM = re.compile(rb"s:\{(\d+)\}")
# Numbers that engines hold ready and never wrote to cannot be seen in Valkey: none of them must come again either.
NUMBERS_AHEAD = 1_000_000


class Restored(msgspec.Struct, frozen=True):
    """What was done."""

    generation: int
    streams: list[int]


def restored() -> None:
    """Say that Postgres was restored from a backup. Engines and flushers may run; saying it twice is harmless."""
    adopt("restore")
    done = asyncio.run(say_restored(read(RestoreSettings)))
    print(  # noqa: T201 (a command's answer)
        f"Generation {done.generation}: players ask what is missing and send it. "
        f"{len(done.streams)} stream(s) that the backup did not know are read from their beginning."
    )


async def say_restored(settings: RestoreSettings) -> Restored:
    """Register what Valkey holds and Postgres has forgotten, and raise the generation, in one transaction."""
    valkey = connect(settings.valkey_url)
    try:
        keys = [key async for key in valkey.scan_iter(match="s:{*}", count=1000)]
    finally:
        await valkey.aclose()
    numbers = sorted(int(found[1]) for key in keys if (found := STREAM.fullmatch(key)))
    db = await asyncpg.connect(settings.owner_database_url)
    try:
        async with db.transaction():
            await db.execute("lock table stream_position in share row exclusive mode")
            rows = await db.fetch(
                """
                insert into stream_position (stream, opened_by)
                overriding system value
                select number, 'restored' from unnest($1::bigint[]) as number
                on conflict do nothing
                returning stream
                """,
                numbers,
            )
            await db.execute(
                """
                update stream_position set closed_at = null
                where stream = any($1::bigint[]) and closed_at is not null
                """,
                numbers,
            )
            await db.execute(
                """
                select setval(pg_get_serial_sequence('stream_position', 'stream'),
                              greatest((select max(stream) from stream_position), $1) + $2)
                """,
                *(max(numbers, default=0), NUMBERS_AHEAD),
            )
            generation = await db.fetchval("update generation set number = number + 1 returning number")
    finally:
        await db.close()
    return Restored(generation, [row["stream"] for row in rows])
