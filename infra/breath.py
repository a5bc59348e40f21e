"""Long work on the loop of a granian worker: between its pieces the loop must rest, not only take turns.

granian's threads need the interpreter for each request that they bring in. A loop that never rests (`sleep(0)` takes the
next turn at once) gives it up after 5 ms only, for each of them: 80 ms of work in pieces kept 45 ms of requests outside.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from infra.database import Db

BREATH_S = 0.002
PIECE = 500


async def breathe() -> None:
    """Let requests in before the next piece."""
    await asyncio.sleep(BREATH_S)


async def rows_in_pieces(
    db: Db, query: str, *arguments: object, hurry: bool = False
) -> AsyncIterator[list[asyncpg.Record]]:
    """The rows of a query, 500 at a time, within the caller's transaction. `hurry`: nobody is served yet, so no rests."""
    cursor = await db.cursor(query, *arguments)
    while rows := await cursor.fetch(PIECE):
        yield rows
        if not hurry:
            await breathe()
