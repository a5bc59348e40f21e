"""Roles, raised sessions, other eyes and modules in a real browser, in Kazakh, on phone and desktop; axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.portal.conftest import PASSWORD
from tests.browser.portal.test_first_rooms import enter
from tests.browser.portal.test_keys import KEY
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

PAGES = (
    *("/roles", "/roles?of=house", "/grants?which=all", "/see-as", "/modules", "/raise", "/second-factor", "/account"),
    "/why?login=browser-analyst&permission=score.view",
    "/why?login=browser-analyst&permission=slip.print",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@phone_first
def test_axe_finds_nothing_on_the_pages_of_rights(loop: Loop, browser: Browser, served: str, phone: bool) -> None:
    """Contrast, names, labels, order: WCAG 2.2 AA as far as a machine sees it."""

    async def go() -> None:
        context, page = await enter(browser, served, "super", phone=phone)
        await page.goto(f"{served}/language/kk")
        found: list[object] = []
        # Wide, only what is laid out otherwise than on the phone.
        for path in PAGES if phone else PAGES[:3]:
            await page.goto(f"{served}{path}")
            seen = await Axe().run(page, options=RULES)
            found += [
                (path, one["id"], [node["html"][:160] for node in one["nodes"][:3]])
                for one in seen.response["violations"]
            ]
        await context.close()
        assert found == []

    loop.run(go(), 110)


def test_a_super_admin_looks_through_other_eyes_and_comes_back(loop: Loop, browser: Browser, served: str) -> None:
    """The frame says as whom, for how long and why; one button each ends it."""

    async def go() -> None:
        context, page = await enter(browser, served, "super")
        await page.goto(f"{served}/language/kk")
        await expect(page.locator(".main > .notice")).to_contain_text("Кеңейтілген құқықтағы сессия: 30 мин қалды")
        await page.goto(f"{served}/see-as?role=myn-bala-coordinator")
        async with page.expect_navigation():
            await page.click("form.form button.primary")
        await expect(page.locator(".main > .notice")).to_contain_text("Порталды мына рөлмен көріп отырсыз: үйлестіруші")
        await expect(page.locator('.side a[href="/staff"]')).to_have_count(0)
        async with page.expect_navigation():
            await page.click("form[action='/see-as/end'] button")
        await expect(page.locator('.side a[href="/staff"]')).to_have_count(1)
        async with page.expect_navigation():
            await page.click("form[action='/raise/end'] button")
        await expect(page.locator(".main > .notice")).to_have_count(0)
        await expect(page.locator("a.raise")).to_have_count(1)
        await context.close()

    loop.run(go(), 60)


def test_a_privileged_login_adds_a_key_and_touches_it_at_each_sign_in(
    loop: Loop, browser: Browser, served: str
) -> None:
    """The first sign-in asks to add a proof, the second to show it; before that no page opens."""
    home = served.replace("127.0.0.1", "localhost")

    async def go() -> None:
        context = await browser.new_context(viewport={"width": 360, "height": 800}, locale="kk-KZ")
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        for first in (True, False):
            await page.goto(f"{home}/sign-in")
            await page.fill("#f-login", "browser-strict")
            await page.fill("#f-password", PASSWORD)
            async with page.expect_navigation():
                await page.click("form.stack button.primary")
            await expect(page).to_have_url(f"{home}/second-factor?next=/")
            if first:
                await page.fill("#f-name", "Кілттер бауындағы")
                await page.click("form[data-key=register] button")
            else:
                await page.click("form[data-key=confirm] button")
            await expect(page).to_have_url(f"{home}/")
            # On a phone it lies in the menu.
            await page.click("[data-menu]")
            async with page.expect_navigation():
                await page.click(".side form[action='/sign-out'] button")
        await context.close()

    loop.run(go(), 60)
