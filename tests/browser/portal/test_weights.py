"""What events weigh in a sitting, in a real browser, in Kazakh, on phone and desktop; axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe

from tests.browser.portal.test_first_rooms import enter
from tests.browser.portal.test_proctoring import Room, photographed, room
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

__all__ = ["room"]


@phone_first
def test_a_weight_is_set_and_a_slip_is_told(loop: Loop, browser: Browser, served: str, room: Room, phone: bool) -> None:
    """The house's number in grey, one's own in its place; nothing is wider than the screen."""

    async def run() -> None:
        context, page = await enter(browser, served, "admin", phone=phone)
        await page.goto(f"{served}/sittings/{room.sitting}/weights")
        await photographed(page, f"weights-{'phone' if phone else 'desktop'}")
        await page.fill("[name='paste.weight']", "уш")
        await page.fill("[name='copy.weight']", "2,5")
        await page.click("form[action$='/weights'] button.primary")
        assert await page.locator("[name='paste.weight'][aria-invalid]").count() == 1
        await photographed(page, f"weights-wrong-{'phone' if phone else 'desktop'}")
        await page.fill("[name='paste.weight']", "")
        await page.click("form[action$='/weights'] button.primary")
        await page.wait_for_url("**/weights?kept=1")
        assert await page.input_value("[name='copy.weight']") == "2,5"
        assert await page.get_by_text("осы сессияда", exact=True).count() == 1
        await photographed(page, f"weights-kept-{'phone' if phone else 'desktop'}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        await context.close()

    loop.run(run(), 60)
