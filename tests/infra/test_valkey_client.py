"""Valkey's clients on uvloop, which the processes run on: a connection that is gone is a lost one, whatever it is called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
import uvloop
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import RedisError

from infra.local import environment
from infra.settings import EngineSettings, read
from infra.valkey import as_redis_error, primary_of

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack


async def write_after_the_end(url: str) -> None:
    """Close the socket under an idle connection, as a dying server does, and write."""
    connection = await primary_of(url, "a-stream", 5)
    await connection.connect()
    # redis-py has no public way to it.
    transport = cast("Any", connection)._writer.transport
    transport.abort()
    # The loop closes it in its next turns.
    await asyncio.sleep(0.05)
    try:
        await connection.send_command("PING")
    finally:
        await connection.disconnect(nowait=True)


def test_a_closed_connection_is_a_lost_one(stack: Stack) -> None:
    url = read(EngineSettings, environment(stack.home, "engine")).valkey_url
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        pytest.raises(LostError, match=r"handler is closed|closed"),
    ):
        runner.run(write_after_the_end(url))


async def write_while_another_closes(url: str) -> None:
    """Another task hears that the node is gone, and closes the connection between the look at it and the write."""
    connection = await primary_of(url, "a-stream", 5)
    await connection.connect()
    await connection.disconnect(nowait=True)
    await cast("Any", connection)._send_packed_command([b"PING"])


def test_a_connection_that_another_task_closed_is_a_lost_one(stack: Stack) -> None:
    """Met in a cluster whose primary died: the flusher ended over it."""
    url = read(EngineSettings, environment(stack.home, "engine")).valkey_url
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, pytest.raises(ConnectionResetError):
        runner.run(write_while_another_closes(url))
    with pytest.raises(RedisError, match="writelines"), as_redis_error():
        cast("Any", None).writelines([])
    with pytest.raises(AttributeError), as_redis_error():
        cast("Any", None).our_own_mistake()
