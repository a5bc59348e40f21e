"""The ingest and the process beside it, and a proctored sitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest

from infra.local import decode_key
from infra.parts.supervisor import command_argv, pictures_argv
from tests.support.waiting import eventually
from tests.support.watched import Phone, watched_sitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop
    from tests.support.sittings import Scene

    Begin = Callable[..., Awaitable[tuple[Scene, Phone]]]

QUICK = {"ELUMITI_SEGMENT_S": "0.3", "ELUMITI_REFRESH_EVERY_S": "0.3", "ELUMITI_BODY_LIMIT_S": "3"}


@pytest.fixture(scope="session")
def ingest(stack: Stack, loop: Loop) -> str:
    """Two workers of the ingest; its address."""
    stack.overrides["proctoring"] = QUICK | {"ELUMITI_CHECK_ONE_OF": "1"}

    async def start() -> None:
        await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, 2), stack.home.ports.pictures)

    loop.run(start(), 60)
    return f"http://127.0.0.1:{stack.home.ports.pictures}"


@pytest.fixture(scope="session")
def proctoring(stack: Stack, loop: Loop, ingest: str) -> str:
    """The process that looks, checks, scores and erases; its address."""

    async def start() -> None:
        await stack.start_process("proctoring", "proctoring", command_argv("proctoring"), stack.home.ports.look)

    loop.run(start(), 60)
    return f"http://127.0.0.1:{stack.home.ports.look}"


@pytest.fixture
async def portal(stack: Stack, proctoring: str) -> AsyncIterator[httpx.AsyncClient]:
    """Who has the look key."""
    async with httpx.AsyncClient(
        base_url=proctoring, headers={"authorization": f"Bearer {stack.secrets.look_key}"}
    ) as client:
        yield client


@pytest.fixture
def kek(stack: Stack) -> bytes:
    return decode_key(stack.secrets.picture_kek)


@pytest.fixture
async def db(owner_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Postgres as its owner."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture
def begin(stack: Stack, ingest: str, db: asyncpg.Connection[asyncpg.Record], owner_url: str) -> Begin:
    """A proctored sitting that both workers know, and its first candidate's phone."""

    async def begun(pupils: int = 2, **facts: object) -> tuple[Scene, Phone]:
        scene = await watched_sitting(stack, db, owner_url, pupils, **facts)
        phone = Phone(stack, scene.seats[0].attempt, scene.sitting)

        async def known() -> None:
            # An empty report asks for the token and the sitting, and leaves nothing. Either worker may take it: that twelve
            # come to the same one happens once in two thousand times.
            for _ in range(12):
                async with httpx.AsyncClient(verify=False) as client:
                    answer = await client.post(
                        f"{ingest}/v1/watch",
                        content='{"events": []}',
                        headers={"authorization": f"Bearer {phone.token}"},
                    )
                assert answer.status_code == 200, answer.text

        await eventually(known)
        return scene, phone

    return begun
