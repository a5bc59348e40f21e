"""A security key in a real browser: added on the account page, asked for by the outage page and by the second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.browser.portal.test_first_rooms import enter

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.loop import Loop

KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": False,
    "automaticPresenceSimulation": True,
}


async def with_key(browser: Browser, home: str, login: str, *, phone: bool = False) -> Page:
    """A signed-in person whose browser has a key plugged in, added to the account."""
    context, page = await enter(browser, home, login, phone=phone)
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    await page.goto(f"{home}/account")
    await page.fill("#f-name", "Кілттер бауындағы")
    await page.fill("#f-present", "steppe and sky")
    await page.click("form[data-key=register] button")
    await expect(page.locator("form[action$='/remove']")).to_have_count(1)
    return page


def test_a_pair_declares_an_outage_with_keys(browser: Browser, served: str, loop: Loop) -> None:
    """Both touch a key; then the banner is on every page, on the phone too, until one of them ends it."""
    # A browser takes no bare number for a key's address.
    home = served.replace("127.0.0.1", "localhost")

    async def go() -> None:
        first = await with_key(browser, home, "admin")
        second = await with_key(browser, home, "second", phone=True)
        await first.goto(f"{home}/waiver")
        await first.fill("#f-reason", "Байланыс үзілді")
        await first.click("form[data-key=confirm] button.primary")
        await expect(first).to_have_url(f"{home}/acts?asked=1")
        await second.goto(f"{home}/acts")
        await second.click("form[data-key=confirm] button[value=do]")
        await expect(second.locator(".notice.clay")).to_contain_text("Байланыс үзілді")
        await first.goto(f"{home}/")
        await expect(first.locator(".notice.clay")).to_contain_text("екінші адам қажет емес")
        await first.goto(f"{home}/waiver")
        await first.click("form[action='/waiver/end'] button")
        await expect(first.locator(".notice.clay")).to_have_count(0)
        await first.context.close()
        await second.context.close()

    loop.run(go(), 120)
