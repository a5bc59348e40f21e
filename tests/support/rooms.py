"""Room codes at T0, as the release process opens them: with its own role and key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import asyncpg

from engine.rooms.release import Release
from infra.local import decode_key, environment
from infra.settings import ReleaseSettings, read

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.sittings import Scene


async def release_codes(stack: Stack, sitting: int, ahead_ms: int = 0) -> int:
    """What the release process does at each look, with its own role and key; its clock so far ahead."""
    given = read(ReleaseSettings, environment(stack.home, "release"))
    release = Release(
        decode_key(given.release_private_key), demo=False, own_ms=lambda: time.time_ns() // 1_000_000 + ahead_ms
    )
    connection = await asyncpg.connect(given.database_url)
    try:
        return (await release.open_due(connection, sitting)).get(sitting, 0)
    finally:
        await connection.close()


async def codes(db: asyncpg.Connection[asyncpg.Record], scene: Scene) -> dict[int, str]:
    """Room → its open code in clear, of the sitting's form."""
    rows = await db.fetch(
        """
        select c.room_id, o.code from room_code c join room_code_open o using (form_id, number)
        where c.form_id = $1 and c.closed_at is null and c.room_id is not null
        """,
        scene.form,
    )
    return {row["room_id"]: row["code"] for row in rows}
