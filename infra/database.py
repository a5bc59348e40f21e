"""A connection to Postgres, from a pool or not: the type that functions with SQL take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Db: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

# How Postgres is not there: no line, no answer in time, an error of its own, a connection that broke under a question.
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

# Tables of a sitting grow from nothing to millions of rows before Postgres first counts them: planned by those figures
# a receipt looked through all devices of the nation. Settings of a connection whose questions go by keys.
BY_KEY = {"enable_seqscan": "off", "plan_cache_mode": "force_custom_plan"}
