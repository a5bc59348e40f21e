"""From an authored test to the report: the administrator, a child on a bad line, the analyst, each at a real browser."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.async_api import async_playwright as async_driver

from tests.browser import story
from tests.browser.player.peer import Pupil
from tests.browser.player.sitter import FLAGS, Sitter, browser_path
from tests.browser.shown import watch_desk
from tests.faults.conftest import mortal, mortal_owner

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

__all__ = ["mortal", "mortal_owner"]


def choose_something(sitter: Sitter, house: story.House) -> tuple[str, str]:
    """Answer the question on the screen; its authored code, and the answer as the report will show it."""
    page = sitter.page
    page.locator("#question").wait_for()
    if page.locator("fieldset.choices").count():
        item = int((page.locator("fieldset.choices input").first.get_attribute("name") or "").removeprefix("item-"))
        letters = house.letters[house.codes[item]]
        many = page.locator("fieldset.choices input[type=checkbox]").count() > 0
        chosen = []
        for place in (0, 2) if many else (1,):
            page.locator(".option").nth(place).click()
            page.locator(".option").nth(place).and_(page.locator(".chosen")).wait_for()
            chosen.append(letters[shown(sitter, place)])
        return house.codes[item], "+".join(sorted(chosen))
    if page.locator("textarea").count():
        field = page.locator("textarea")
        field.fill("қара тас")
        return house.codes[_item(field.get_attribute("id"))], "қара тас"
    if page.locator(".number input").count():
        field = page.locator(".number input")
        field.fill("17,5")
        # The report shows a number as it was understood: «17,5» and «17.5» are the same answer.
        return house.codes[_item(field.get_attribute("id"))], "17.5"
    gaps = page.locator("select.gap")
    parts: list[str] = []
    code = ""
    for place in range(gaps.count()):
        gap = gaps.nth(place)
        gap.select_option(index=1)
        text = story.plain(gap.locator("option").nth(1).inner_text())
        name = f"g{place + 1}"
        candidates = [item for item, words in house.letters.items() if f"{name}:{text}" in words]
        code = code if code in candidates else candidates[0]
        parts.append(f"{name}={house.letters[code][f'{name}:{text}']}")
    return code, ";".join(parts)


def shown(sitter: Sitter, place: int) -> str:
    """What stands in an option: its text, or its picture's alternative."""
    words = sitter.page.locator(".option .words").nth(place)
    text = story.plain(words.inner_text())
    return text or story.plain(words.locator("img").get_attribute("alt") or "")


def _item(identity: str | None) -> int:
    return int((identity or "").removeprefix("item-"))


def kill_browser(sitter: Sitter) -> None:
    """Kill -9 of the browser that has this profile."""
    profile = str(sitter.profile)
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(f"--user-data-dir={profile}" in word for word in process.info["cmdline"] or []):
                os.kill(process.pid, signal.SIGKILL)
    with contextlib.suppress(Exception):
        sitter.context.close()


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_from_the_administrators_form_to_the_analysts_report(
    mortal: Stack, mortal_owner: str, loop: Loop, playwright: Playwright, tmp_path: Path
) -> None:
    """The network is cut, the browser is killed and opened again; the report has exactly the answers given."""
    house = loop.run(story.furnish(mortal, mortal_owner), 120)

    async def start_browser() -> tuple[object, object]:
        driver = await async_driver().start()
        return driver, await driver.chromium.launch(executable_path=browser_path(), args=FLAGS)

    driver, browser = loop.run(start_browser(), 60)
    watch_desk(browser, loop)  # type: ignore[arg-type]
    sitting, starts, codes = loop.run(story.make_and_publish(browser, house), 120)  # type: ignore[arg-type]
    sitter = Sitter(playwright, house.engine, tmp_path / "phone")
    sitter.page.set_default_timeout(30_000)
    sitter.choose_language("kk")
    sitter.sign_in(Pupil(0, codes["Айгүл"], "Айгүл", 14, 3))
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    until_s = starts.timestamp() - time.time()
    # Who sits in the waiting room at T0 need not touch anything: the test opens by itself.
    sitter.page.locator("#question").wait_for(timeout=(max(0.0, until_s) + 40) * 1000)

    given: dict[str, str] = {}
    count = 0
    while sitter.page.locator("#finish").count() == 0:
        code, answer = choose_something(sitter, house)
        given[code] = answer
        count += 1
        sitter.kept()
        if count == 8:
            sitter.context.set_offline(True)
        if count == 14:
            here = sitter.number()
            kill_browser(sitter)
            sitter.open()
            sitter.page.set_default_timeout(30_000)
            sitter.page.locator("#question").wait_for()
            assert sitter.number() == here
        sitter.page.locator("#next").click()
        sitter.page.wait_for_timeout(50)
    assert count == 30
    sitter.finish()
    code = sitter.receipt()
    assert sitter.faults == []
    sitter.close()

    loop.run(story.end_for_all(browser, house, sitting), 90)  # type: ignore[arg-type]
    report = loop.run(story.answers_in_the_report(browser, house, sitting, "Серікова Айгүл"), 120)  # type: ignore[arg-type]
    loop.run(browser.close(), 30)  # type: ignore[attr-defined]
    loop.run(driver.stop(), 30)  # type: ignore[attr-defined]
    assert report == given
    assert code
