"""A connection to Postgres, from a pool or not: the type that functions with SQL take."""

from __future__ import annotations

import asyncio
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


def require_wanted() -> None:
    """For who waits Postgres's troubles out: ends a task that was asked to end while it met one.

    A transaction that is cancelled in the moment in which its line breaks fails at its own end, and that failure stands in
    the cancellation's place; taken for a trouble like others, the task would go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
