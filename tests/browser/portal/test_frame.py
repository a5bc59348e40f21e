"""The frame of every page in a real browser: the search over everything by keys alone, folded sections, the dark look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.portal.test_first_rooms import enter
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

DARK = "rgb(16, 24, 31)"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def test_the_search_is_used_by_keys_alone(loop: Loop, browser: Browser, served: str) -> None:
    """Ctrl K, a few letters, arrow, Enter; Escape gives the focus back to where it was."""

    async def go() -> None:
        context, page = await enter(browser, served, "admin", phone=False)
        await page.goto(f"{served}/language/kk?next=/sittings")
        await page.focus(".top-search")
        await page.keyboard.press("Control+k")
        await expect(page.locator("#palette-q")).to_be_focused()
        await expect(page.locator("#palette-found a").first).to_be_visible()
        seen = await Axe().run(page, options=RULES)
        assert seen.response["violations"] == []
        await page.keyboard.type("тізі")
        await expect(page.locator("#palette-found a").first).to_contain_text("Тізілім")
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("#palette-found a").first).to_be_focused()
        await page.keyboard.press("ArrowUp")
        await expect(page.locator("#palette-q")).to_be_focused()
        # Quicker than any answer: what stands there is the answer to fewer letters, and is not opened.
        await page.fill("#palette-q", "қызметкерлер")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url.startswith(f"{served}/search?q=")
        await page.goto(f"{served}/sittings")
        await page.focus(".top-search")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("тізі")
        await expect(page.locator("#palette-found a").first).to_contain_text("Тізілім")
        await page.keyboard.press("Escape")
        await expect(page.locator(".top-search")).to_be_focused()
        await page.keyboard.press("Control+k")
        await expect(page.locator("#palette-found a").first).to_contain_text("Тізілім")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url == f"{served}/persons"
        await context.close()

    loop.run(go(), 60)


@phone_first
def test_a_look_is_chosen_and_stays(loop: Loop, browser: Browser, served: str, *, phone: bool) -> None:
    """Dark on every page whatever the device says, with letters that can be read; light again."""

    async def go() -> None:
        context, page = await enter(browser, served, "admin", phone=phone)
        await page.goto(f"{served}/account")
        light = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        async with page.expect_navigation():
            await page.click('.line a[href^="/look/dark"]')
        for path in ("/", "/sittings", "/persons", "/style", "/search?q=айг"):
            await page.goto(f"{served}{path}")
            assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == DARK, path
            seen = await Axe().run(page, options=RULES)
            assert [(path, one["id"], one["nodes"][0]["html"][:120]) for one in seen.response["violations"]] == []
            assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
        await page.goto(f"{served}/look/light?next=/account")
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == light
        await context.close()

    loop.run(go(), 90)


def test_a_folded_section_stays_folded(loop: Loop, browser: Browser, served: str) -> None:
    """On the next page too; the one that holds the page is open."""

    async def go() -> None:
        context, page = await enter(browser, served, "admin", phone=False)
        await page.click('details[data-section="people"] summary')
        await page.goto(f"{served}/sittings")
        await expect(page.locator('.side a[href="/persons"]')).to_be_hidden()
        await page.goto(f"{served}/persons")
        await expect(page.locator('.side a[href="/persons"]')).to_be_visible()
        await context.close()

    loop.run(go(), 60)


def test_on_a_phone_the_search_is_one_tap_away(loop: Loop, browser: Browser, served: str) -> None:
    """And fits the screen."""

    async def go() -> None:
        context, page = await enter(browser, served, "admin", phone=True)
        await page.click(".top-search")
        await page.fill("#palette-q", "жаңа")
        await expect(page.locator("#palette-found")).to_contain_text("Жаңа")
        box = await page.locator("#palette").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= await page.evaluate("innerWidth")
        await context.close()

    loop.run(go(), 60)
