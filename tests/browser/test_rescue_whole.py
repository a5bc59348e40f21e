"""SAFETY J8 with the player's own file: no network comes back, the answers reach the report by a messenger, once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from playwright.async_api import async_playwright as async_driver

from infra.parts.supervisor import portal_argv
from tests.browser import story
from tests.browser.player.peer import Pupil
from tests.browser.player.sitter import FLAGS, Sitter, browser_path
from tests.browser.shown import watch_desk
from tests.faults.conftest import mortal, mortal_owner
from tests.support.sittings import Scene, Seat, make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from playwright.async_api import Browser
    from playwright.sync_api import Playwright

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

__all__ = ["mortal", "mortal_owner"]


def sit_and_lose_the_line(sitter: Sitter, seat: Seat, folder: Path) -> tuple[Path, list[str]]:
    """Two answers with a network, four without, handed in, and the file saved. Returns it and what was chosen."""
    sitter.choose_language()
    sitter.sign_in(Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month))
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator("#start").click()
    chosen: list[str] = []
    for place in range(6):
        sitter.page.locator("#question").wait_for()
        if place == 2:
            sitter.context.set_offline(True)
        sitter.choose(place % 4)
        chosen.append(sitter.page.locator(".option.chosen .words").inner_text())
        sitter.kept()
        sitter.next()
    sitter.finish()
    sitter.page.locator("#rescue").wait_for(timeout=30_000)
    with sitter.page.expect_download() as waiting:
        sitter.page.locator("section[aria-labelledby=rescue] button").first.click()
    assert waiting.value.suggested_filename == f"elumiti-{seat.attempt}.rescue"
    file = folder / f"{seat.attempt}.rescue"
    waiting.value.save_as(file)
    return file, chosen


async def send(browser: Browser, house: story.House, sitting: int, body: bytes, name: str = "a.rescue") -> str:
    """The administrator gives the page a file; the words of the page that answers."""
    page = await story.enter(browser, house, "admin")
    await page.goto(f"{house.portal}/sittings/{sitting}/rescue")
    await page.set_input_files("#f-file", {"name": name, "mimeType": "application/octet-stream", "buffer": body})
    await page.fill("#f-reason", "Мектепте желі қалпына келмеді")
    async with page.expect_navigation():
        await page.click("form.stack button.primary")
    said = await page.inner_text("main")
    await page.context.close()
    return said


async def agree(browser: Browser, house: story.House) -> str:
    """The second person sees before → after and does it; the words of what he saw."""
    page = await story.enter(browser, house, "second")
    await page.goto(f"{house.portal}/acts")
    seen = await page.inner_text("main")
    async with page.expect_navigation():
        await page.click('button[name="do"][value="do"]')
    await page.context.close()
    return seen


async def answers(owner_url: str, scene: Scene, seat: Seat) -> list[str]:
    """What Postgres holds, as it stood on the screen, in the order of the log."""
    db = await asyncpg.connect(owner_url)
    try:
        rows = await db.fetch(
            "select item, value from response_event where attempt_id = $1 and kind = 1 order by device, seq",
            seat.attempt,
        )
    finally:
        await db.close()
    codes = {number: code for code, number in scene.items.items()}
    letters = {code: {number: letter for letter, number in options.items()} for code, options in scene.options.items()}
    return [
        f"kk option {letters[codes[row['item']]][json.loads(row['value'])]} of {codes[row['item']]}" for row in rows
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_phone_without_a_network_is_rescued_by_its_file(
    mortal: Stack,
    mortal_owner: str,
    loop: Loop,
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    """Two persons take it in; each answer is there once, the receipt is made; altered, cut and foreign files are refused."""
    loop.run(story.hire(mortal_owner), 30)
    loop.run(mortal.start_process("portal", "portal", portal_argv(mortal.home), mortal.home.ports.portal), 60)
    base = f"http://127.0.0.1:{mortal.home.ports.engine}"
    house = story.House(portal=f"http://127.0.0.1:{mortal.home.ports.portal}", engine=base, codes={}, letters={})
    scene = loop.run(make_sitting(mortal, mortal_owner, pupils=2, starts_in_s=-120), 60)
    other = loop.run(make_sitting(mortal, mortal_owner, starts_in_s=-120), 60)
    seat = scene.seats[0]
    sitter = Sitter(playwright, base, tmp_path / "phone")
    file, chosen = sit_and_lose_the_line(sitter, seat, tmp_path)
    body = file.read_bytes()
    assert b"option" not in body
    assert seat.code.encode() not in body

    async def start_browser() -> tuple[object, Browser]:
        driver = await async_driver().start()
        return driver, await driver.chromium.launch(executable_path=browser_path(), args=FLAGS)

    driver, browser = loop.run(start_browser(), 60)
    watch_desk(browser, loop)
    refused = "құтқару файлы емес"
    turned = body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]
    for bad in (turned, body[: len(body) // 2], body[:-1], b"", b"%PDF-1.7"):
        assert refused in loop.run(send(browser, house, scene.sitting, bad), 60)
    # Another sitting's page, and a file whose first line was made to name it.
    assert "дәлелдемейді" in loop.run(send(browser, house, other.sitting, body), 60)
    line, _, sealed = body.partition(b"\n")
    moved = json.dumps({**json.loads(line), "sitting": other.sitting}).encode() + b"\n" + sealed
    assert refused in loop.run(send(browser, house, other.sitting, moved), 60)
    before = loop.run(answers(mortal_owner, scene, seat), 30)
    assert before == chosen[: len(before)], "nothing refused changed anything"
    assert len(before) < 6

    loop.run(send(browser, house, scene.sitting, body), 60)
    assert loop.run(answers(mortal_owner, scene, seat), 30) == before, "one person alone changes nothing"
    seen = loop.run(agree(browser, house), 60)
    assert "Сәрсенов Айдар" in seen
    assert str(6 - len(before)) in seen
    assert loop.run(answers(mortal_owner, scene, seat), 30) == chosen
    assert "дерекқорда бар" in loop.run(send(browser, house, scene.sitting, body), 60)
    assert loop.run(answers(mortal_owner, scene, seat), 30) == chosen

    async def sealed_for_good() -> str:
        db = await asyncpg.connect(mortal_owner)
        try:
            code = await db.fetchval("select code from seal where attempt_id = $1", seat.attempt)
        finally:
            await db.close()
        assert code
        return code

    assert loop.run(eventually(sealed_for_good, 40), 60)
    assert sitter.faults == []
    sitter.close()
    loop.run(asyncio.wait_for(browser.close(), 30), 60)
    loop.run(driver.stop(), 30)  # type: ignore[attr-defined]
