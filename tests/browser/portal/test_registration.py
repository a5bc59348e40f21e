"""Registering in a real browser, in Kazakh, on phone and desktop, without script where a form needs none; axe finds nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from portal.core.accounts import Place, create_staff, give_role, school_year_end
from portal.core.db import prepare
from tests.browser.portal.conftest import PASSWORD
from tests.browser.portal.test_first_rooms import enter
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.gateway import Gateway
    from tests.support.loop import Loop

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
OWN = "көк аспан мен дала"
marks = itertools.count(1)
SHOTS = os.environ.get("ELUMITI_SHOTS", "")


class Looker:
    """Looks at each page as it comes: axe, nothing over the edge, a picture where one is asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[object] = []

    async def look(self, page: Page, what: str) -> None:
        seen = await Axe().run(page, options=RULES)
        self.found.extend((what, one["id"], one["nodes"][0]["html"][:160]) for one in seen.response["violations"])
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self.found.append((what, "hangs over the edge"))
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"{self.name}-{what}.png", full_page=True)


async def sms(gateway: Gateway, phone: str, how_many: int) -> str:
    """The newest of so many that the worker sent there."""
    for _ in range(150):
        if len(gateway.of(phone)) >= how_many:
            return gateway.of(phone)[-1]
        await asyncio.sleep(0.1)
    raise AssertionError(gateway.sent)


async def press(page: Page, where: str) -> None:
    async with page.expect_navigation():
        await page.click(where)


@pytest.fixture(scope="module")
def teacher(loop: Loop, owner_url: str, served: str) -> str:
    """A teacher of one class of the browser's region."""
    assert served

    async def write() -> str:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        school = await db.fetchval("select id from school where code = 'BR-1'")
        staff = await create_staff(
            db, login="browser-teacher", full_name="Сейітова Гүлнар", password=PASSWORD, demo=True
        )
        ends = school_year_end(dt.datetime.now(dt.UTC))
        where = Place(school=school, class_name="7А")
        await give_role(db, staff_id=staff, role="birge-teacher", ends_at=ends, place=where, project="birge-oqy")
        await db.close()
        return "teacher"

    return loop.run(write(), 30)


async def fill_who(page: Page, first: str) -> str:
    login = f"asem{next(marks)}"
    for name, value in (
        ("last_name", "Оспанова"),
        ("first_name", first),
        ("birth_date", "14.03.2013"),
        ("login", login),
        ("password", OWN),
    ):
        await page.fill(f"#f-{name}", value)
    return login


@phone_first
def test_a_child_registers_and_a_parent_signs(
    loop: Loop, browser: Browser, served: str, gateway: Gateway, *, phone: bool
) -> None:
    """By the child's phone: code, form, the parent's link, code, own page."""

    async def go() -> None:
        looker = Looker("phone" if phone else "desktop")
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
        mark = next(marks)
        own, parents = f"+7702000{mark:04d}", f"+7703000{mark:04d}"
        context = await browser.new_context(viewport=size, java_script_enabled=True)
        page = await context.new_page()
        await page.goto(f"{served}/language/kk?next=/register")
        await looker.look(page, "1-choose")
        await page.goto(f"{served}/register/email")
        await looker.look(page, "1-email")
        await page.goto(f"{served}/register/phone")
        await looker.look(page, "2-phone")
        await page.fill("#f-phone", own)
        await press(page, "form button.primary")
        await looker.look(page, "3-code")
        await page.fill("#f-code", "000000")
        await press(page, "form button.primary")
        await looker.look(page, "3-code-wrong")
        await page.fill("#f-code", re.findall(r"\d{6}", await sms(gateway, own, 1))[0])
        await press(page, "form button.primary")
        await page.select_option("#f-region", "KZ-B")
        await press(page, "button[name=reload]")
        await page.select_option("#f-school", label="№1 мектеп")
        await page.fill("#f-grade", "7")
        await looker.look(page, "4-form")
        await fill_who(page, "Әсем")
        await page.fill("#f-password", "qwerty")
        await press(page, "button.primary:not([name])")
        await looker.look(page, "4-form-wrong")
        await fill_who(page, "Әсем")
        await press(page, "button.primary:not([name])")
        await expect(page.locator("h1")).to_contain_text("Оспанова Әсем")
        await looker.look(page, "5-own-waits")
        await page.check("#f-agreed")
        await page.fill("#f-given_by", "Оспанова Сәуле")
        await page.fill("#f-address", parents)
        await press(page, "form[action='/own/parent'] button.primary")
        await expect(page.locator("main")).to_contain_text("Оспанова Сәуле")
        await looker.look(page, "6-own-sent")
        other = await browser.new_context(viewport=size)
        parent = await other.new_page()
        await parent.goto(f"{served}/language/kk")
        link = (await sms(gateway, parents, 1)).partition("/consent?")[2]
        await parent.goto(f"{served}/consent?{link}")
        await looker.look(parent, "7-consent")
        await parent.check("#p-sitting")
        await press(parent, "button.primary")
        await looker.look(parent, "7-consent-without")
        for code in ("registry", "sitting", "contact"):
            await parent.check(f"#p-{code}")
        await press(parent, "button.primary")
        await looker.look(parent, "8-sign")
        await parent.fill("#f-code", re.findall(r"\d{6}", await sms(gateway, parents, 2))[0])
        await press(parent, "button.primary")
        await looker.look(parent, "9-done")
        await parent.goto(f"{served}/consent/stop")
        await looker.look(parent, "10-stop")
        await parent.fill("#f-phone", parents)
        await press(parent, "button.primary")
        link = (await sms(gateway, parents, 3)).partition("/consent/withdraw?")[2]
        await parent.goto(f"{served}/consent/withdraw?{link}")
        await looker.look(parent, "11-withdraw")
        await parent.check("#p-contact")
        await press(parent, "button.danger")
        await other.close()
        await page.goto(f"{served}/")
        await looker.look(page, "12-card")
        await press(page, ".tabs a[href='/me/consents']")
        await expect(page.locator("main")).to_contain_text("Оспанова Сәуле")
        await looker.look(page, "13-consents")
        await context.close()
        assert looker.found == []

    loop.run(go(), 120)


@phone_first
def test_a_class_registers_by_its_code(loop: Loop, browser: Browser, served: str, teacher: str, *, phone: bool) -> None:
    """Without script: the code, the request, the comparison, the paper."""

    async def go() -> None:
        looker = Looker("phone" if phone else "desktop")
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
        context, page = await enter(browser, served, teacher, phone=phone)
        await page.goto(f"{served}/language/kk?next=/registrations/codes")
        await looker.look(page, "20-codes")
        await page.fill("#f-grade", "7")
        await page.fill("#f-class_letter", "А")
        await press(page, "form.form button.primary")
        await looker.look(page, "21-code")
        code = await page.inner_text(".code.large")
        plain = await browser.new_context(viewport=size, java_script_enabled=False)
        child = await plain.new_page()
        await child.goto(f"{served}/language/kk?next=/register/class")
        await child.fill("#f-code", code)
        await fill_who(child, "Аружан" if phone else "Дана")
        await child.check("#f-agreed")
        await child.click("button.primary")
        await expect(child.locator("main")).to_contain_text("Мұғаліміңді күтіп тұр")
        await child.goto(f"{served}/own")
        await plain.close()
        shown = await browser.new_context(viewport=size)
        again = await shown.new_page()
        await again.goto(f"{served}/language/kk?next=/register/class")
        await looker.look(again, "22-class")
        await shown.close()
        await page.goto(f"{served}/registrations")
        await looker.look(page, "23-requests")
        await press(page, "td.actions a")
        await looker.look(page, "24-compare")
        await press(page, "form[action$='/confirm'] button.primary")
        await page.goto(f"{served}/registrations?state=consent")
        await press(page, "td.actions a")
        await looker.look(page, "25-paper")
        await context.close()
        context, page = await enter(browser, served, "admin", phone=phone)
        for path, what in (
            ("/consent-texts", "30-texts"),
            ("/consent-texts/new", "31-text-new"),
            ("/erasures", "32-erasures"),
            ("/staff?who=registered", "33-staff"),
        ):
            await page.goto(f"{served}{path}")
            await looker.look(page, what)
        await context.close()
        assert looker.found == []

    loop.run(go(), 120)
