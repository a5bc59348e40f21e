"""Joined systems in a real browser, in Kazakh, on phone and desktop; axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.portal.test_first_rooms import enter
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@phone_first
def test_a_system_is_joined_and_a_webhook_made(loop: Loop, browser: Browser, served: str, *, phone: bool) -> None:
    """By clicks alone: the token and the secret are shown once; nothing hangs over the edge of a phone."""

    async def go() -> None:
        found: list[object] = []
        context, page = await enter(browser, served, "system", phone=phone)

        async def look(name: str) -> None:
            seen = await Axe().run(page, options=RULES)
            found.extend((name, one["id"], one["nodes"][0]["html"][:160]) for one in seen.response["violations"])
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append((name, "wide"))

        await page.goto(f"{served}/language/kk")
        await page.goto(f"{served}/machines")
        await look("list")
        await page.goto(f"{served}/machines/new")
        await look("new")
        await page.fill("#f-name", "Күнделік")
        await page.select_option("#f-project", "birge-oqy")
        await page.check('input[value="birge-pupil"]')
        async with page.expect_navigation():
            await page.click("form.form button.primary")
        await expect(page.locator(".notice code")).to_contain_text("elumiti_")
        await look("token")
        await page.goto(f"{served}/hooks/new")
        await look("new hook")
        await page.fill("#f-name", "Білім порталы")
        await page.fill("#f-url", "https://portal.example.kz/elumiti")
        async with page.expect_navigation():
            await page.click("form.form button.primary")
        await expect(page.locator(".notice code")).to_contain_text("whsec_")
        await look("hook")
        await context.close()
        assert found == []

    loop.run(go(), 90)
