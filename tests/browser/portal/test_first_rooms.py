"""An administrator's day in a real browser: sign in, make, import, rehearse, publish, print, watch, act in two."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import asyncpg
import pypdf
import pytest
from playwright.async_api import expect

from portal.core.i18n import ASTANA
from tests.browser.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

    from tests.support.loop import Loop

HEAD = "school_code;last_name;first_name;middle_name;birth_date;grade;class_letter;language;extra_minutes;external_id\n"
LAST = ["Серікова", "Әлиева", "Өтегенова", "Қасымова"]
FIRST = ["Айгүл", "Ұлжан", "Іңкәр", "Нұргүл"]


async def enter(
    browser: Browser, served: str, login: str, *, phone: bool = False, script: bool = True
) -> tuple[BrowserContext, Page]:
    """A signed-in person; anything that the page's policy refuses, or another origin, fails the test."""
    size = {"width": 360, "height": 800} if phone else {"width": 1440, "height": 900}
    context = await browser.new_context(viewport=size, java_script_enabled=script, locale="kk-KZ")  # type: ignore[arg-type]
    page = await context.new_page()
    page.on("request", lambda request: own_origin(request.url, served))
    page.on("console", lambda message: no_refusal(message.text))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    await page.goto(f"{served}/sign-in")
    await page.fill("#f-login", f"browser-{login}")
    await page.fill("#f-password", PASSWORD)
    await page.click("form.stack button.primary")
    await page.wait_for_url(f"{served}/")
    if login == "super":
        await page.goto(f"{served}/raise")
        await page.fill("#f-reason", "Тексеру")
        async with page.expect_navigation():
            await page.click("form.form button.primary")
    return context, page


def own_origin(url: str, served: str) -> None:
    """SAFETY D6."""
    if not url.startswith((served, "data:")):
        pytest.fail(f"a request to another origin: {url}")


def no_refusal(text: str) -> None:
    """No inline style or script hides in a page."""
    if "Content Security Policy" in text:
        pytest.fail(text)


async def make_sitting(page: Page, served: str, title: str) -> str:
    """Fill the form; the sitting's address."""
    await page.goto(f"{served}/sittings/new")
    start = dt.datetime.now(ASTANA).replace(second=0, microsecond=0) + dt.timedelta(minutes=20 + len(title) % 5)
    await page.fill("#f-title_kk", title)
    await page.select_option("#f-form_id", label="Браузер тесті · A")
    await page.select_option("#f-reserve_form_id", label="Браузер тесті · B")
    await page.check('input[name="regions"][value="KZ-B"]')
    for field, moment in (("waiting_opens_at", -10), ("starts_at", 0), ("last_entry_at", 15)):
        await page.fill(f"#f-{field}", (start + dt.timedelta(minutes=moment)).strftime("%Y-%m-%dT%H:%M"))
    await page.fill("#f-help_name", "Гүлнар Сәрсенқызы")
    await page.fill("#f-help_phone", "+7 700 000 00 11")
    await page.click("form.form button.primary")
    await page.wait_for_selector("ol.steps")
    return page.url


async def import_pupils(page: Page, sitting: str, text: str) -> None:
    """Send a list and wait for its check."""
    await page.goto(f"{sitting}/import")
    await page.set_input_files("#f-file", {"name": "тізім.csv", "mimeType": "text/csv", "buffer": text.encode()})
    await page.click("form.stack button.primary")
    await page.wait_for_selector(".notice.leaf, .notice.clay", timeout=30_000)


async def the_whole_day(browser: Browser, served: str) -> None:
    """From the sign-in to a message that two persons sent."""
    context, page = await enter(browser, served, "admin")
    sitting = await make_sitting(page, served, "Мың бала, браузер кезеңі")

    await import_pupils(page, sitting, HEAD + "BR-9;Иванов1;;;2015;15;;фр;;\n")
    await expect(page.locator("tbody tr")).to_have_count(6)

    rows = "".join(
        f"BR-{1 + number % 2};{LAST[number % 4]};{FIRST[number // 4 % 4]};;{1 + number:02}.03.2015;5;Ә;қаз;{30 if number == 3 else ''};B{number}\n"
        for number in range(20)
    )
    await import_pupils(page, sitting, HEAD + rows)
    await page.click('form[action$="/take"] button.primary')
    await expect(page.locator(".notice.leaf strong")).to_contain_text("20", timeout=30_000)

    await page.goto(f"{sitting}/clock")
    await expect(page.locator("svg.chart rect.sun").first).to_be_visible()
    await page.click('form[action$="/clock"] button')
    await page.wait_for_url(sitting)
    await page.click('form[action$="/publish"] button')
    await page.wait_for_selector('form[action$="/close"]')

    await page.goto(f"{sitting}/slips")
    async with page.expect_download() as waiting:
        await page.click("button[form=f-print-all]")
    download = await waiting.value
    path = await download.path()
    text = "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(path.read_bytes())).pages)
    assert text.count("Гүлнар Сәрсенқызы") == 20
    assert "Іңкәр" in text
    assert "Ұлжан" in text

    await page.keyboard.press("Control+k")
    await page.keyboard.type("әли ұлж")
    await expect(page.locator("#palette-found a").first).to_contain_text("Әлиева Ұлжан")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Әлиева Ұлжан")

    await page.goto(f"{sitting}/live")
    await expect(page.locator(".figure b").first).to_have_text("20")
    number = sitting.rsplit("/", 1)[1]
    await page.goto(f"{sitting}/controls/new?scope=sitting&id={number}&kind=message")
    await page.fill("#f-text_kk", "Асықпаңдар, уақыт жетеді.")
    await page.fill("#f-reason", "Желі баяу")
    await page.click("section form button.primary")
    await page.wait_for_selector(".compare")
    await context.close()

    context, page = await enter(browser, served, "second")
    await page.goto(f"{served}/acts")
    # Other tests of this run may have left acts of their own.
    act = page.locator("article", has_text="Желі баяу")
    await expect(act).to_have_count(1)
    async with page.expect_navigation():
        await act.locator('button[name="do"][value="do"]').click()
    await page.goto(f"{sitting}/live")
    await expect(page.locator("table")).to_have_count(3)
    await expect(page.locator("table").last).to_contain_text("Асықпаңдар")
    await context.close()


async def nothing_else_uses_the_forms(owner_url: str) -> None:
    """Sittings of other files of this process: one form has one start."""
    db = await asyncpg.connect(owner_url)
    await db.execute("update sitting set state = 'draft' where state <> 'draft'")
    await db.close()


def test_an_administrators_day(loop: Loop, browser: Browser, served: str, owner_url: str) -> None:
    """Everything a test administrator does before and during a sitting."""
    loop.run(nothing_else_uses_the_forms(owner_url), 10)
    loop.run(the_whole_day(browser, served), 110)


async def without_script(browser: Browser, served: str) -> None:
    """Forms are plain HTML: a sitting is made with script off."""
    context, page = await enter(browser, served, "admin", script=False)
    await make_sitting(page, served, "Скриптсіз")
    await context.close()


def test_forms_work_without_script(loop: Loop, browser: Browser, served: str) -> None:
    """Comfort is script's, function is not."""
    loop.run(without_script(browser, served), 60)


async def three_languages_on_a_phone(browser: Browser, served: str) -> None:
    """Nothing hangs over the edge, whatever the language; the menu opens and the text follows the choice."""
    context, page = await enter(browser, served, "super", phone=True)
    for language, word in (("kk", "Шолу"), ("ru", "Обзор"), ("en", "Overview")):
        await page.goto(f"{served}/language/{language}")
        await page.click("[data-menu]")
        await expect(page.locator(".side")).to_contain_text(word)
        for path in (
            "/",
            "/sittings",
            "/sittings/new",
            "/acts",
            "/receipts",
            "/staff",
            "/staff/new",
            "/roles?of=myn-bala",
            "/roles?of=house",
            "/grants?which=all",
            "/see-as",
            "/why?login=browser-admin&permission=sitting.view",
            "/modules",
            "/raise",
            "/second-factor",
            "/audit",
            "/help",
            "/style",
            "/account",
        ):
            await page.goto(f"{served}{path}")
            over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, (language, path, over)
            small = await page.evaluate(
                """[...document.querySelectorAll('button, a.button')].filter(one => one.offsetParent && one.offsetHeight < 40)
                   .map(one => one.outerHTML.slice(0, 80))"""
            )
            assert small == [], (path, small)
    await context.close()


def test_it_fits_a_phone_in_three_languages(loop: Loop, browser: Browser, served: str) -> None:
    """360 px wide, touch targets large."""
    loop.run(three_languages_on_a_phone(browser, served), 110)
