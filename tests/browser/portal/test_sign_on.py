"""Sign-on in a real browser, in Kazakh: into other systems and out of all of them, and in by an account of another site."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest
from playwright.async_api import expect

from infra.local import environment
from infra.settings import PortalSettings, read
from portal.core.accounts import create_staff, give_role
from portal.core.accounts.sealing import seal
from portal.core.db import prepare
from portal.features.oauth.queries import hash_of
from tests.browser.portal.conftest import PASSWORD
from tests.browser.portal.test_first_rooms import enter
from tests.browser.portal.test_own_account import look
from tests.support.relying_party import RelyingParty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Browser, Page

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

LOGIN = "browser-manager"
PICTURES = os.environ.get("PICTURES", "")


async def seen(page: Page, name: str) -> None:
    """On both sizes without fault; kept as pictures where somebody wants to look (`PICTURES=folder`)."""
    await look(page)
    if PICTURES:
        for size, width in (("phone", 390), ("desktop", 1280)):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.screenshot(path=Path(PICTURES) / f"{name}-{size}.png", full_page=True)


@pytest.fixture(scope="module")
def manager(loop: Loop, owner_url: str, served: str) -> str:
    """A manager of a school, who needs no second proof."""
    assert served

    async def make() -> None:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        staff = await create_staff(db, login=LOGIN, full_name="Айгерім Сәкенқызы", password=PASSWORD)
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        await give_role(db, staff_id=staff, role="myn-bala-school-manager", ends_at=ends)
        await db.close()

    loop.run(make())
    return LOGIN


@pytest.fixture
def parties(served: str) -> Iterator[list[RelyingParty]]:
    """Two systems, not joined yet."""
    made = [RelyingParty(name, served) for name in ("Электрондық журнал", "Кітапхана")]
    yield made
    for one in made:
        one.stop()


async def join(page: Page, served: str, party: RelyingParty) -> None:
    """As the super-admin does it: the form, then number and secret from the page."""
    await page.goto(f"{served}/sign-on/systems/new")
    await seen(page, "system-new")
    await page.fill("#f-name_kk", party.name)
    await page.fill("#f-redirect_uris", party.back)
    await page.fill("#f-logout_uris", party.bye)
    await page.fill("#f-backchannel_uri", party.told_at)
    await page.check('input[name="scope"][value="roles"]')
    async with page.expect_navigation():
        await page.click("form.form button.primary")
    secret = await page.inner_text(".notice.sun code")
    client_id = await page.inner_text(".facts code >> nth=0")
    await seen(page, "system-joined")
    party.start(client_id, secret)


async def told(party: RelyingParty) -> None:
    async with asyncio.timeout(20):
        while not party.ended:
            await asyncio.sleep(0.1)


async def in_and_out(browser: Browser, served: str, parties: list[RelyingParty]) -> None:
    context, page = await enter(browser, served, "super")
    for party in parties:
        await join(page, served, party)
    await page.goto(f"{served}/sign-on/systems")
    await seen(page, "systems")
    await context.close()

    journal, library = parties
    context = await browser.new_context(locale="kk-KZ", java_script_enabled=False)
    page = await context.new_page()
    page.on("console", lambda message: pytest.fail(message.text) if "Refused" in message.text else None)
    await page.goto(journal.home)
    await page.click("#in")
    await page.fill("#f-login", LOGIN)
    await page.fill("#f-password", PASSWORD)
    await page.click("form.stack button.primary")
    await expect(page.locator("h1")).to_have_text(f"«{journal.name}» жүйесіне кіру")
    await context.close()

    # Once more with script, for axe needs one; a no first, then a yes.
    context = await browser.new_context(locale="kk-KZ")
    page = await context.new_page()
    page.on("console", lambda message: pytest.fail(message.text) if "Refused" in message.text else None)
    await page.goto(journal.home)
    await page.click("#in")
    await page.fill("#f-login", LOGIN)
    await page.fill("#f-password", PASSWORD)
    await page.click("form.stack button.primary")
    await expect(page.locator("h1")).to_have_text(f"«{journal.name}» жүйесіне кіру")
    await seen(page, "consent")
    await page.click('button[value="no"]')
    await expect(page.locator("#error")).to_have_text("access_denied")
    await page.goto(journal.home)
    await page.click("#in")
    await page.click('button[value="yes"]')
    await expect(page.locator("#who")).to_have_text("Айгерім Сәкенқызы")

    # The second system: nothing is typed, one button is pressed.
    await page.goto(library.home)
    await page.click("#in")
    await page.click('button[value="yes"]')
    await expect(page.locator("#who")).to_have_text("Айгерім Сәкенқызы")
    await page.goto(f"{served}/account")
    await seen(page, "account-systems")

    # Out of one: out of all.
    await page.goto(f"{served}/oauth/logout")
    await seen(page, "logout")
    await page.goto(journal.home)
    await page.click("#out")
    await expect(page.locator("#bye")).to_be_visible()
    await page.goto(f"{served}/account")
    await expect(page.locator("#f-password")).to_be_visible()
    await asyncio.gather(told(journal), told(library))
    for party in parties:
        await page.goto(party.home)
        await expect(page.locator("#in")).to_be_visible()
    await page.goto(f"{served}/sign-in?said=out")
    await seen(page, "signed-out")
    await context.close()


def test_into_two_systems_and_out_of_both(
    loop: Loop, browser: Browser, served: str, manager: str, parties: list[RelyingParty]
) -> None:
    """Portal, worker, two systems and a browser, each in a process or thread of its own."""
    assert manager
    loop.run(in_and_out(browser, served, parties), 150)


async def by_another_site(browser: Browser, served: str, owner_url: str) -> None:
    """The pages around it; the way itself is walked in tests/portal/sign_on."""
    context, page = await enter(browser, served, "super")
    await page.goto(f"{served}/sign-on/providers")
    await seen(page, "providers-none")
    await page.goto(f"{served}/sign-on/providers/new?like=google")
    await page.fill("#f-client_id", "123.apps.googleusercontent.com")
    await page.fill("#f-client_secret", "secret")
    async with page.expect_navigation():
        await page.click("form.form button.primary")
    await seen(page, "provider")
    await page.goto(f"{served}/sign-on/providers")
    async with page.expect_navigation():
        await page.click("td.actions button")
    await seen(page, "providers")
    await context.close()

    context, page = await enter(browser, served, "manager")
    db = await asyncpg.connect(owner_url)
    await db.execute(
        """
        insert into account_identity (staff_id, provider_id, issuer, subject, shown)
        select s.id, p.id, p.issuer, '1', 'aigerim.s@gmail.com'
        from staff s, signon_provider p
        where s.login = $1 and p.code = 'google'
        """,
        LOGIN,
    )
    await page.goto(f"{served}/account")
    await expect(page.locator("#linked")).to_contain_text("aigerim.s@gmail.com")
    await seen(page, "account-linked")
    await page.goto(f"{served}/account/linked/google")
    await seen(page, "link-ask")
    await context.close()

    context = await browser.new_context(locale="kk-KZ")
    page = await context.new_page()
    await page.goto(f"{served}/sign-in")
    await seen(page, "sign-in")
    await page.goto(f"{served}/sign-in/link")
    await seen(page, "sign-on-over")
    await db.execute(
        """
        insert into pending_identity (token_hash, provider_id, issuer, subject, shown, ends_at)
        select sha256('waits'), id, issuer, '2', 'aigerim.s@gmail.com', now() + interval '5 minutes'
        from signon_provider
        where code = 'google'
        """
    )
    await context.add_cookies([{"name": "elumiti_identity", "value": "waits", "url": served}])
    await page.goto(f"{served}/sign-in/link")
    await seen(page, "link")
    await page.fill("#f-login", LOGIN)
    await page.fill("#f-password", PASSWORD)
    await page.click("form.stack button.primary")
    await expect(page).to_have_url(f"{served}/")
    await context.close()
    await db.execute("update signon_provider set is_on = false")
    await db.close()


def test_the_pages_of_sign_in_by_another_site(
    loop: Loop, browser: Browser, served: str, manager: str, owner_url: str
) -> None:
    """From the super-admin's form to the person's account page."""
    assert manager
    loop.run(by_another_site(browser, served, owner_url), 120)


def test_our_two_halves_understand_each_other(
    loop: Loop, stack: Stack, served: str, manager: str, owner_url: str
) -> None:
    """Our client signs in at our provider: two browsers, for one portal has one session a browser."""
    settings = read(PortalSettings, environment(stack.home, "portal"))
    back, secret = f"{served}/sign-in/answer/ourselves", "a secret between the two halves"

    async def join_ourselves() -> None:
        db = await asyncpg.connect(owner_url)
        await db.execute(
            """
            insert into oauth_client (client_id, name_kk, name_ru, name_en, redirect_uris, scopes, secret_hash, is_own)
            values ('ourselves', 'Өзіміз', 'Мы', 'Ourselves', array[$1], array['openid', 'profile'], $2, true)
            """,
            *(back, hash_of(secret)),
        )
        await db.execute(
            """
            insert into signon_provider (code, name_kk, name_ru, name_en, issuer, client_id, client_secret, scopes, is_on)
            values ('ourselves', 'Өзіміз', 'Мы', 'Ourselves', $1, 'ourselves', $2, 'openid profile', true)
            """,
            *(served, seal(settings, secret)),
        )
        await db.close()

    loop.run(join_ourselves())
    with httpx.Client(base_url=served) as there, httpx.Client(base_url=served) as here:
        form = there.get("/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
        there.post("/sign-in", data={"csrf": form, "login": manager, "password": PASSWORD})
        for _ in range(2):
            way = here.get("/sign-in/with/ourselves").headers["location"]
            assert way.startswith(f"{served}/oauth/authorize?")
            answer = here.get(there.get(way).headers["location"])
            if answer.headers["location"] == "/":
                break
            assert answer.headers["location"] == "/sign-in/link"
            page = here.get("/sign-in/link").text
            assert "Айгерім Сәкенқызы" in page or "Өзіміз" in page
            form = page.partition('name="csrf" value="')[2].partition('"')[0]
            linked = here.post("/sign-in/link", data={"csrf": form, "login": manager, "password": PASSWORD})
            assert linked.status_code == 303, linked.text
            here.cookies.clear()
        assert here.get("/account").status_code == 200
