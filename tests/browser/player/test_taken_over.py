"""SAFETY J4 at the child's own browser: a stranger takes the attempt over, and one button brings the child back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.browser.player.peer import Pupil
from tests.support.pupil import Pupil as Stranger
from tests.support.sittings import Scene, make_sitting
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop


@pytest.mark.parametrize("entries", [pytest.param(1, marks=pytest.mark.wide), 2])
def test_the_child_goes_on_with_his_answers(
    player: Path,
    stack: Stack,
    service: str,
    owner_url: str,
    loop: Loop,
    sitter_at: Callable[..., Sitter],
    entries: int,
) -> None:
    """After one entry of the stranger the child's new log is let in, after two his old one is given back to him."""
    assert player
    scene = loop.run(make_sitting(stack, owner_url, starts_in_s=-120), 60)
    seat = scene.seats[0]
    pupil = Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month)
    loop.run(
        eventually(lambda: refused_as(lambda: Stranger(service, seat).sign_in(day=1 + seat.day), "birth-mismatch"))
    )
    sitter = sitter_at(service)
    sitter.to_first_question(pupil)
    sitter.choose(0)
    first = sitter.page.locator(".option.chosen .words").inner_text()
    sitter.next()
    sitter.choose(1)
    sitter.kept()
    # What the child answered himself is his: the stranger's newer answer to the same item would count (rule 8).
    mine = {first.rsplit(" ", 1)[1], sitter.page.locator(".option.chosen .words").inner_text().rsplit(" ", 1)[1]}
    other = next(code for code in sorted(scene.items) if code not in mine and "D" in scene.options.get(code, {}))
    for _ in range(entries):
        loop.run(enter(service, scene, other))
    sitter.context.set_offline(offline=True)
    sitter.context.set_offline(offline=False)
    sitter.page.locator("#go-on-here").click(timeout=40_000)
    sitter.sign_in(pupil)
    sitter.page.locator("#question").wait_for(timeout=30_000)
    sitter.go_to(1)
    assert sitter.page.locator(".option.chosen .words").inner_text() == first
    sitter.choose(2)
    last = sitter.page.locator(".option.chosen .words").inner_text()
    sitter.kept()
    loop.run(refused_as(lambda: Stranger(service, seat).sign_in(), "device-held"))
    loop.run(eventually(lambda: stands(owner_url, scene, last), 60), 90)


async def enter(service: str, scene: Scene, code: str) -> None:
    """The stranger has slip and birth day, and answers this item."""
    stranger = Stranger(service, scene.seats[0])
    await stranger.sign_in()
    stranger.answer(scene.items[code], scene.options[code]["D"])
    await stranger.save_until_durable()


async def stands(owner_url: str, scene: Scene, words: str) -> None:
    """The child's newest answer is the one that counts: by device epoch, then number (rule 8)."""
    db = await asyncpg.connect(owner_url)
    try:
        rows = await db.fetch(
            """
            select distinct on (e.item) e.item, e.value
            from response_event e join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
            where e.attempt_id = $1 and e.kind = 1
            order by e.item, d.epoch desc, e.seq desc
            """,
            scene.seats[0].attempt,
        )
    finally:
        await db.close()
    codes = {number: code for code, number in scene.items.items()}
    found = set()
    for row in rows:
        code = codes[row["item"]]
        letter = next(letter for letter, number in scene.options[code].items() if number == json.loads(row["value"]))
        found.add(f"kk option {letter} of {code}")
    assert words in found
