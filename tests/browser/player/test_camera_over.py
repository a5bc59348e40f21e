"""A camera that is not there, not wanted any more, or of a phone that another one replaced: it is out, and costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.player.before_camera import under_way
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.player.peer import Peer
    from tests.browser.player.pictures import Receiver
    from tests.browser.player.sitter import Sitter

TRACKS = """
window.tracks = [];
const { mediaDevices } = navigator, ask = mediaDevices.getUserMedia.bind(mediaDevices);
mediaDevices.getUserMedia = async (wanted) => { const made = await ask(wanted); window.tracks.push(...made.getTracks()); return made; };
"""


def test_the_camera_of_a_phone_that_was_replaced_goes_out(
    at_camera: Callable[..., Sitter], watched: Peer, receiver: Receiver
) -> None:
    """Another device took over: no frame more is taken on this one, and no picture lies on it."""
    sitter = at_camera()
    sitter.page.add_init_script(TRACKS)
    sitter.page.reload()
    under_way(sitter, watched, receiver)
    receiver.refuse = (503, "try-later")
    until(lambda: sitter.pictures_stored() > 0)
    assert "live" in sitter.page.evaluate("window.tracks.map((track) => track.readyState)")
    watched.pupils[0].devices.append("f" * 32)
    sitter.page.locator("#go-on-here").wait_for()
    until(lambda: "live" not in sitter.page.evaluate("window.tracks.map((track) => track.readyState)"))
    until(lambda: sitter.pictures_stored() == 0)
    assert sitter.page.get_by_label("Камера қосулы").count() == 0
    sitter.page.wait_for_timeout(3_000)
    assert sitter.pictures_stored() == 0


def test_a_camera_that_is_not_wanted_any_more_is_told_as_none(
    at_camera: Callable[..., Sitter], watched: Peer, receiver: Receiver
) -> None:
    """In the middle of the test, by the child's own touch."""
    sitter = at_camera()
    under_way(sitter, watched, receiver)
    sitter.page.locator(".camera-sign").click()
    sitter.page.locator("dialog .link").click()
    until(lambda: "camera-none" in receiver.kinds())
    assert "camera-off" not in receiver.kinds()


def test_a_second_phone_says_its_own_language(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """The registry's on the second phone, another one on the first: the last that was chosen is on record."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    first = sitter_at(peer.url)
    first.to_first_question(pupil, "ru")
    first.answer()
    until(lambda: "language" in kinds(peer, 0))
    second = sitter_at(peer.url)
    second.choose_language("kk")
    second.sign_in(pupil)
    second.page.locator("#question").wait_for()
    until(lambda: "language" in kinds(peer, 1))


def kinds(peer: Peer, device: int) -> list[str]:
    """What the device of this number has sent."""
    pupil = peer.pupils[0]
    return [event["kind"] for event in pupil.events.get(pupil.devices[device], {}).values()]
