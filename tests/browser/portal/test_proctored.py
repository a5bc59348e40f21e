"""Proctoring in a sitting's form, in a real browser, in Kazakh, on phone and desktop: chosen, seen again, axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe

from tests.browser.portal.test_first_rooms import enter, make_sitting
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop


@phone_first
def test_a_sitting_is_proctored_by_its_form(loop: Loop, browser: Browser, served: str, phone: bool) -> None:
    async def run() -> None:
        context, page = await enter(browser, served, "admin", phone=phone)
        url = await make_sitting(page, served, f"Камерамен {phone}")
        await page.goto(f"{url}/edit")
        await page.check('input[name="watch"][value="snapshots"]')
        await page.select_option("#f-watch_every_s", "20")
        assert (await Axe().run(page)).violations_count == 0
        await page.locator("fieldset", has=page.locator('input[name="watch"]')).first.scroll_into_view_if_needed()
        await page.click("form.form button.primary")
        await page.wait_for_selector("ol.steps")
        assert "Әр 20 секунд сайын түсірілім, 90 күн сақталады" in await page.inner_text("main")
        assert (await Axe().run(page)).violations_count == 0
        await context.close()

    loop.run(run(), 100)
