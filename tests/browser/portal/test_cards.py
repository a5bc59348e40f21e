"""A person's card in a real browser, in Kazakh, on phone and desktop: every tab, staff's and one's own; axe finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from portal.core.db import prepare
from portal.core.names import search_key
from tests.browser.portal.test_first_rooms import enter
from tests.support.pictures import pdf, picture
from tests.support.screens import phone_first

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.loop import Loop

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PERSON = """
    insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code, school_id, grade,
                        class_letter, phone)
    values ($1, $2, $1, $3, $4::text::date, 'kk', 'KZ-B', (select id from school where code = 'BR-1'), $5, $6, '+7 701 000 00 00')
    returning id
"""
PUPILS = (("Сәрсенбай", "Аяулым"), ("Дүйсенов", "Ерасыл"), ("Қуанышқызы", "Томирис"), ("Әбілда", "Санжар"))
REVIEWS = (5, 4, 5, 5)
SCENE = """
    with tie as (
        insert into person_tie (holder_id, attached_id, kind, project, since, made_by)
        select $1, id, 'teacher', 'birge-oqy', '2026-09-01', (select id from staff where login = 'browser-admin')
        from unnest($2::bigint[]) id
    ), log as (
        insert into kpi_entry (person_id, project, measure, day, value, source, made_by, note)
        select $1, 'birge-oqy', 'lessons-held', current_date - n * 20, 3 + n % 4, 'entered',
               (select id from staff where login = 'browser-admin'), 'Апталық есеп'
        from generate_series(0, 8) n
    ), said as (
        insert into review (author_id, about_id, kind, project, period, stars, body, state, decided_at)
        select author, $1, 'teacher', 'birge-oqy', '2026-1', stars, 'Сабақты түсінікті өткізеді, сұраққа уақыт бөледі.', 'approved', now()
        from unnest($2::bigint[], $3::int[]) as one (author, stars)
    ), waits as (
        insert into review (author_id, about_id, kind, project, period, stars, body)
        select ($2::bigint[])[1], $1, 'teacher', 'birge-oqy', '2026-2', 4, 'Үй тапсырмасын тез тексереді.'
    ), held as (
        -- A form of its own: one that other tests are to publish has one start.
        insert into form (test_id, name, state) select min(test_id), 'C', 'sealed' from form returning test_id, id
    ), sat as (
        insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, state)
        select test_id, id, $4, starts - interval '1 hour', starts, starts + interval '15 minutes', 3600, 'closed'
        from held f,
            generate_series(now() - interval '290 days', now() - interval '90 days', interval '90 days') starts
        returning id
    ), who as (
        insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
        select sat.id, p.school_id, p.last_name, p.first_name, p.birth_date, 5, 'kk', 'browser-card'
        from sat, person p where p.id = ($2::bigint[])[1]
        returning id, sitting_id
    ), run as (
        insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary)
        select id, 1, '{}', '-', '-', '-', '{}' from sat returning id, sitting_id
    )
    insert into result (attempt_id, run_id, raw, max_points, scaled, percentile)
    select who.id, run.id, 15 + row_number() over (order by who.id) * 3, 30, 60, 40 + 14 * row_number() over (order by who.id)
    from who join run on run.sitting_id = who.sitting_id
"""


TAB_IN_SIGHT = """[...document.querySelectorAll(".tabs [aria-current]")].every((tab) => {
    const seen = tab.getBoundingClientRect();
    return seen.left >= 0 && seen.right <= innerWidth;
})"""


class Cards(msgspec.Struct, frozen=True):
    """A teacher with four pupils; the first has results."""

    teacher: int
    pupil: int


@pytest.fixture(scope="module")
def cards(loop: Loop, owner_url: str, served: str) -> Cards:
    """Logins: browser-specialist is the teacher, browser-analyst the pupil."""
    assert served

    async def write() -> Cards:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        teacher = await db.fetchval(PERSON, "Оспанова", "Гүлмира", "ospanova gulmira", "1986-05-04", None, "")
        pupils = [
            await db.fetchval(PERSON, last, first, search_key(last, first, ""), "2015-04-12", 5, "Ә")
            for last, first in PUPILS
        ]
        title = dict.fromkeys(("kk", "ru", "en"), "Математика, күзгі кезең")
        await db.execute(SCENE, teacher, pupils, list(REVIEWS), title)
        for login, person in (("browser-specialist", teacher), ("browser-analyst", pupils[0])):
            await db.execute("update staff set person_id = $2 where login = $1", login, person)
        await db.close()
        return Cards(teacher, pupils[0])

    return loop.run(write(), 30)


@phone_first
def test_every_tab_of_a_card(loop: Loop, browser: Browser, served: str, cards: Cards, *, phone: bool) -> None:
    """A photo and two documents are given, the worker looks at them; then every tab is walked."""

    async def go() -> None:
        found: list[object] = []
        wide: list[str] = []

        async def look(path: str) -> None:
            if path.startswith("/"):
                await page.goto(f"{served}{path}")
            seen = await Axe().run(page, options=RULES)
            found.extend((path, one["id"], one["nodes"][0]["html"][:160]) for one in seen.response["violations"])
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)
            if not await page.evaluate(TAB_IN_SIGHT):
                wide.append(f"{path}: its tab")

        async def give(path: str, name: str, body: bytes, media: str, **fields: str) -> None:
            await page.goto(f"{served}{path}")
            for field, value in fields.items():
                await page.fill(f"#f-{field}", value)
            await page.set_input_files("#f-file", [{"name": name, "mimeType": media, "buffer": body}])
            async with page.expect_navigation():
                await page.click('form[enctype="multipart/form-data"] button.primary')

        context, page = await enter(browser, served, "admin", phone=phone)
        await page.goto(f"{served}/language/kk")
        card = f"/persons/{cards.teacher}"
        await give(f"{card}/photo", "face.png", picture(size=(600, 500)), "image/png")
        await expect(page.locator("img.portrait.large")).to_be_visible()
        await give(f"{card}/portfolio", "d.pdf", pdf("Diplom 001234"), "application/pdf", title="Бакалавр дипломы")
        await give(f"{card}/portfolio", "c.jpg", picture("JPEG", (900, 640)), "image/jpeg", title="Тьютор курсы")
        for _ in range(60):
            await page.goto(f"{served}{card}/portfolio")
            if await page.locator(".sheet-picture img").count() >= 2:
                break
            await page.wait_for_timeout(500)
        await look("portfolio")
        async with page.expect_navigation():
            await page.click(".sheet:last-child a")
        await expect(page.locator(".viewer img")).to_be_visible()
        await look("document")
        async with page.expect_navigation():
            await page.click('a[href$="zoom=2"]')
        await look("zoomed")
        for tab in ("", "/photo", "/attached", "/attached/new?q=сәрс", "/results", "/kpi", "/reviews", "/work"):
            await look(f"{card}{tab}")
        await look(f"/persons/{cards.pupil}/attached")
        await look(f"/persons/{cards.pupil}/results")
        await expect(page.locator("polyline.trend")).to_have_count(1)
        await look("/kpi/import")
        await context.close()
        context, page = await enter(browser, served, "super", phone=phone)
        await page.goto(f"{served}/language/kk")
        await look("/reviews")
        await expect(page.locator("article.card")).to_contain_text("Үй тапсырмасын тез тексереді.")
        await context.close()
        for login, paths in (
            ("specialist", ("/me", "/me/attached", "/me/portfolio", "/me/kpi", "/me/reviews", "/me/work")),
            ("analyst", ("/me", "/me/results", "/me/reviews", "/me/attached")),
        ):
            context, page = await enter(browser, served, login, phone=phone)
            await page.goto(f"{served}/language/kk")
            for path in paths:
                await look(path)
            await context.close()
        assert found == []
        assert wide == []

    loop.run(go(), 180)
