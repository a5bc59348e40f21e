"""Live view in two real browsers side by side: the child reads it first, the proctor sees it move, and it ends for both."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from axe_playwright_python.sync_playwright import Axe

from infra.parts.supervisor import command_argv, pictures_argv, portal_argv
from portal.core.accounts import create_staff, give_role
from portal.core.db import prepare
from tests.browser.player.before_camera import FAKE, PHONE, agree, begin
from tests.browser.player.peer import Pupil
from tests.browser.player.sitter import FLAGS, browser_path
from tests.browser.portal.conftest import assets
from tests.support.camera_consent import sitting_with_camera, withdraw_camera
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Playwright

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop

__all__ = ["assets"]
PASSWORD = "steppe and sky"
# The picture as it stands, to be compared: the last frame drawn small, as text.
GRAB = """() => {
    const video = document.querySelector('#live video');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 48];
    canvas.getContext('2d').drawImage(video, 0, 0, 64, 48);
    return video.videoWidth ? canvas.toDataURL() : '';
}"""


class Desk:
    """A proctor at his desk, and the database behind both."""

    def __init__(self, page: Page, portal: str, ask: Callable[..., Any]) -> None:
        self.page, self.portal, self.ask = page, portal, ask

    def look(self, attempt: int, reason: str = "") -> None:
        """To the child's page, and on to the live picture."""
        self.page.goto(f"{self.portal}/watch/{attempt}")
        self.page.get_by_role("link", name="Тікелей қарау").click()
        if reason:
            self.page.fill("#f-reason", reason)
        self.page.get_by_role("button", name="Тікелей қарау").click()
        self.page.locator("#live").wait_for()

    def moves(self) -> bool:
        """Two grabs of the video differ, and neither is empty."""
        first = self.page.evaluate(GRAB)
        self.page.wait_for_timeout(700)
        second = self.page.evaluate(GRAB)
        return bool(first) and first != second

    def why(self, attempt: int) -> str | None:
        return self.ask("select why from watch_live where attempt_id = $1 order by id desc limit 1", attempt)


@pytest.fixture
def ours(stack: Stack, loop: Loop, service: str, assets: None) -> Iterator[tuple[str, ...]]:
    """Ingest, forwarder and portal; the origins that a player may speak to beside its own."""
    assert service
    assert assets is None
    stack.overrides["proctoring"] = {"ELUMITI_SEGMENT_S": "0.3", "ELUMITI_REFRESH_EVERY_S": "0.3"}
    stack.overrides["live"] = {"ELUMITI_REFRESH_EVERY_S": "0.3"}
    ports = stack.home.ports

    async def start() -> None:
        await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, 1), ports.pictures)
        await stack.start_process("live", "live", command_argv("live"), ports.live)
        await stack.start_process("portal", "portal", portal_argv(stack.home), ports.portal)

    async def stop() -> None:
        for name in ("portal", "live", "pictures"):
            await stack.parts.pop(name).down()

    loop.run(start(), 60)
    yield tuple(f"http://127.0.0.1:{port}" for port in (ports.pictures, ports.live))
    loop.run(stop(), 60)


@pytest.fixture
def desk(stack: Stack, loop: Loop, playwright: Playwright, owner_url: str, ours: tuple[str, ...]) -> Iterator[Desk]:
    """Signed in."""
    assert ours
    portal = f"http://127.0.0.1:{stack.home.ports.portal}"

    async def hire() -> None:
        db = await asyncpg.connect(owner_url)
        await prepare(db)
        if not await db.fetchval("select 1 from staff where login = 'live-proctor'"):
            staff = await create_staff(
                db, login="live-proctor", full_name="Айгерім Бақытова", password=PASSWORD, demo=True
            )
            await give_role(db, staff_id=staff, role="proctor", ends_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        await db.close()

    def ask(sql: str, *given: object) -> Any:
        async def asked() -> Any:
            db = await asyncpg.connect(owner_url)
            try:
                return await db.fetchval(sql, *given)
            finally:
                await db.close()

        return loop.run(asked(), 30)

    loop.run(hire(), 30)
    browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="kk-KZ").new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{portal}/sign-in")
    page.fill("#f-login", "live-proctor")
    page.fill("#f-password", PASSWORD)
    page.click("form.stack button.primary")
    page.wait_for_url(f"{portal}/")
    yield Desk(page, portal, ask)
    browser.close()


def test_the_child_reads_it_the_proctor_sees_it_move_and_it_ends(
    player: Path,
    stack: Stack,
    service: str,
    owner_url: str,
    loop: Loop,
    desk: Desk,
    ours: tuple[str, ...],
    sitter_at: Callable[..., Sitter],
    tmp_path: Path,
) -> None:
    """The bar stands before the first packet; the picture moves; the end clears both; a withdrawal ends the next one at once."""
    assert player

    made, person = loop.run(sitting_with_camera(stack, owner_url, every_s=5), 60)
    seat = made.seats[0]
    sitter = sitter_at(service, flags=FAKE, viewport=PHONE, ours=ours)
    sitter.choose_language()
    sitter.sign_in(Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month))
    sitter.page.locator(".findings").wait_for()
    assert "тікелей қарай алады" in sitter.page.locator(".camera").inner_text()
    agree(sitter)
    begin(sitter)
    shots = "select count(*) from picture where attempt_id = $1 and kind = 'snapshot'"
    until(lambda: desk.ask(shots, seat.attempt) >= 1, limit_s=40)
    bar = sitter.page.locator("#live-bar")
    assert bar.inner_text() == ""

    desk.page.goto(f"{desk.portal}/sittings/{made.sitting}/wall")
    desk.page.get_by_role("button", name="Балаларды алу").click()
    desk.look(seat.attempt)
    began = "select began_at is not null from watch_live where attempt_id = $1 order by id desc limit 1"
    bar.get_by_text("Проктор қазір сені камерадан көріп отыр").wait_for(timeout=20_000)
    # Told before anything is sent.
    assert desk.ask(began, seat.attempt) is False
    assert bar.get_attribute("role") == "status"
    until(desk.moves, limit_s=30)
    assert desk.ask(began, seat.attempt) is True
    desk.page.locator('#live[data-state="live"]').wait_for()
    assert desk.page.locator(".live-left").inner_text()[:2] in {"2:", "3:"}
    assert "Айгерім Бақытова" in desk.page.locator(".live-name").inner_text()
    assert desk.page.evaluate("document.querySelector('#live video').srcObject.getAudioTracks().length") == 0
    assert desk.page.evaluate("document.querySelector('#live video').videoWidth") <= 320
    assert Axe().run(desk.page).violations_count == 0
    desk.page.screenshot(path=str(tmp_path / "proctor.png"))
    sitter.page.screenshot(path=str(tmp_path / "child.png"))
    sitter.choose(1)
    sitter.next()
    assert "көріп отыр" in bar.inner_text()
    # A dialog lies over the whole page: there he reads it too.
    sitter.page.locator(".counter").click()
    sitter.page.locator("dialog[open]").get_by_text("Проктор қазір сені камерадан көріп отыр").wait_for()
    sitter.page.screenshot(path=str(tmp_path / "dialog.png"))
    sitter.page.keyboard.press("Escape")
    sitter.page.locator("dialog").wait_for(state="detached")

    desk.page.get_by_role("button", name="Қазір аяқтау").click()
    until(lambda: bar.inner_text() == "", limit_s=10)
    assert desk.why(seat.attempt) == "proctor"
    assert "Сіз аяқтадыңыз" in desk.page.inner_text("main")
    desk.page.screenshot(path=str(tmp_path / "asking.png"), full_page=True)

    desk.page.wait_for_timeout(9_000)
    desk.look(seat.attempt, "Бөлмеде екінші адам бар сияқты")
    until(desk.moves, limit_s=40)

    async def withdraw() -> None:
        db = await asyncpg.connect(owner_url)
        await withdraw_camera(db, person)
        await db.close()

    loop.run(withdraw(), 30)
    until(lambda: desk.why(seat.attempt) == "consent", limit_s=8)
    desk.page.get_by_text("келісім қайтарып алынды").wait_for()
    assert desk.page.evaluate("document.querySelector('#live video').srcObject") is None
    until(lambda: bar.inner_text() == "", limit_s=10)
    for _ in range(5):
        sitter.page.locator("#question").wait_for()
        sitter.choose(2)
        sitter.next()
    sitter.finish()
    assert sitter.receipt()
