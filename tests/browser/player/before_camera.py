"""A pupil before a camera: Chromium's own, on a phone-sized page, from the sign-in to the first question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.player.peer import Peer, Pupil
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.browser.player.pictures import Receiver
    from tests.browser.player.sitter import Sitter
    from tests.support.sittings import Seat

# Five frames a second: thirty take a tenth of a core for what nobody looks at.
CAMERA = "--use-fake-device-for-media-stream=fps=5"
FAKE = [CAMERA, "--use-fake-ui-for-media-stream"]
PHONE = {"width": 390, "height": 844}


def to_check(sitter: Sitter, peer: Peer, pupil: int = 0) -> None:
    sitter.choose_language() if sitter.page.locator("#code").count() == 0 else None
    sitter.sign_in(peer.pupils[pupil])
    sitter.page.locator(".findings").wait_for()


def agree(sitter: Sitter) -> None:
    """The consent, the photo and its keeping."""
    page = sitter.page
    page.locator("#camera-yes").click()
    page.locator("#shoot").click()
    page.locator("#keep-photo").click()
    page.get_by_text("Камера дайын").wait_for()


def sit_down(sitter: Sitter, seat: Seat) -> None:
    """From the language to the first question of a real sitting, with the camera on."""
    sitter.choose_language()
    sitter.sign_in(Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month))
    sitter.page.locator(".findings").wait_for()
    agree(sitter)
    begin(sitter)


def begin(sitter: Sitter) -> None:
    sitter.page.locator("#go-on").click()
    sitter.page.locator("#start").click()
    sitter.page.locator("#question").wait_for()


def under_way(sitter: Sitter, peer: Peer, receiver: Receiver, pupil: int = 0) -> None:
    """From the sign-in to the first snapshot of the test."""
    to_check(sitter, peer, pupil)
    agree(sitter)
    begin(sitter)
    until(lambda: len(receiver.of("snapshot")) >= 1)
