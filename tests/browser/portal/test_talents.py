"""The talents in a real browser, in Kazakh, on phone and desktop: opened with a reason; axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from portal.core.db import prepare
from tests.browser.portal.test_first_rooms import enter
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LISTS = ("/talents", "/talents/ask", "/talents/export", "/talents/unmatched")
HOUSE = ("/talents/rules", "/talents/rules/new", "/talents/access")
SCENE = """
    with two as (
        select (select id from staff where login = 'browser-admin') as admin,
               (select id from staff where login = 'browser-second') as second,
               (select id from staff where login = 'browser-specialist') as specialist
    ), access as (
        insert into talent_access (staff_id, reason, agreed_by, ends_at)
        select specialist, 'Жазғы мектеп', admin, now() + interval '30 days' from two
    ), sat as (
        insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, state)
        select test_id, id, $1, now() - interval '2 hours', now() - interval '1 hour', now(), 3600, 'closed' from form order by id limit 1
        returning id
    ), run as (
        insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary)
        select id, 1, '{}', '-', '-', '-', '{}' from sat
        returning id
    ), rule as (
        insert into talent_rule (project, kind, title, share, per, state, made_by, agreed_by, switched_at)
        select 'myn-bala', 'top', $2, 3, 'region', 'on', admin, second, now() from two
        returning id
    ), made as (
        insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code, school_id, grade)
        select last_name, first_name, 'x', 'x', '2015-03-14', 'kk', 'KZ-B', (select id from school where code = 'BR-1'), 5
        from (values ('Жұмағалиева', 'Аружан'), ('Жасырынова', 'Дана')) as names (last_name, first_name)
        returning id, last_name
    ), agreed as (
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on, recorded_by)
        select id, 'talents', 'Жұмағалиева Сәуле', 'mother', '2026-09', 'kk', 'paper', '2026-09-01', admin
        from made, two where last_name = 'Жұмағалиева'
    ), stays as (
        insert into talent (person_id, rule_id, run_id, reason, since)
        select made.id, rule.id, run.id, $3, now() from made, rule, run
    )
    select id from made where last_name = 'Жұмағалиева'
"""


@pytest.fixture(scope="module")
def talent(loop: Loop, owner_url: str, served: str) -> int:
    """Two in the section, one of them with a consent; the specialist's access."""
    assert served

    async def write() -> int:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        title, rule = (dict.fromkeys(("kk", "ru", "en"), text) for text in ("Күзгі кезең", "Өңірдің үздік 3 %-ы"))
        reason = {"rank": 2, "of": 140, "per": "region", "region": "KZ-B", "sitting": title, "run": 1}
        made = await db.fetchval(SCENE, title, rule, reason)
        await db.close()
        return made

    return loop.run(write(), 30)


@phone_first
def test_a_specialist_opens_a_talent_with_a_reason(
    loop: Loop, browser: Browser, served: str, talent: int, *, phone: bool
) -> None:
    """The list says why; the person is shown once a reason is given; nothing hangs over the edge of a phone."""

    async def go() -> None:
        found: list[object] = []
        wide: list[str] = []

        async def look(path: str) -> None:
            seen = await Axe().run(page, options=RULES)
            found.extend((path, one["id"], one["nodes"][0]["html"][:160]) for one in seen.response["violations"])
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)

        context, page = await enter(browser, served, "specialist", phone=phone)
        await page.goto(f"{served}/language/kk")
        for path in LISTS:
            await page.goto(f"{served}{path}")
            await look(path)
        await page.goto(f"{served}/talents")
        await expect(page.locator("#list")).to_contain_text("өңірдегі орны: 2, барлығы 140")
        await expect(page.locator("#list")).to_contain_text("Келісім жоқ: аты көрсетілмейді")
        await expect(page.locator("#list")).not_to_contain_text("Жасырынова")
        async with page.expect_navigation():
            await page.click(f'a[href="/talents/{talent}"]')
        await look("open")
        await page.fill("#f-reason", "Физика үйірмесіне шақыру")
        async with page.expect_navigation():
            await page.click("form.form button.primary")
        await expect(page.locator("h1")).to_have_text("Жұмағалиева Аружан")
        await look("person")
        await context.close()
        context, page = await enter(browser, served, "admin", phone=phone)
        await page.goto(f"{served}/language/kk")
        for path in (*HOUSE, f"/persons/{talent}/consents"):
            await page.goto(f"{served}{path}")
            await look(path)
        await context.close()
        assert found == []
        assert wide == []

    loop.run(go(), 90)
