"""The house of the whole story: every process, the demo's real test, and staff at their browsers."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from playwright.async_api import expect

from engine.bundles.cli import pack_and_store
from infra.local import environment
from infra.parts.supervisor import command_argv, portal_argv
from infra.settings import PackSettings, read
from portal.core.accounts import create_staff, give_role
from portal.core.db import prepare
from portal.core.i18n import ASTANA
from portal.demo.content import load_form
from portal.demo.tables import insert_form

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from infra.parts.supervisor import Stack

PASSWORD = "steppe and sky"
STAFF = {"admin": "test-administrator", "second": "test-administrator", "analyst": "analyst"}
HEAD = "school_code;last_name;first_name;middle_name;birth_date;grade;class_letter;language;extra_minutes;external_id\n"
PUPILS = HEAD + "ST-1;Серікова;Айгүл;;14.03.2015;5;Ә;қаз;;S1\nST-1;Әлиева;Ұлжан;;02.07.2015;5;Ә;қаз;;S2\n"


class House(msgspec.Struct):
    """Addresses and what the forms hold: authored code of each item id, authored letter of each text."""

    portal: str
    engine: str
    codes: dict[int, str]
    letters: dict[str, dict[str, str]]


async def furnish(stack: Stack, owner_url: str) -> House:
    """Staff, a school, the demo's two forms packed for real; portal and both workers running."""
    await hire(owner_url)
    db = await asyncpg.connect(owner_url)
    await db.execute(
        "insert into region values ('KZ-S', 'Сарыарқа облысы', 'Сарыарка', 'Saryarqa') on conflict do nothing"
    )
    district = await db.fetchval(
        "insert into district (region_code, name_kk, name_ru, name_en) values ('KZ-S', 'Көл ауданы', 'Коль', 'Kol') returning id"
    )
    await db.execute(
        "insert into school (district_id, code, name_kk, name_ru, name_en) values ($1, 'ST-1', $2, $2, $2)",
        district,
        "№1 мектеп",
    )
    await db.close()
    plain = await asyncpg.connect(owner_url)
    forms = {name: await insert_form(plain, load_form(name)) for name in ("main", "reserve")}
    await plain.close()
    pack = read(PackSettings, environment(stack.home, "pack"))
    packed = {name: await pack_and_store(pack, form) for name, form in forms.items()}
    await asyncio.gather(
        stack.start_process("portal", "portal", portal_argv(stack.home), stack.home.ports.portal),
        stack.start_process("work", "portal", command_argv("work")),
        stack.start_process("score-work", "scoring", command_argv("score-work")),
    )
    return House(
        portal=f"http://127.0.0.1:{stack.home.ports.portal}",
        engine=f"http://127.0.0.1:{stack.home.ports.engine}",
        codes={item.id: code for code, item in packed["main"].item_map.items()},
        letters=_letters(),
    )


async def hire(owner_url: str) -> None:
    """The people of the story."""
    db = await asyncpg.connect(owner_url)
    await prepare(db)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    for login, role in STAFF.items():
        staff = await create_staff(
            db, login=f"story-{login}", full_name=f"Айгерім {login}", password=PASSWORD, demo=True
        )
        await give_role(db, staff_id=staff, role=role, ends_at=ends)
    await db.close()


def _letters() -> dict[str, dict[str, str]]:
    """Item code → what stands on the screen (text or the picture's alternative) → authored letter; gaps as `g1:text`."""
    found: dict[str, dict[str, str]] = {}
    for item in load_form("main").items:
        words = found.setdefault(item.code, {})
        for option in item.content.options:
            shown = option.text or option.alt
            assert shown is not None
            words[plain(shown.kk)] = option.code
        for gap in item.content.gaps:
            for option in gap.options:
                assert option.text is not None
                words[f"{gap.code}:{plain(option.text.kk)}"] = option.code
    return found


def plain(html: str) -> str:
    """Text as it stands on the screen."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


async def enter(browser: Browser, house: House, login: str) -> Page:
    """A signed-in person at a desk."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="kk-KZ")
    page = await context.new_page()
    await page.goto(f"{house.portal}/sign-in")
    await page.fill("#f-login", f"story-{login}")
    await page.fill("#f-password", PASSWORD)
    await page.click("form.stack button.primary")
    await page.wait_for_url(f"{house.portal}/")
    return page


async def make_and_publish(browser: Browser, house: House) -> tuple[str, dt.datetime, dict[str, str]]:
    """The administrator's part: sitting, pupils, clock, publication, slips. Returns its address, T0, name → code."""
    page = await enter(browser, house, "admin")
    starts = (dt.datetime.now(ASTANA) + dt.timedelta(seconds=55)).replace(second=0, microsecond=0) + dt.timedelta(
        minutes=1
    )
    await page.goto(f"{house.portal}/sittings/new")
    await page.fill("#f-title_kk", "Мың бала, тұтас әңгіме")
    await page.select_option("#f-form_id", index=_index_of(await _labels(page, "#f-form_id"), "main"))
    await page.select_option(
        "#f-reserve_form_id", index=_index_of(await _labels(page, "#f-reserve_form_id"), "reserve")
    )
    await page.check('input[name="regions"][value="KZ-S"]')
    for field, moment in (("waiting_opens_at", -30), ("starts_at", 0), ("last_entry_at", 15)):
        await page.fill(f"#f-{field}", (starts + dt.timedelta(minutes=moment)).strftime("%Y-%m-%dT%H:%M"))
    for more in await page.locator("form.form details:not([open]) > summary").all():
        await more.click()
    for field, value in (("duration_min", "30"), ("grace_min", "0"), ("spread_s", "0")):
        await page.fill(f"#f-{field}", value)
    await page.fill("#f-help_name", "Гүлнар Сәрсенқызы")
    await page.fill("#f-help_phone", "+7 700 000 00 11")
    await page.click("form.form button.primary")
    await page.wait_for_selector("ol.steps")
    sitting = page.url
    await page.goto(f"{sitting}/import")
    await page.set_input_files("#f-file", {"name": "тізім.csv", "mimeType": "text/csv", "buffer": PUPILS.encode()})
    await page.click("form.stack button.primary")
    await page.wait_for_selector(".notice.leaf", timeout=30_000)
    await page.click('form[action$="/take"] button.primary')
    await expect(page.locator(".notice.leaf strong")).to_contain_text("2", timeout=30_000)
    await page.goto(f"{sitting}/clock")
    await page.click('form[action$="/clock"] button')
    await page.wait_for_url(sitting)
    await page.click('form[action$="/publish"] button')
    await page.wait_for_selector('form[action$="/close"]')
    await page.goto(f"{sitting}/slips")
    async with page.expect_download() as waiting:
        await page.click("button[form=f-print-all]")
    slips = (await (await waiting.value).path()).read_bytes()
    await page.context.close()
    return sitting, starts, codes_of(slips)


async def _labels(page: Page, field: str) -> list[str]:
    return await page.locator(f"{field} option").all_inner_texts()


def _index_of(labels: list[str], form: str) -> int:
    return next(place for place, label in enumerate(labels) if label.endswith(form))


def codes_of(pdf: bytes) -> dict[str, str]:
    """First name → code, as a pupil reads them off the strips."""
    import io

    import pypdf

    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    found: dict[str, str] = {}
    for name in ("Айгүл", "Ұлжан"):
        strip = text[text.index(name) :]
        code = re.search(r"\b([0-9A-HJKMNP-TV-Z]{4})\s+([0-9A-HJKMNP-TV-Z]{4})\s+([0-9A-HJKMNP-TV-Z]{4})\b", strip)
        assert code is not None, text
        found[name] = "".join(code.groups())
    return found


async def end_for_all(browser: Browser, house: House, sitting: str) -> None:
    """Two persons end the sitting; then it is closed."""
    number = sitting.rsplit("/", 1)[1]
    page = await enter(browser, house, "admin")
    await page.goto(f"{sitting}/controls/new?scope=sitting&id={number}&kind=end")
    await page.fill("#f-reason", "Барлығы тапсырып болды")
    await page.click("section form button.danger")
    await page.wait_for_selector(".compare")
    second = await enter(browser, house, "second")
    await second.goto(f"{house.portal}/acts")
    async with second.expect_navigation():
        await second.click('button[name="do"][value="do"]')
    await second.context.close()
    await page.goto(sitting)
    async with page.expect_navigation():
        await page.click('form[action$="/close"] button')
    await page.context.close()


async def answers_in_the_report(browser: Browser, house: House, sitting: str, name: str) -> dict[str, str]:
    """The analyst runs scoring and opens the pupil's sheet: item code → the answer as it stands there."""
    page = await enter(browser, house, "analyst")
    await page.goto(f"{sitting}/scores")
    async with page.expect_navigation():
        await page.click('form[action$="/scores/run"] button')
    # The page follows the run by itself and is read anew when it is over.
    await page.locator('a[href$="/scores/1/ranking"]').first.wait_for(timeout=60_000)
    # Without names by default; showing them is kept on record.
    await page.goto(f"{sitting}/scores/1/ranking")
    assert await page.get_by_role("link", name=name).count() == 0
    await page.goto(f"{sitting}/scores/1/ranking?region=&names=1")
    # Both pages have a heading and a table: the next one is waited for by its address.
    async with page.expect_navigation():
        await page.get_by_role("link", name=name).click()
    rows = await page.locator("tbody tr").all()
    shown: dict[str, str] = {}
    for row in rows:
        cells = await row.locator("th, td").all_inner_texts()
        shown[cells[1].strip()] = cells[2].strip()
    await page.context.close()
    return shown
