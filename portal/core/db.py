"""The pool of connections, and the type that handlers name for theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import asyncpg
from litestar.params import Dependency

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg.pool import PoolConnectionProxy
    from litestar.datastructures import State

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    # The pool hands out proxies, which would fail an isinstance check.
    Connection = Annotated[object, Dependency(skip_validation=True)]
    Pool = asyncpg.Pool

# A list that waits longer for a lock than a person waits for a page gives up and says so.
SERVER_SETTINGS = {"application_name": "portal", "lock_timeout": "5s", "statement_timeout": "60s"}


async def prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Jsonb arrives as Python values."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind,
            encoder=lambda value: json.dumps(value, ensure_ascii=False, default=str),
            decoder=json.loads,
            schema="pg_catalog",
        )


async def open_pool(url: str, most: int = 16) -> Pool:
    """The process's pool."""
    return await asyncpg.create_pool(url, min_size=1, max_size=most, init=prepare, server_settings=SERVER_SETTINGS)


async def connection(state: State) -> AsyncIterator[Connection]:
    """One connection a request."""
    async with state.pool.acquire() as taken:
        yield taken


def containing(words: str, *, most: int) -> list[str]:
    """Patterns for `like all`: each of the first `most` words somewhere, its own signs of patterns taken as letters."""
    signs = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
    return [f"%{word.translate(signs)}%" for word in words.lower().split()[:most]]
