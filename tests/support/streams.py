"""Streams as the engine writes them, and a flusher whose rounds a test turns by hand."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

import asyncpg
import redis.asyncio

from engine.flusher.entries import open_streams, take
from engine.flusher.write import Memory, Written, prepare, write
from engine.group_commit import GroupCommit
from engine.protocol import SaveRecord, StoredEvent
from infra.local import database_url, environment
from infra.migrate import migrate
from infra.parts.postgres import make_database
from tests.support.sittings import insert_bare_sitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.flusher.entries import Taken
    from infra.parts.supervisor import Stack

    Db = asyncpg.Connection[asyncpg.Record]


class Bench:
    """Postgres as the flusher's role, Valkey, and the rounds in between."""

    def __init__(self, db: Db, valkey: redis.asyncio.Redis, url: str, owner_url: str) -> None:
        self.db = db
        self.valkey = valkey
        self.url = url
        self.owner_url = owner_url
        self.sitting = 1
        self.attempts: list[int] = []
        self.memory = Memory()
        self.streams: list[int] = []

    async def set_scene(self, pupils: int = 3) -> None:
        """A sitting with participants: attempts refer to them."""
        scene = await insert_bare_sitting(self.db, pupils)
        self.sitting, self.attempts = scene.sitting, [seat.attempt for seat in scene.seats]

    async def another(self) -> Db:
        """A second flusher's connection."""
        db = await asyncpg.connect(self.owner_url)
        await prepare(db)
        return db

    async def register(self, count: int) -> list[int]:
        """Numbers of new streams, committed."""
        rows = await self.db.fetch(
            "insert into stream_position (opened_by) select 'test' from generate_series(1, $1) returning stream", count
        )
        numbers = [row["stream"] for row in rows]
        self.streams += numbers
        return numbers

    async def retire(self, number: int) -> None:
        """As the engine does when a connection is gone."""
        await self.db.execute("update stream_position set retired_at = now() where stream = $1", number)

    @contextlib.asynccontextmanager
    async def writer(self) -> AsyncIterator[GroupCommit]:
        """A worker's group commit."""
        commits = GroupCommit(self.url, self.register, self.retire, 2**20)
        await commits.open()
        try:
            yield commits
        finally:
            await commits.close()

    async def read(self, count: int = 100) -> Taken:
        """What a flusher's round reads, of this bench's streams."""
        streams = [at for at in await open_streams(self.db) if at.stream in self.streams]
        return await take(self.valkey, streams, count)

    async def round(self, db: Db | None = None, memory: Memory | None = None) -> Written:
        """A whole round."""
        taken = await self.read()
        return await write(db or self.db, taken, memory or self.memory)

    async def rows(self) -> list[tuple[int, int, str | None]]:
        """(attempt, seq, value) of all events of this bench's sitting."""
        found = await self.db.fetch(
            "select attempt_id, seq, value from response_event where sitting_id = $1 order by attempt_id, seq, device",
            self.sitting,
        )
        return [(row["attempt_id"], row["seq"], row["value"]) for row in found]

    async def dead(self) -> int:
        """Dead letters of this bench's streams."""
        return await self.db.fetchval("select count(*) from dead_letter where stream = any($1::bigint[])", self.streams)


@contextlib.asynccontextmanager
async def open_bench(stack: Stack) -> AsyncIterator[Bench]:
    """A bench with a database and a Valkey number of its own: no flusher process looks at its streams."""
    name = f"bench_{secrets.token_hex(4)}"
    secret = stack.secrets
    await make_database(stack.home, secret, name)
    owner = database_url(stack.home, "elumiti_owner", secret.role_passwords["elumiti_owner"], name)
    await migrate(owner, secret.role_passwords)
    url = environment(stack.home, "flusher")["ELUMITI_VALKEY_URL"].removesuffix("/0") + "/1"
    db = await asyncpg.connect(owner)
    valkey = redis.asyncio.Redis.from_url(url)
    try:
        await valkey.flushdb()
        await prepare(db)
        yield Bench(db, valkey, url, owner)
    finally:
        await valkey.aclose()
        await db.close()


def save_record(
    sitting: int, attempt: int, values: dict[int, str], device: bytes | None = None, *, again: bool = False
) -> SaveRecord:
    """A save of answers by seq."""
    events = [StoredEvent(seq, 1, 7, value, None, 0, 0, again) for seq, value in sorted(values.items())]
    return SaveRecord(sitting, attempt, device or bytes(16), 1_700_000_000_000, 0, events)


def new_device() -> bytes:
    """128 random bits."""
    return secrets.token_bytes(16)
