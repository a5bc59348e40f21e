"""The proctors' wall and a child's page in a real browser, in Kazakh, on phone and desktop; axe finds nothing."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from PIL import Image, ImageDraw
from playwright.async_api import expect

from portal.core.db import prepare
from tests.browser.portal.test_first_rooms import enter, make_sitting
from tests.support.screens import desktop_first
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Browser, Page

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

CHILDREN = 40


class Room(msgspec.Struct):
    """A proctored sitting and what was asked of the look service."""

    sitting: int
    children: list[int]
    asked: list[str]


def drawn(attempt: int, seq: int) -> bytes:
    """A picture on which one sees which it is."""
    image = Image.new("RGB", (320, 240), ((attempt * 37) % 120 + 60, (seq * 23) % 90 + 90, 150))
    draw = ImageDraw.Draw(image)
    draw.ellipse((110, 50, 210, 190), fill=(224, 188, 160))
    draw.ellipse((135, 100, 150, 112), fill=(60, 40, 40))
    draw.ellipse((170, 100, 185, 112), fill=(60, 40, 40))
    draw.text((12, 210), f"{attempt} / {seq}", fill=(255, 255, 255))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=60)
    return out.getvalue()


@pytest.fixture(scope="module")
def room(stack: Stack, loop: Loop, browser: Browser, served: str, owner_url: str) -> Iterator[Room]:
    """Forty children, the riskiest with a whole story; pictures come from where the portal looks for them."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        body = drawn(int(request.match_info["attempt"]), int(request.match_info["seq"]))
        return web.Response(body=body, content_type="image/webp")

    app = web.Application()
    app.router.add_get("/v1/look/{sitting}/{attempt}/{seq}", take)
    runner = web.AppRunner(app)

    async def write() -> Room:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stack.home.ports.look).start()
        context, page = await enter(browser, served, "admin")
        url = await make_sitting(page, served, f"Прокторлық {time.time_ns() % 100_000}")
        await context.close()
        sitting = int(url.rsplit("/", 1)[1])
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        await db.execute("update sitting set state = 'published' where id = $1", sitting)
        await db.execute("insert into sitting_watch (sitting_id) values ($1)", sitting)
        await db.execute("select make_watch_partition($1)", sitting)
        now = int(time.time() * 1000)
        children = [
            row["id"]
            for row in await db.fetch(
                """
                insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id)
                select $1, (select min(id) from school where code like 'BR-%'), 'Серікова', 'Айгүл', '2015-03-14', 5, 'kk', 'w' || n
                from generate_series(1, $2) n returning id
                """,
                *(sitting, CHILDREN),
            )
        ]
        await db.execute(
            """
            insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset, byte_length, key_id)
            select $1, c, n, case when n = 1 then 'identity' else 'snapshot' end, $3::bigint - (12 - n) * 30000,
                   $3, gen_random_uuid(), 0, 9, '\\x0011223344556677'
            from unnest($2::bigint[]) c, generate_series(1, 12) n
            """,
            *(sitting, children, now),
        )
        story = [("tab-left", 200), ("tab-back", 188), ("line-lost", 150), ("several-faces", 90), ("paste", 40)]
        for place, child in enumerate(children):
            risk = max(2.0, 80.0 - 9 * place)
            reasons = [
                {"kind": "tab-left", "times": 4, "seconds": 38, "weight": 12},
                {"kind": "several-faces", "times": 1, "seconds": 0, "weight": 9},
            ]
            await db.execute(
                "insert into watch_score (attempt_id, sitting_id, score, reasons) values ($1, $2, $3, $4)",
                *(child, sitting, risk, reasons if risk >= 20 else []),
            )
        for seq, (kind, ago_s) in enumerate(story):
            await db.execute(
                "insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms) values ($1, $2, $3, $4, $5, $5)",
                *(sitting, children[0], seq, kind, now - ago_s * 1000),
            )
        await db.execute(
            """
            insert into response_event (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms, received_ms)
            select $1, $2, gen_random_uuid(), n, 1, 7, '"A"', $3::bigint - n * n * 90, 0, $3 from generate_series(1, 60) n
            """,
            *(sitting, children[0], now),
        )
        await db.close()
        return Room(sitting, children, asked)

    yield loop.run(write(), 100)
    loop.run(runner.cleanup())


async def on_shift(browser: Browser, served: str, room: Room, login: str, *, phone: bool, script: bool = True):  # noqa: ANN201 (context and page)
    """A proctor before his wall with all children in his hands."""
    context, page = await enter(browser, served, login, phone=phone, script=script)
    await page.goto(f"{served}/sittings/{room.sitting}/wall")
    await page.fill("#f-how_many", str(CHILDREN))
    await page.click("form[action$='/take'] button")
    await page.wait_for_selector("li.tile")
    return context, page


async def photographed(page: Page, name: str) -> None:
    """Kept where the run asks for it, to be looked at."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def sql(owner_url: str, statement: str, *given: object) -> None:
    """Something happens elsewhere."""
    db = await asyncpg.connect(owner_url)
    await db.execute(statement, *given)
    await db.close()


@desktop_first
def test_a_wall_that_lives(loop: Loop, browser: Browser, served: str, room: Room, owner_url: str, phone: bool) -> None:
    """Only what changed is touched; a new incident is said, and comes forward; keys walk, F says «fine», ? shows them."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=phone)
        assert await page.locator("li.tile").count() == CHILDREN
        await expect(page.locator("li.tile").first.locator("[data-why]")).to_contain_text(
            "беттен шықты: 4\N{NO-BREAK SPACE}рет, 38\N{NO-BREAK SPACE}с"
        )
        await photographed(page, f"wall-{'phone' if phone else 'desktop'}")
        assert (await Axe().run(page)).violations_count == 0
        last = room.children[-1]
        # Marks on the nodes survive what does not concern them.
        await page.evaluate(
            "document.querySelectorAll('li.tile').forEach((tile) => { tile.kept = tile.querySelector('img').src; })"
        )
        looked = len(room.asked)
        await sql(
            owner_url,
            "update watch_score set score = 99, reasons = $2::jsonb where attempt_id = $1",
            last,
            '[{"kind": "paste", "times": 2, "seconds": 0, "weight": 60}]',
        )
        await sql(
            owner_url,
            """
                insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms)
                select $1, $2, (random() * 1e9)::int, 'paste', at, at
                from (select (extract(epoch from now()) * 1000)::bigint as at) n
                """,
            *(room.sitting, last),
        )
        # First what is said: it stands for some seconds, the order stays.
        await expect(page.locator("[data-wall-said]")).to_contain_text("№", timeout=20_000)
        await expect(page.locator("li.tile").first).to_have_attribute("data-id", str(last), timeout=20_000)
        kept = await page.evaluate(
            "[...document.querySelectorAll('li.tile')].filter((tile) => tile.kept === tile.querySelector('img').src).length"
        )
        assert kept == CHILDREN
        assert len(room.asked) - looked <= 12, "a picture that did not change is not asked for again"
        await page.focus("li.tile a[tabindex='0']")
        assert await page.locator("li.tile a[tabindex='0']").count() == 1
        first = await page.evaluate("document.activeElement.getAttribute('href')")
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("document.activeElement.getAttribute('href')") != first
        await page.keyboard.press("ArrowLeft")
        assert await page.evaluate("document.activeElement.getAttribute('href')") == first
        await page.keyboard.press("?")
        await expect(page.locator("#wall-keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.evaluate("document.querySelector('li.tile a[tabindex=\"0\"]').focus()")
        focused = await page.evaluate("document.activeElement.closest('li').dataset.id")
        # The incident is fresh: its moment lies before this «fine».
        await page.keyboard.press("f")
        await expect(page.locator("[data-wall-said]")).to_contain_text("көрдім", timeout=10_000)
        await expect(page.locator("li.tile").last).to_have_attribute("data-id", focused, timeout=10_000)
        assert await page.evaluate("document.activeElement.closest('li').dataset.id") == focused, "the focus goes along"
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/watch/{focused}")
        await sql(owner_url, "update watch_score set score = 2, reasons = '[]' where attempt_id = $1", last)
        await sql(owner_url, "delete from watch_event where attempt_id = $1", last)
        await page.goto(f"{served}/sittings/{room.sitting}/wall")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 140)


@pytest.mark.parametrize("phone", [True, False])
def test_the_first_screen_has_children_in_it(
    loop: Loop, browser: Browser, served: str, room: Room, phone: bool
) -> None:
    """A phone's filters are one line that says how many are set, and stand open while any is; a desktop shows them all."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=phone)
        chip, summary = (
            page.locator("[data-filter='state'][data-value='flagged']"),
            page.locator("[data-wall-filters] > summary"),
        )
        bottom = await page.evaluate(
            "document.querySelector('li.tile .tile-picture').getBoundingClientRect().bottom + window.scrollY"
        )
        assert bottom < await page.evaluate("window.innerHeight")
        if phone:
            await expect(chip).to_be_hidden()
            await expect(summary).to_have_text("Сүзгі", use_inner_text=True)
            await summary.click()
        else:
            await expect(summary).to_be_hidden()
        await chip.click()
        await page.click("[data-filter='quiet']")
        await page.reload()
        await expect(chip).to_be_visible()
        if phone:
            await expect(summary).to_have_text("Сүзгі 2", use_inner_text=True)
            await page.click("[data-filter='quiet']")
            await expect(summary).to_have_text("Сүзгі 1", use_inner_text=True)
            assert (await Axe().run(page)).violations_count == 0
            await photographed(page, "wall-filters")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 100)


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_no_figure_on_a_tile_is_cut(
    loop: Loop, browser: Browser, served: str, room: Room, owner_url: str, width: int
) -> None:
    """The longest reason stands whole on a tile; and a wide screen is filled to its right."""

    async def run() -> None:
        longest = '[{"kind": "no-face", "times": 12, "seconds": 6000, "weight": 60}, {"kind": "paste", "times": 2, "seconds": 0, "weight": 6}]'
        statement = "update watch_score set reasons = $2::jsonb where attempt_id = $1"
        before = '[{"kind": "tab-left", "times": 4, "seconds": 38, "weight": 12}, {"kind": "several-faces", "times": 1, "seconds": 0, "weight": 9}]'
        await sql(owner_url, statement, room.children[0], longest)
        context, page = await on_shift(browser, served, room, "admin", phone=False)
        await page.set_viewport_size({"width": width, "height": 900})
        why = page.locator("li.tile").first.locator("[data-why]")
        await expect(why).to_contain_text("12\N{NO-BREAK SPACE}рет, 100")
        await photographed(page, f"wall-{width}")
        assert await why.evaluate("(text) => text.scrollHeight - text.clientHeight") <= 0
        right = await page.evaluate("window.innerWidth - document.querySelector('.wall').getBoundingClientRect().right")
        assert right < 60
        await sql(owner_url, statement, room.children[0], before)
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 100)


def test_keys_are_two_steps_from_the_pages_head(loop: Loop, browser: Browser, served: str, room: Room) -> None:
    """«To the content», «To the children», and the arrows walk; so do they when the list of keys is closed."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=False)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Балаларға өту")
        await page.keyboard.press("Enter")
        # The focus follows the link, and the end of the dialog, a moment later.
        held = page.locator("li.tile:has(> a:focus)")
        await expect(held).to_have_count(1)
        first = await held.get_attribute("data-id")
        await page.keyboard.press("ArrowRight")
        second = await held.get_attribute("data-id")
        assert second != first
        await page.click("[data-keys]")
        await page.keyboard.press("Escape")
        await expect(held).to_have_attribute("data-id", second or "")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 100)


def test_filters_and_sound_are_remembered(loop: Loop, browser: Browser, served: str, room: Room) -> None:
    """In the address, so that a reload keeps them; the sound by this browser."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=False)
        await page.click("[data-filter='state'][data-value='flagged']")
        shown = page.locator("li.tile:not([hidden])")
        await expect(shown).to_have_count(7)
        assert "state=flagged" in page.url
        await page.reload()
        await expect(shown).to_have_count(7)
        await page.select_option("#f-event", "paste")
        await expect(shown).to_have_count(0)
        await page.select_option("#f-event", "")
        await page.click("[data-filter='state'][data-value='']")
        await page.click("[data-filter='quiet']")
        await expect(page.locator("[data-filter='quiet']")).to_have_attribute("aria-pressed", "true")
        await expect(shown).to_have_count(7)
        sound = page.locator("[data-sound]")
        await expect(sound).to_have_attribute("aria-pressed", "false")
        await sound.click()
        await page.reload()
        await expect(sound).to_have_attribute("aria-pressed", "true")
        assert (await Axe().run(page)).violations_count == 0
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 100)


@desktop_first
def test_a_childs_page_plays_and_acts(loop: Loop, browser: Browser, served: str, room: Room, phone: bool) -> None:
    """Playback by button and by key, zoom, a jump from the axis; a warning and a pause, undone."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=phone)
        child = room.children[0]
        await page.goto(f"{served}/watch/{child}")
        await expect(page.locator("[data-place]")).to_have_text("11")
        assert await page.evaluate(
            "[...document.querySelectorAll('.pair img')].every((image) => image.naturalWidth > 0)"
        )
        sizes = await page.evaluate("[...document.querySelectorAll('.pair .viewer')].map((box) => box.clientWidth)")
        assert abs(sizes[0] - sizes[1]) <= 1, "both are of one size"
        assert (await Axe().run(page)).violations_count == 0
        await photographed(page, f"child-{'phone' if phone else 'desktop'}")
        await page.click("[data-step='-1']")
        await page.click("[data-step='1']")
        await expect(page.locator("[data-place]")).to_have_text("11")
        await page.focus("[data-scrub]")
        await page.keyboard.press("Home")
        await expect(page.locator("[data-place]")).to_have_text("1")
        await page.select_option("[data-speed]", "8")
        await page.click("[data-play]")
        await expect(page.locator("[data-place]")).to_have_text("11", timeout=15_000)
        await expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")
        await page.focus("[data-scrub]")
        await page.keyboard.press("Home")
        await page.keyboard.press(" ")
        await expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press(" ")
        await expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")
        await page.click("[data-zoom='1']")
        assert await page.locator(".viewer.near").count() == 2
        middles = await page.evaluate(
            "[...document.querySelectorAll('.pair .viewer')].map((box) => (box.scrollLeft + box.clientWidth / 2) / box.scrollWidth)"
        )
        assert all(abs(one - 0.5) < 0.02 for one in middles), "the face is in the middle, not the upper left corner"
        await page.click("[data-zoom='-1']")
        await page.locator("[data-jump]").last.click()
        await expect(page.locator("[data-place]")).to_have_text("11")
        await page.check("input[name=sentence][value=stay]")
        await page.click("form[action$='/warn'] button.primary")
        await expect(page.locator(".deeds")).to_contain_text("Тест бетінен шықпай отыр")
        await page.click("form[action$='/pause'] button")
        await expect(page.locator("form[action$='/resume'] button")).to_be_visible()
        await page.locator("form[action*='/phones'] button").click()
        await expect(page.locator("#call")).to_be_visible()
        assert (await Axe().run(page)).violations_count == 0
        await photographed(page, f"acts-{'phone' if phone else 'desktop'}")
        await page.click("form[action$='/resume'] button")
        await expect(page.locator("form[action$='/pause'] button")).to_be_visible()
        await page.goto(f"{served}/sittings/{room.sitting}/wall")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 140)


def test_all_of_it_without_script(loop: Loop, browser: Browser, served: str, room: Room) -> None:
    """Filters are links, pictures are walked by links, acts are forms."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=True, script=False)
        await page.click("[data-wall-filters] > summary")
        await page.click("a.chip[href*='state=flagged']")
        assert await page.locator("li.tile:not([hidden])").count() == 7
        await page.goto(f"{served}/watch/{room.children[0]}")
        await page.click("[data-step='-1']")
        assert (await page.inner_text("[data-place]")) == "10"
        assert not await page.locator("[data-play]").is_visible()
        await page.check("input[name=sentence][value=calm]")
        await page.click("form[action$='/warn'] button.primary")
        assert "Асықпа" in await page.inner_text(".deeds")
        await page.goto(f"{served}/sittings/{room.sitting}/wall")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 100)


def test_pictures_that_cannot_be_read_come_back_by_themselves(
    loop: Loop, browser: Browser, served: str, room: Room
) -> None:
    """No broken sign stands on wall or child's page; one line says that they are kept; nobody has to reload."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=False)
        away = "**/pictures/**"
        broken = (
            "[...document.querySelectorAll('%s')].filter((one) => one.src && one.complete && !one.naturalWidth"
            " && !one.hidden && getComputedStyle(one).opacity !== '0').length"
        )
        seen = "[...document.querySelectorAll('%s')].filter((one) => one.naturalWidth > 0).length"

        async def shown(images: str, least: int) -> None:
            assert await page.evaluate(seen % images) >= least

        await page.route(away, lambda route: route.fulfill(status=503, body=""))
        await page.reload()
        first = page.locator("li.tile").first.locator("img")
        await expect(first).to_be_hidden()
        assert await page.evaluate(broken % "li.tile img") == 0
        await page.unroute(away)
        await expect(first).to_be_visible(timeout=20_000)
        # Visible is the place; the bytes come a moment later.
        await eventually(lambda: shown("li.tile img", 1))
        await page.route(away, lambda route: route.fulfill(status=503, body=""))
        await page.goto(f"{served}/watch/{room.children[0]}")
        line = page.locator("[data-away]")
        await expect(line).to_be_visible()
        assert await page.evaluate(broken % ".pair img") == 0
        await page.unroute(away)
        await expect(line).to_be_hidden(timeout=20_000)
        await eventually(lambda: shown(".pair img", 2))
        await page.goto(f"{served}/sittings/{room.sitting}/wall")
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 120)


def test_a_tile_holds_its_marks(loop: Loop, browser: Browser, served: str, room: Room) -> None:
    """A mark widens no picture beyond its tile, and the button over the line of the name lies on no mark."""

    async def run() -> None:
        context, page = await on_shift(browser, served, room, "admin", phone=True)
        told = await page.evaluate("""() => {
            const tile = document.querySelector("li.tile");
            for (const [name, text] of [["state", "түсірілім жоқ"], ["verdict", "Ереже бұзылды"]]) {
                const mark = tile.querySelector(`[data-${name}]`);
                mark.hidden = false;
                mark.textContent = text;
            }
            const box = (one) => one.getBoundingClientRect();
            const seal = box(tile.querySelector("[data-seal] .icon"));
            const marks = [...tile.querySelectorAll(".tag")].map(box);
            return {
                wide: box(tile.querySelector(".tile-picture")).right <= box(tile).right,
                over: marks.some((one) => one.right > seal.left && one.top < seal.bottom && one.bottom > seal.top),
            };
        }""")
        await photographed(page, "wall-marks")
        assert told == {"wide": True, "over": False}
        await page.click("form[action$='/back'] button")
        await context.close()

    loop.run(run(), 60)
