"""The rooms after a watched sitting, by eyes: the demo's children, pictures from the real look service, Kazakh, two sizes."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from infra.local import environment
from infra.parts.supervisor import command_argv
from infra.settings import ProctoringSettings, read
from portal.core.accounts import create_staff, give_role
from portal.core.db import prepare
from portal.core.names import fold, search_key
from portal.demo.people import draw_people
from portal.demo.watching import insert_watch
from tests.browser.portal.conftest import PASSWORD
from tests.browser.portal.test_first_rooms import enter, make_sitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Browser, Page

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
MORE_STAFF = {"quality": "quality-manager", "safety": "child-safety-officer", "watcher": "proctor"}
PUPIL = 70


class Rooms(msgspec.Struct):
    """A watched sitting with what was said of its children."""

    sitting: int
    settled: int
    own: int
    appeal: int
    answered: int
    seal: int


@pytest.fixture(scope="module")
def rooms(stack: Stack, loop: Loop, browser: Browser, served: str, owner_url: str) -> Iterator[Rooms]:
    """The demo's story in a sitting of these tests; the process that looks and erases runs beside the portal."""

    async def write() -> Rooms:
        context, page = await enter(browser, served, "admin")
        url = await make_sitting(page, served, "Мың бала: облыстық кезең")
        await context.close()
        sitting = int(url.rsplit("/", 1)[1])
        db = await asyncpg.connect(owner_url)
        try:
            for login, role in MORE_STAFF.items():
                await _staff(db, login, role)
            await db.execute(
                """
                update sitting
                set state = 'published', waiting_opens_at = now() - interval '30 minutes', starts_at = now() - interval '20 minutes'
                where id = $1
                """,
                sitting,
            )
            await _children(db, sitting)
            logins = {
                "admin": "admin",
                "admin2": "second",
                "proctor": "reader",
                "quality": "quality",
                "safety": "safety",
            }
            staff = {
                name: await db.fetchval("select id from staff where login = $1", f"browser-{login}")
                for name, login in logins.items()
            }
            settings = read(ProctoringSettings, environment(stack.home, "proctoring"))
            await insert_watch(db, settings, sitting, staff, draw_people().pupils[PUPIL].external_id)
            appeals = {
                row["state"]: (row["id"], row["attempt_id"])
                for row in await db.fetch(
                    "select id, state, attempt_id from watch_appeal where sitting_id = $1", sitting
                )
            }
            own = await db.fetchval(
                "select id from participant where sitting_id = $1 and external_id = $2",
                *(sitting, draw_people().pupils[PUPIL].external_id),
            )
            seal = await db.fetchval("select id from picture_seal where sitting_id = $1", sitting)
        finally:
            await db.close()
        await stack.start_process("proctoring", "proctoring", command_argv("proctoring"), stack.home.ports.look)
        return Rooms(sitting, appeals["open"][1], own, appeals["open"][0], appeals["upheld"][0], seal)

    yield loop.run(write(), 100)
    loop.run(stack.parts.pop("proctoring").down(), 30)


async def _staff(db: asyncpg.Connection[asyncpg.Record], login: str, role: str) -> None:
    staff = await create_staff(db, login=f"browser-{login}", full_name=f"Айгерім {login}", password=PASSWORD, demo=True)
    await give_role(db, staff_id=staff, role=role, ends_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))


async def _children(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """Names of the demo in two schools; one of them is a person with a login of its own."""
    await prepare(db)
    schools = [row["id"] for row in await db.fetch("select id from school where code like 'BR-%' order by id")]
    pupils = draw_people().pupils[: PUPIL + 1]
    await db.executemany(
        """
        insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
        values ($1, $2, $3, $4, $5, $6, 'kk', $7)
        """,
        [
            (sitting, schools[place % 2], one.last_name, one.first_name, one.birth_date, one.grade, one.external_id)
            for place, one in enumerate(pupils)
        ],
    )
    one = pupils[PUPIL]
    person = await db.fetchval(
        """
        insert into person (external_id, last_name, first_name, name_key, search_key, birth_date, sex, language,
                            region_code, school_id)
        values ($1, $2, $3, $4, $5, $6, 'f', 'kk', 'KZ-B', $7) returning id
        """,
        *(one.external_id, one.last_name, one.first_name, fold(f"{one.last_name} {one.first_name}")),
        *(search_key(one.last_name, one.first_name, ""), one.birth_date, schools[PUPIL % 2]),
    )
    await db.execute("insert into person_project (person_id, project, role) values ($1, 'birge-oqy', 'pupil')", person)
    child = await create_staff(
        db,
        login="browser-pupil",
        full_name=f"{one.last_name} {one.first_name}",
        password=PASSWORD,
        demo=True,
        registered_at=dt.datetime.now(dt.UTC),
    )
    await db.execute("update staff set person_id = $2 where id = $1", child, person)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    await give_role(db, staff_id=child, role="birge-pupil", ends_at=ends, project="birge-oqy")
    # As a connection of the seed: without the portal's ways to read JSON.
    await db.reset_type_codec("jsonb", schema="pg_catalog")


async def looked_at(page: Page, name: str) -> None:
    """On both sizes: nothing hangs over the edge, axe finds nothing; kept where the run asks for it."""
    for size, shape in SIZES.items():
        await page.set_viewport_size(shape)  # type: ignore[arg-type]
        await page.evaluate("document.fonts.ready")
        await page.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
        await page.wait_for_load_state("networkidle")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/{name}-{size}.png", full_page=True)
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, (page.url, size, over)
        found = await Axe().run(page)
        assert found.violations_count == 0, (page.url, size, found.generate_report())


async def broken(page: Page) -> int:
    """Pictures that were asked for and did not come."""
    return await page.evaluate(
        "[...document.images].filter((one) => one.getAttribute('src') && one.complete && !one.naturalWidth).length"
    )


async def take(page: Page, served: str, rooms: Rooms, count: int = 50) -> None:
    """Children into one's hands."""
    await page.goto(f"{served}/sittings/{rooms.sitting}/wall")
    await page.fill("#f-how_many", str(count))
    await page.click("form[action$='/take'] button")
    await page.wait_for_selector("li.tile")


async def give_back(page: Page, served: str, rooms: Rooms) -> None:
    await page.goto(f"{served}/sittings/{rooms.sitting}/wall")
    await page.click("form[action$='/back'] button")


def test_the_review_and_its_cases(loop: Loop, browser: Browser, served: str, rooms: Rooms) -> None:
    """Queue, filters, one blind opinion, a case with pictures and its paper, fairness, terms with the proof."""

    async def run() -> None:
        context, page = await enter(browser, served, "admin")
        base = f"{served}/sittings/{rooms.sitting}"
        await page.goto(f"{base}/verdicts")
        await looked_at(page, "review")
        await page.goto(f"{base}/verdicts?state=settled&region=KZ-B&device=phone")
        await looked_at(page, "review-filtered")
        await page.goto(f"{base}/verdicts?event=second-display")
        await looked_at(page, "review-nothing")
        await page.goto(f"{base}/verdicts")
        await page.click("form[action$='/next'] button")
        await page.wait_for_url("**/review/*")
        assert await broken(page) == 0
        await looked_at(page, "opinion")
        await page.click("form[action$='/back'] button")
        await page.goto(f"{served}/cases/{rooms.settled}")
        await looked_at(page, "case")
        assert await page.locator(".shots img").count() > 5
        assert await broken(page) == 0
        await page.fill("#f-purpose", "Апелляция комиссиясына")
        await page.click("form[action$='/paper'] button")
        await expect(page.locator("a.button.primary[href*='/file']")).to_be_visible(timeout=40_000)
        await looked_at(page, "case-paper")
        await page.goto(f"{base}/fairness")
        await looked_at(page, "fairness")
        await page.goto(f"{base}")
        await looked_at(page, "sitting")
        await page.goto(f"{base}/verdicts/words")
        await looked_at(page, "words")
        await context.close()

    loop.run(run(), 200)


def test_terms_appeals_and_what_is_sealed(loop: Loop, browser: Browser, served: str, rooms: Rooms) -> None:
    """The proof of the child that is erased; an appeal and the letter of another; a sealed picture opens with a reason."""

    async def run() -> None:
        context, page = await enter(browser, served, "safety")
        await page.goto(f"{served}/safety")
        await looked_at(page, "safety")
        await page.goto(f"{served}/safety/{rooms.seal}")
        await looked_at(page, "safety-one")
        await page.fill("#f-reason", "Проктор шақырды: қосымша адам көрінді")
        await page.click("form[action$='/open'] button")
        await expect(page.locator("figure.one-shot img")).to_be_visible()
        assert await broken(page) == 0
        await looked_at(page, "safety-open")
        await page.goto(f"{served}/safety?state=erase")
        await looked_at(page, "safety-nothing")
        await page.goto(f"{served}/sittings/{rooms.sitting}/pictures")
        for _ in range(30):
            if await page.locator("#erased details").count():
                break
            await page.wait_for_timeout(1000)
            await page.reload()
        await page.click("#erased details summary")
        await looked_at(page, "terms")
        await context.close()
        context, page = await enter(browser, served, "quality")
        await page.goto(f"{served}/sittings/{rooms.sitting}/appeals")
        await looked_at(page, "appeals")
        await page.goto(f"{served}/appeals/{rooms.appeal}")
        await looked_at(page, "appeal")
        await page.goto(f"{served}/appeals/{rooms.answered}")
        await looked_at(page, "appeal-decided")
        await page.goto(f"{served}/appeals/{rooms.answered}/answer")
        await looked_at(page, "appeal-answer")
        await context.close()

    loop.run(run(), 200)


def test_a_child_reads_of_its_own_case(loop: Loop, browser: Browser, served: str, rooms: Rooms) -> None:
    """In plain words, with the way to appeal."""

    async def run() -> None:
        assert rooms.own
        context = await browser.new_context(locale="kk-KZ")
        page = await context.new_page()
        await page.goto(f"{served}/sign-in")
        await page.fill("#f-login", "browser-pupil")
        await page.fill("#f-password", PASSWORD)
        await page.click("form.stack button.primary")
        await page.wait_for_url(lambda url: "sign-in" not in url)
        await page.goto(f"{served}/me/watched")
        await expect(page.locator("main")).to_contain_text("Ата-анаңа айт")
        await looked_at(page, "own-watched")
        await context.close()

    loop.run(run(), 100)


def test_a_tile_gives_its_picture_away_by_one_tap(
    loop: Loop, browser: Browser, served: str, rooms: Rooms, owner_url: str
) -> None:
    """The picture that is seen, at once, by mouse and by keys; the next older comes; without the line it says so."""

    async def run() -> None:
        context, page = await enter(browser, served, "watcher")
        await take(page, served, rooms)
        await looked_at(page, "wall")
        assert await broken(page) == 0
        tile = page.locator("li.tile").first
        child = int(await tile.get_attribute("data-id") or 0)
        before = await tile.locator("img").get_attribute("src")
        began = time.monotonic()
        await tile.locator("button[data-seal]").click()
        await expect(tile.locator("img")).not_to_have_attribute("src", before or "")
        assert time.monotonic() - began < 3
        await expect(page.locator("[data-wall-said]")).to_contain_text("алынды")
        # The one before it is shown instead, with its own button.
        await expect(tile.locator("img")).to_be_visible(timeout=10_000)
        assert (await tile.locator("img").get_attribute("src")) != before
        assert await sealed(owner_url, child) == 1
        # From the tile Tab goes to its button, and Enter there asks nothing.
        await tile.locator("a").focus()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.matches('button[data-seal]')")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-wall-said]")).to_contain_text("алынды")
        await page.wait_for_timeout(500)
        assert await sealed(owner_url, child) == 2
        assert await page.evaluate("document.activeElement.closest('li').dataset.id") == str(child)
        # Whose line is down is told, and the picture is there to be pressed again.
        other = page.locator("li.tile").nth(3)
        kept = await other.locator("img").get_attribute("src")
        await page.route("**/seal", lambda route: route.abort())
        await other.locator("button[data-seal]").click()
        await expect(page.locator("[data-wall-said]")).to_contain_text("Тағы бір рет")
        assert await other.locator("img").get_attribute("src") == kept
        assert await page.locator("li.tile button[data-seal][tabindex='0']").count() == 1
        await give_back(page, served, rooms)
        await context.close()

    loop.run(run(), 140)


def test_a_tap_on_a_childs_page_is_about_the_picture_that_is_seen(
    loop: Loop, browser: Browser, served: str, rooms: Rooms, owner_url: str
) -> None:
    """After a step back it is the one before; without script the button of the tile works as well."""

    async def run() -> None:
        context, page = await enter(browser, served, "watcher")
        await take(page, served, rooms)
        child = int(await page.locator("li.tile").nth(5).get_attribute("data-id") or 0)
        await page.goto(f"{served}/watch/{child}")
        await looked_at(page, "child")
        await page.click("[data-step='-1']")
        shown = await page.locator("[data-shown]").get_attribute("src") or ""
        await page.click("button[data-seal]")
        await page.wait_for_url(f"**/watch/{child}")
        db = await asyncpg.connect(owner_url)
        row = await db.fetchrow(
            "select seq, taken_ms from picture where attempt_id = $1 and sealed_at is not null", child
        )
        await db.close()
        assert row is not None
        assert f"/pictures/{row['seq']}?at={row['taken_ms']}" in shown
        await looked_at(page, "child-sealed")
        await give_back(page, served, rooms)
        await context.close()

        context, page = await enter(browser, served, "watcher", phone=True, script=False)
        await take(page, served, rooms)
        tile = page.locator("li.tile").nth(2)
        child = int(await tile.get_attribute("data-id") or 0)
        before, already = await tile.locator("img").get_attribute("src"), await sealed(owner_url, child)
        await tile.locator("button[data-seal]").click()
        await page.wait_for_url("**/wall")
        assert await page.locator(f"li.tile[data-id='{child}'] img").get_attribute("src") != before
        assert await sealed(owner_url, child) == already + 1
        await give_back(page, served, rooms)
        await context.close()

    loop.run(run(), 140)


async def sealed(owner_url: str, child: int) -> int:
    db = await asyncpg.connect(owner_url)
    try:
        return await db.fetchval("select count(*) from picture where attempt_id = $1 and sealed_at is not null", child)
    finally:
        await db.close()
