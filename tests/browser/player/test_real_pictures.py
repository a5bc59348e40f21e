"""The camera of a real browser on the real engine and the real ingest: what other tests only play, seen once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.parts.supervisor import pictures_argv
from tests.browser.player.before_camera import FAKE, PHONE, sit_down
from tests.support.camera_consent import sitting_with_camera, withdraw_camera
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop

QUICK = {"ELUMITI_SEGMENT_S": "0.3", "ELUMITI_REFRESH_EVERY_S": "0.3"}


@pytest.fixture
def ingest(stack: Stack, loop: Loop) -> Iterator[str]:
    """Its origin."""
    stack.overrides["proctoring"] = QUICK
    argv, port = pictures_argv(stack.home, 1), stack.home.ports.pictures
    loop.run(stack.start_process("pictures", "proctoring", argv, port), 60)
    yield f"http://127.0.0.1:{port}"
    loop.run(stack.parts.pop("pictures").down(), 30)


def test_pictures_of_a_real_browser_reach_the_index_and_end_with_the_consent(
    player: Path, stack: Stack, service: str, ingest: str, owner_url: str, loop: Loop, sitter_at: Callable[..., Sitter]
) -> None:
    """Photo and snapshots are rows in Postgres; the consent withdrawn, the camera goes out within seconds; the test goes on."""
    assert player

    made, person = loop.run(sitting_with_camera(stack, owner_url, every_s=5), 60)
    seat = made.seats[0]
    sitter = sitter_at(service, flags=FAKE, viewport=PHONE, ours=(ingest,))

    def ask(sql: str, *given: object) -> list[asyncpg.Record]:
        async def asked() -> list[asyncpg.Record]:
            db = await asyncpg.connect(owner_url)
            try:
                return await db.fetch(sql, *given)
            finally:
                await db.close()

        return loop.run(asked(), 30)

    def kinds() -> list[str]:
        return [row["kind"] for row in ask("select kind from picture where attempt_id = $1 order by seq", seat.attempt)]

    sit_down(sitter, seat)
    until(lambda: kinds()[:1] == ["identity"] and kinds().count("snapshot") >= 2, limit_s=40)

    async def withdraw() -> None:
        db = await asyncpg.connect(owner_url)
        await withdraw_camera(db, person)
        await db.close()

    loop.run(withdraw(), 30)
    sitter.page.get_by_text("келісім қайтарып алынды").wait_for(timeout=30_000)
    until(lambda: sitter.pictures_stored() == 0)
    for _ in range(6):
        sitter.page.locator("#question").wait_for()
        sitter.choose(2)
        sitter.next()
    sitter.finish()
    assert sitter.receipt()
