"""A sitting is stopped under a child's hands and goes on with the reserve form: what he sees, on the real engine (D1)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import asyncpg

from tests.browser.player.peer import Pupil
from tests.support.sittings import make_sitting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop


async def _sql(owner_url: str, statement: str, *values: Any) -> list[asyncpg.Record]:
    db = await asyncpg.connect(owner_url)
    try:
        return await db.fetch(statement, *values)
    finally:
        await db.close()


def test_a_stopped_test_goes_on_with_other_questions(
    player: Path, stack: Stack, service: str, owner_url: str, loop: Loop, sitter_at: Callable[..., Sitter]
) -> None:
    """Nothing is handed in; the reserve opens by itself at its time, also after the page was closed in between."""
    assert player
    # Nobody is to wait a random part of a minute here.
    scene = loop.run(make_sitting(stack, owner_url, starts_in_s=-120, reserve=True, spread_s=0), 60)
    seat = scene.seats[0]

    def order(version: int, kind: str, **body: object) -> None:
        statement = "insert into control (sitting_id, scope, scope_id, version, kind, body) values ($1, 'region', $2, $3, $4, $5)"
        loop.run(_sql(owner_url, statement, scene.sitting, "KZ-10", version, kind, json.dumps(body)), 30)

    sitter = sitter_at(service)
    page = sitter.page
    sitter.to_first_question(Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month))
    for _ in range(2):
        sitter.choose(1)
        sitter.next()
    assert "M0" in page.locator("article.question").inner_text()

    order(1, "stop", at_ms=round(time.time() * 1000))
    # The next save brings it; a look away and back saves at once.
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.get_by_role("heading", name="Тестілеу тоқтатылды").wait_for(timeout=45_000)
    assert page.locator("#question").count() == 0

    manifest = loop.run(_sql(owner_url, "select manifest from form_pack where form_id = $1", scene.reserve), 30)
    starts_ms = round(time.time() * 1000) + 25_000
    order(2, "restart", starts_ms=starts_ms, last_entry_ms=starts_ms + 900_000, manifest=manifest[0]["manifest"])
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.locator(".countdown").wait_for(timeout=45_000)
    sitter.reload()
    page.locator(".countdown").wait_for()
    page.locator(".good").wait_for()
    page.locator("#question").wait_for(timeout=120_000)
    assert "R0" in page.locator("article.question").inner_text()
    assert sitter.number() == 1
    for _ in range(6):
        sitter.choose(0)
        sitter.next()
    sitter.finish()
    assert sitter.receipt()

    statement = "select item from response_event where attempt_id = $1 and kind = 1"
    answered = {row["item"] for row in loop.run(_sql(owner_url, statement, seat.attempt), 30)}
    codes = sorted(code for code, item in scene.items.items() if item in answered)
    assert [code for code in codes if code[0] == "R"] == [f"R0{n}" for n in range(1, 7)]
    assert len([code for code in codes if code[0] == "M"]) == 2
    assert sitter.faults == []
