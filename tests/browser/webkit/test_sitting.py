"""A whole sitting in WebKit, the engine of every browser on an iPhone: answers, receipt, and a camera that gives pictures.

WebKitGTK as Debian packs it: no WebRTC in it, so a live view is refused by the phone; its camera is the engine's own mock.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from selenium.webdriver import WebKitGTK, WebKitGTKOptions, WebKitGTKService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.browser.player.conftest import player
from tests.browser.player.test_real_pictures import ingest
from tests.support.camera_consent import sitting_with_camera
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.remote.webelement import WebElement

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

__all__ = ["ingest", "player"]
BROWSERS = Path("/usr/lib/x86_64-linux-gnu")
MOCK = ("--enable-mock-capture-devices=TRUE", "--enable-media-stream=TRUE")


class Phone:
    """What a child does, by the page's own marks."""

    def __init__(self, driver: WebKitGTK, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def one(self, css: str, words: str = "") -> WebElement:
        """The element once it is there (and says these words)."""
        found: list[WebElement] = []

        def there() -> bool:
            found[:] = [one for one in self.driver.find_elements(By.CSS_SELECTOR, css) if words in one.text]
            return bool(found)

        until(there, limit_s=30, every_s=0.1)
        return found[0]

    def press(self, css: str, words: str = "") -> None:
        """By script: the driver refuses what it would have to scroll to."""
        self.driver.execute_script("arguments[0].click()", self.one(css, words))

    def shot(self, name: str) -> None:
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))


@pytest.fixture
def screen() -> Iterator[str]:
    """An X display that nobody sees."""
    program = shutil.which("Xvfb")
    assert program, "no display: apt install xvfb"
    reads, writes = os.pipe()
    command = [program, "-displayfd", str(writes), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL)
    os.close(writes)
    with os.fdopen(reads) as told:
        yield f":{told.readline().strip()}"
    process.terminate()
    process.wait(10)


@pytest.fixture
def phone(screen: str, tmp_path: Path) -> Iterator[Phone]:
    driver = shutil.which("WebKitWebDriver")
    browsers = sorted(BROWSERS.glob("webkit2gtk-4.*/MiniBrowser"))
    assert driver, "no WebKit: apt install webkit2gtk-driver"
    assert browsers
    options = WebKitGTKOptions()
    options.binary_location = str(browsers[-1])
    for flag in ("--automation", *MOCK):
        options.add_argument(flag)
    service = WebKitGTKService(driver, log_output=str(tmp_path / "driver.log"), env={**os.environ, "DISPLAY": screen})
    browser = WebKitGTK(options=options, service=service)
    browser.set_window_size(390, 844)
    yield Phone(browser, tmp_path)
    with contextlib.suppress(Exception):
        browser.quit()


@pytest.mark.webkit
def test_a_whole_sitting_with_a_camera(
    player: Path, stack: Stack, service: str, ingest: str, owner_url: str, loop: Loop, phone: Phone
) -> None:
    """Every answer that was on the screen is in Postgres; photo and snapshots came as JPEG and fit; the receipt is the seal."""
    assert player
    assert ingest
    made, _ = loop.run(sitting_with_camera(stack, owner_url, every_s=5), 60)
    seat = made.seats[0]

    def ask(sql: str) -> list[asyncpg.Record]:
        async def asked() -> list[asyncpg.Record]:
            db = await asyncpg.connect(owner_url)
            try:
                return await db.fetch(sql, seat.attempt)
            finally:
                await db.close()

        return loop.run(asked(), 30)

    phone.driver.get(service)
    phone.press("button", "Қазақша")
    phone.one("#code").send_keys(seat.code.lower())
    for select, value in zip(
        phone.driver.find_elements(By.CSS_SELECTOR, ".birth select"), (seat.day, seat.month), strict=True
    ):
        Select(select).select_by_value(str(value))
    phone.press("button[type=submit]")
    phone.one(".findings")
    phone.press("#camera-yes")
    phone.press("#shoot")
    phone.shot("photo")
    phone.press("#keep-photo")
    phone.one(".camera", "Камера дайын")
    phone.press("#go-on")
    phone.press("#start")
    snapshots = "select byte_length from picture where attempt_id = $1 and kind = 'snapshot'"
    until(lambda: len(ask(snapshots)) >= 2, limit_s=40)
    assert all(4_000 < row["byte_length"] <= 12_500 for row in ask(snapshots))
    assert len(ask("select from picture where attempt_id = $1 and kind = 'identity'")) == 1
    phone.shot("question")
    chosen: list[str] = []
    for number in range(1, 7):
        phone.one(".counter", f"{number} / 6")
        phone.press(".option:nth-of-type(3), .options > :nth-child(3) .option")
        chosen.append(phone.one(".option.chosen .words").text)
        phone.press("#next")
    phone.press("#finish")
    phone.press("#finish-yes")
    code = phone.one(".receipt .code").text
    phone.shot("receipt")
    rows = ask("select item, value from response_event where attempt_id = $1 and kind = 1 order by seq")
    names = {item: name for name, item in made.items.items()}
    letters = {name: {number: letter for letter, number in made.options[name].items()} for name in made.options}
    stored = [f"kk option {letters[names[row['item']]][int(row['value'])]} of {names[row['item']]}" for row in rows]
    assert stored == chosen
    assert [row["code"] for row in ask("select code from seal where attempt_id = $1")] == [code]
