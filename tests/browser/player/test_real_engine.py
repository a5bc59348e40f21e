"""The built page on the real engine: what the peer only plays, seen once on the real parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from tests.browser.player.peer import Pupil
from tests.support.sittings import make_sitting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop


def test_answers_of_a_real_browser_reach_postgres(
    player: Path, stack: Stack, service: str, owner_url: str, loop: Loop, sitter_at: Callable[..., Sitter]
) -> None:
    """Sign-in, bundle, key, save, finish, receipt: the rows in Postgres are the answers that were on the screen."""
    assert player
    scene = loop.run(make_sitting(stack, owner_url, starts_in_s=-120), 60)
    seat = scene.seats[0]
    pupil = Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month)
    sitter = sitter_at(service)
    sitter.choose_language()
    sitter.sign_in(pupil)
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator("#start").click()
    chosen: list[str] = []
    for _ in range(6):
        sitter.page.locator("#question").wait_for()
        sitter.choose(2)
        chosen.append(sitter.page.locator(".option.chosen .words").inner_text())
        sitter.next()
    sitter.finish()
    code = sitter.receipt()

    async def in_postgres() -> tuple[list[str], str]:
        db = await asyncpg.connect(owner_url)
        try:
            rows = await db.fetch(
                "select item, value from response_event where attempt_id = $1 and kind = 1 order by seq", seat.attempt
            )
            sealed = await db.fetchval("select code from seal where attempt_id = $1", seat.attempt)
        finally:
            await db.close()
        item_codes = {item: code for code, item in scene.items.items()}
        words = []
        for row in rows:
            name = item_codes[row["item"]]
            letter = next(letter for letter, number in scene.options[name].items() if number == int(row["value"]))
            words.append(f"kk option {letter} of {name}")
        return words, sealed

    words, sealed = loop.run(in_postgres(), 30)
    assert words == chosen
    assert sealed == code
