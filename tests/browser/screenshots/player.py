"""All that a pupil may see."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error

from tests.browser.player.peer import Peer, Pupil, slip_code
from tests.browser.player.sitter import Sitter
from tests.browser.screenshots.album import SIZES, Album, say

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.browser.screenshots.demo import Place


TURNED = "(before) => document.querySelector('#question')?.innerText !== before"


def player(playwright: Playwright, place: Place, languages: list[str]) -> list[str]:
    """All that a pupil may see, on both sizes, in each language."""
    seen: list[str] = []
    pupils = iter(place.running)
    for language in languages:
        for size in SIZES:
            album = Album("player", language, size)
            say(f"player, {language}, {size} …")
            with tempfile.TemporaryDirectory() as profile:
                _before(Sitter(playwright, place.engine, Path(profile), **screen(size)), place.waiting, album)
            with tempfile.TemporaryDirectory() as profile:
                _test(Sitter(playwright, place.engine, Path(profile), **screen(size)), next(pupils), album)
            with tempfile.TemporaryDirectory() as profile, Peer(next_save_s=1) as peer:
                _orders(Sitter(playwright, peer.url, Path(profile), **screen(size)), peer, album)
            with tempfile.TemporaryDirectory() as profile, Peer(next_save_s=1) as peer:
                _room_code(Sitter(playwright, peer.url, Path(profile), **screen(size)), peer, album)
            seen += album.seen
    return seen


def screen(size: str) -> dict[str, Any]:
    return {"viewport": SIZES[size], "has_touch": size == "phone"}


def _before(sitter: Sitter, pupil: Pupil, album: Album) -> None:
    """Language, sign-in and its troubles, check, waiting room, trial."""
    page = sitter.page
    page.get_by_role("button", name="Қазақша").wait_for()
    album.take(page, "01-language")
    sitter.choose_language(album.language)
    album.take(page, "02-sign-in")
    page.locator("#code").press_sequentially("k7qm2xw9pn40")
    page.locator("button[type=submit]").click()
    page.locator("#trouble").wait_for()
    album.take(page, "03-wrong-code")
    sitter.sign_in(pupil)
    page.locator(".findings li").first.wait_for()
    page.wait_for_timeout(400)
    album.take(page, "05-check")
    page.locator(".big").click()
    page.locator(".good").wait_for()
    album.take(page, "06-waiting")
    page.locator(".link").last.click()
    page.locator("dialog").wait_for()
    album.take(page, "07-leave", whole=False)
    page.locator("dialog .secondary").click()
    page.locator(".secondary.big").click()
    for number in (1, 2, 3):
        page.locator("#question").wait_for()
        sitter.answer()
        album.take(page, f"08-trial-{number}")
        if number < 3:
            before = page.locator("#question").inner_text()
            page.locator(".bottom .primary").click()
            sitter.until(TURNED, before)
    sitter.close()


def _test(sitter: Sitter, pupil: Pupil, album: Album) -> None:
    """The whole test on the real engine, with the line cut twice, to the receipt."""
    page = sitter.page
    sitter.choose_language(album.language)
    sitter.type_slip(Pupil(0, pupil.code, "", pupil.day % 28 + 1, pupil.month))
    page.locator("button[type=submit]").click()
    page.locator("#trouble").wait_for()
    album.take(page, "04-birth-mismatch")
    sitter.sign_in(pupil)
    page.locator(".findings").wait_for()
    page.locator(".big").click()
    page.locator("#start").wait_for()
    album.take(page, "09-start")
    page.locator("#start").click()
    page.locator("#question").wait_for()
    count = sitter.count()
    for number in range(1, count + 1):
        page.locator("article.question").wait_for()
        sitter.until("() => [...document.querySelectorAll('article img')].every((one) => one.complete)")
        if number not in {6, count - 1}:
            sitter.answer()
        album.take(page, f"10-question-{number:02}")
        if number == 4:
            _over_the_test(sitter, album)
        if number == 9:
            sitter.context.set_offline(offline=True)
            page.locator(".banner p").wait_for(timeout=60_000)
            album.take(page, "15-no-network", whole=False)
            sitter.context.set_offline(offline=False)
        before = page.locator("#question").inner_text()
        page.locator("#next").click()
        sitter.until(TURNED, before)
    page.locator("#finish").wait_for()
    album.take(page, "20-review")
    sitter.context.set_offline(offline=True)
    page.locator("#finish").click()
    page.locator("#finish-yes").wait_for()
    album.take(page, "21-finish-asked", whole=False)
    page.locator("#finish-yes").click()
    page.locator("#rescue").wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    album.take(page, "22-handed-in-no-network")
    sitter.context.set_offline(offline=False)
    page.locator(".receipt").wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    album.take(page, "23-receipt")
    sitter.reload()
    page.locator("#code").wait_for()
    with contextlib.suppress(Error):
        page.locator("summary").first.click(timeout=1000)
    album.take(page, "24-the-next-child")
    sitter.close()


def _room_code(sitter: Sitter, peer: Peer, album: Album) -> None:
    """It is time and no key comes: the room's code is asked for. This blob opens with none."""
    page = sitter.page
    sealed = bytes([1, 0, 0, 0, 17]) + bytes(80)
    name = hashlib.sha256(sealed).hexdigest()
    peer.packed.files[name] = sealed
    peer.exam_room = {"number": 17, "name": "3-кабинет", "blob": name, "reserve": ""}
    peer.refuse["/v1/key"] = (503, "try-later")
    sitter.choose_language(album.language)
    sitter.sign_in(peer.pupils[0])
    page.locator(".findings").wait_for()
    page.locator(".big").click()
    page.locator("#start").click()
    page.locator("#room-code").wait_for(timeout=60_000)
    album.take(page, "38-room-code")
    page.locator("#room-code").press_sequentially(slip_code("K7QM2XW9PN4C3HT8"))
    page.locator("#room-code-form button").click()
    page.locator("#room-code-form .trouble").wait_for(timeout=60_000)
    album.take(page, "39-wrong-room-code")
    sitter.close()


def _over_the_test(sitter: Sitter, album: Album) -> None:
    """What opens over a question."""
    page = sitter.page
    page.locator(".bottom .secondary").nth(1).click()
    openers = {"11-grid": ".counter", "12-saved": ".saved", "13-menu": ".bar .bare >> nth=-1", "14-report": ".report"}
    for name, target in openers.items():
        page.locator(target).click()
        page.locator("dialog").wait_for()
        album.take(page, name, whole=False)
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")


def _orders(sitter: Sitter, peer: Peer, album: Album) -> None:
    """What staff orders and what another device does, beside the tests' peer: it obeys at once."""
    page, pupil, language = sitter.page, peer.pupils[0], album.language
    words = {
        "kk": ("Тыныштық сақтайық.", "Кестеде сейсенбі күні 22 болуы керек."),
        "ru": ("Соблюдайте, пожалуйста, тишину.", "В таблице во вторник должно быть 22."),
        "en": ("Please keep quiet.", "In the table, Tuesday should read 22."),
    }
    sitter.to_first_question(pupil, language)
    peer.order(pupil, "message", text={name: text[0] for name, text in words.items()})
    page.locator("dialog").wait_for()
    album.take(page, "30-message", whole=False)
    page.locator("dialog .primary").click()
    peer.order(pupil, "erratum", item=101, text={name: text[1] for name, text in words.items()})
    page.locator("dialog .primary").click()
    page.locator(".counter").click()
    page.locator("dialog .grid .is-corrected").click()
    page.locator(".erratum").wait_for()
    album.take(page, "31-erratum")
    with contextlib.suppress(Error):
        page.locator(".zoomable").first.click(timeout=800)
        album.take(page, "32-zoom", whole=False)
        page.keyboard.press("Escape")
    peer.order(pupil, "pause", since_ms=peer.now_ms())
    page.locator(".pause").wait_for()
    album.take(page, "33-pause", whole=False)
    pupil.extra_s = 600
    peer.order(pupil, "resume", paused_s=600)
    page.locator("dialog .primary").wait_for()
    album.take(page, "34-goes-on", whole=False)
    page.locator("dialog .primary").click()
    peer.order(pupil, "stop", at_ms=peer.now_ms())
    page.locator("#question").wait_for(state="detached")
    album.take(page, "37-stopped")
    peer.order(pupil, "reopen", at_ms=peer.now_ms())
    page.locator("dialog .primary").click()
    other = sitter.watch(sitter.context.new_page())
    other.goto(peer.url)
    other.locator("#player h1").wait_for()
    other.wait_for_timeout(500)
    album.take(other, "35-second-tab")
    other.close()
    page.bring_to_front()
    pupil.devices.append("f" * 32)
    page.locator("#go-on-here").wait_for()
    album.take(page, "36-elsewhere", whole=False)
    pupil.devices.pop()
    sitter.close()
