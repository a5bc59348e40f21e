"""The forwarder with a view of seconds, and a child whose mother agreed to the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.parts.supervisor import command_argv
from tests.support.live import Publisher, Side, Viewer, asked, ticket_for
from tests.support.sittings import make_sitting
from tests.support.watched import Phone, consented, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

    Db = asyncpg.Connection[asyncpg.Record]

MOST_S, MOST_VIEWS = 8, 3


@pytest.fixture(scope="session")
def forwarder(stack: Stack, loop: Loop) -> str:
    """Its address."""
    stack.overrides["live"] = {
        "ELUMITI_LIVE_MOST_S": str(MOST_S),
        "ELUMITI_LIVE_MOST_VIEWS": str(MOST_VIEWS),
        "ELUMITI_REFRESH_EVERY_S": "0.3",
    }
    port = stack.home.ports.live
    loop.run(stack.start_process("live", "live", command_argv("live"), port), 60)
    return f"http://127.0.0.1:{port}"


class Scene:
    """A child that may be looked at; sides are closed at the end."""

    def __init__(self, stack: Stack, db: Db, base: str) -> None:
        self.stack, self.db, self.base = stack, db, base
        self.sides: list[Side] = []
        self.attempt = self.sitting = self.consent = self.staff = self.view = 0

    async def child(self, owner_url: str) -> None:
        made = await make_sitting(self.stack, owner_url, pupils=1)
        await watch(self.db, made.sitting)
        phone = Phone(self.stack, made.seats[0].attempt, made.sitting)
        self.consent, self.staff, _ = await consented(self.db, phone)
        self.attempt, self.sitting = phone.attempt, made.sitting
        self.view = await asked(self.db, self.stack, self.attempt, self.sitting, self.staff)

    def ticket(self, role: str, seconds: int = 60) -> str:
        return ticket_for(self.stack, role, self.view, self.attempt, seconds)

    def phone(self, *, sound: bool = False, ticket: str = "") -> Publisher:
        made = Publisher(self.base, ticket or self.ticket("publish"), sound=sound)
        self.sides.append(made)
        return made

    def viewer(self, ticket: str = "") -> Viewer:
        made = Viewer(self.base, ticket or self.ticket("watch"))
        self.sides.append(made)
        return made

    async def row(self) -> asyncpg.Record:
        row = await self.db.fetchrow("select * from watch_live where id = $1", self.view)
        assert row is not None
        return row

    async def why(self) -> str | None:
        return (await self.row())["why"]


@pytest.fixture
async def scene(stack: Stack, db: Db, owner_url: str, forwarder: str) -> AsyncIterator[Scene]:
    made = Scene(stack, db, forwarder)
    await made.child(owner_url)
    yield made
    for side in made.sides:
        await side.close()
    await db.execute(
        "update watch_live set ended_at = now(), why = 'lost' where id = $1 and ended_at is null", made.view
    )
