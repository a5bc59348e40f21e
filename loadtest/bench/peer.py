"""The usual way, for comparison: FastAPI on uvicorn, pydantic, and an upsert by asyncpg into the same Postgres."""

from __future__ import annotations

import contextlib
import hmac
import os
from typing import TYPE_CHECKING, Annotated

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = b"peer"
TABLE = """
    create table if not exists peer_answer (
        attempt bigint, item int, seq int, kind text, value text, ms bigint, saved_at timestamptz not null default now(),
        primary key (attempt, item)
    )
"""
UPSERT = """
    insert into peer_answer (attempt, item, seq, kind, value, ms) values ($1, $2, $3, $4, $5, $6)
    on conflict (attempt, item) do update
    set seq = excluded.seq, kind = excluded.kind, value = excluded.value, ms = excluded.ms, saved_at = now()
"""


class Answer(BaseModel):
    """One event."""

    seq: Annotated[int, Field(ge=1)]
    kind: str
    item: int
    value: int | None = None
    anchor: int = 0
    ms: Annotated[int, Field(ge=0)]
    again: bool = False


class Batch(BaseModel):
    """A save."""

    attempt: int
    clock: list[str]
    generation: int
    controls: int
    open: list[str]
    events: list[Answer]


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """A pool for the time of the app."""
    app.state.pool = await asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=10, max_size=10)
    await app.state.pool.execute(TABLE)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


def sign(attempt: int) -> str:
    """A peer's token."""
    return f"{attempt}.{hmac.digest(KEY, str(attempt).encode(), 'sha256').hex()[:32]}"


@app.post("/v1/save")
async def save(batch: Batch, request: Request, authorization: Annotated[str, Header()]) -> dict[str, object]:
    """Verify, upsert each event in one transaction, answer."""
    if not hmac.compare_digest(authorization.removeprefix("Bearer "), sign(batch.attempt)):
        raise HTTPException(401)
    rows = [(batch.attempt, event.item, event.seq, event.kind, str(event.value), event.ms) for event in batch.events]
    async with request.app.state.pool.acquire() as db, db.transaction():
        await db.executemany(UPSERT, rows)
    return {"saved": len(rows), "receipt": "0-0-0"}


@app.get("/ready")
async def ready() -> dict[str, bool]:
    """Up."""
    return {"ready": True}
