"""Scenes for the engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest
import redis.asyncio

from infra.local import environment
from tests.support.pupil import Pupil
from tests.support.sittings import Scene, make_sitting
from tests.support.streams import Bench, open_bench
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

    Begin = Callable[..., Awaitable[tuple[Scene, Pupil]]]


@pytest.fixture
async def db(owner_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Postgres as its owner."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def valkey(stack: Stack) -> AsyncIterator[redis.asyncio.Redis]:
    """The streams' Valkey as the flusher reaches it."""
    client = redis.asyncio.Redis.from_url(environment(stack.home, "flusher")["ELUMITI_VALKEY_URL"])
    yield client
    await client.aclose()


async def known_to_all(pupil: Pupil) -> None:
    """Signed in several times in a row: whichever worker answers, it has read the new sitting."""
    for _ in range(5):
        await pupil.sign_in()


@pytest.fixture
def begin(stack: Stack, service: str, owner_url: str) -> Begin:
    """A fresh sitting and its first pupil, signed in and with his keys (unless told otherwise)."""

    async def begun(*, key: bool = True, **scene_facts: object) -> tuple[Scene, Pupil]:
        scene = await make_sitting(stack, owner_url, **scene_facts)
        pupil = Pupil(service, scene.seats[0])
        await eventually(lambda: known_to_all(pupil))
        if key:
            await eventually(pupil.start)
        return scene, pupil

    return begun


@pytest.fixture
async def bench(stack: Stack) -> AsyncIterator[Bench]:
    """Streams and a flusher turned by hand, in a database of its own."""
    async with open_bench(stack) as opened:
        await opened.set_scene()
        yield opened


@pytest.fixture(scope="session")
def shared_bench(stack: Stack, loop: Loop) -> Iterator[Bench]:
    """A bench for property tests: one for all examples, each with a scene of its own. Lives on the background loop."""
    context = open_bench(stack)
    opened = loop.run(context.__aenter__(), 60)
    yield opened
    loop.run(context.__aexit__(None, None, None), 60)
