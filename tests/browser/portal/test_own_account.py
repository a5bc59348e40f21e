"""The own account in a real browser: e-mail, forgotten password, bell, history, outbox; each page fits and is accessible."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import asyncpg
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.portal.conftest import PASSWORD
from tests.browser.portal.test_first_rooms import enter
from tests.support.mailbox import text_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.loop import Loop
    from tests.support.mailbox import Mailbox

SIZES = {"phone": {"width": 360, "height": 800}, "desktop": {"width": 1440, "height": 900}}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
NEW = "ұзақ әрі жаңа құпиясөз"
EMAIL = "reader@mail.test"


async def look(page: Page) -> None:
    """On both sizes: nothing hangs over the edge, axe finds nothing."""
    for size in SIZES.values():
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.evaluate("document.fonts.ready")
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, (page.url, size, over)
        found = await Axe().run(page, options=RULES)
        assert found.violations_count == 0, (page.url, size, found.generate_report())


async def link_to(mailbox: Mailbox, path: str) -> str:
    """The link of the newest letter that leads there; the worker sends it of itself."""
    pattern = re.compile(rf"http://\S+{re.escape(path)}\?token=\S+")
    async with asyncio.timeout(20):
        while True:
            texts = [text_of(letter) for letter in mailbox.taken if letter["to"] == EMAIL]
            if texts and (found := pattern.search(texts[-1])):
                return found[0]
            await asyncio.sleep(0.1)


async def the_way(browser: Browser, served: str, mailbox: Mailbox) -> None:
    context, page = await enter(browser, served, "reader")
    await page.goto(f"{served}/account")
    await page.fill("#f-email", EMAIL)
    await page.fill("#f-email_present", PASSWORD)
    async with page.expect_navigation():
        await page.click('form[action="/account/email"] button >> nth=0')
    await expect(page.locator(".tag.sun")).to_be_visible()
    await look(page)
    await page.goto(await link_to(mailbox, "/account/email"))
    await look(page)
    async with page.expect_navigation():
        await page.click('form[action$="/confirm"] button')
    await expect(page.locator(".notice.leaf")).to_be_visible()
    await look(page)

    async with page.expect_navigation():
        await page.click('a[href="/forgotten"]')
    await look(page)
    await page.fill("#f-login", "browser-reader")
    async with page.expect_navigation():
        await page.click("form.stack button.primary")
    await look(page)
    await page.goto(await link_to(mailbox, "/forgotten/new"))
    await look(page)
    await page.fill("#f-new", NEW)
    async with page.expect_navigation():
        await page.click("form.stack button.primary")
    await page.fill("#f-login", "browser-reader")
    await page.fill("#f-password", NEW)
    async with page.expect_navigation():
        await page.click("form.stack button.primary")
    for path in ("/account", "/notices", "/history", "/history?act=account.session.began"):
        await page.goto(f"{served}{path}")
        await look(page)
    await context.close()


def test_from_an_e_mail_to_a_new_password(loop: Loop, browser: Browser, served: str, mailbox: Mailbox) -> None:
    """With the worker and a mail server as they run."""
    loop.run(the_way(browser, served, mailbox), 110)


async def the_bell(browser: Browser, served: str, owner_url: str) -> None:
    """What comes while a page is open shows in its bell without a reload; the list and the outbox are looked at too."""
    context, page = await enter(browser, served, "super")
    await page.goto(f"{served}/outbox")
    await look(page)
    await expect(page.locator(".bell-count")).to_have_count(0)
    db = await asyncpg.connect(owner_url)
    await db.execute(
        """
        insert into notice (staff_id, kind, about, filled, link)
        select s.id, kinds.kind, 'browser', kinds.filled::jsonb, '/acts'
        from staff s, (values
            ('act.waits', '{"act": {"text": "Send a message"}, "asker": "Айгерім"}'),
            ('job.failed', '{"job": {"text": "Taking in the pupils"}}'),
            ('grant.ends', '{"role": {"kk": "тест әкімшісі"}, "day": {"day": "2026-12-01T18:59:00+00:00"}}'),
            ('sign-in.new', '{"address": "10.0.0.1", "moment": {"moment": "2026-11-23T09:00:00+00:00"}}')
        ) as kinds (kind, filled)
        where s.login = 'browser-super'
        """
    )
    await db.close()
    # It asks each minute, and at once when its person comes back to it.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator(".bell-count")).to_have_text("4")
    async with page.expect_navigation():
        await page.click(".bell a")
    await look(page)
    async with page.expect_navigation():
        await page.click('form[action$="/open"] button >> nth=0')
    await expect(page).to_have_url(f"{served}/acts")
    await expect(page.locator(".bell-count")).to_have_text("3")
    await context.close()


def test_the_bell_rings_on_an_open_page(loop: Loop, browser: Browser, served: str, owner_url: str) -> None:
    """By the polling that the frame has."""
    loop.run(the_bell(browser, served, owner_url), 60)
