"""The camera at a pupil's phone: asked for in plain words, small, after the first question, behind the answers, and gone at the end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import axe_playwright_python
import pytest
from PIL import Image

from tests.browser.player.before_camera import CAMERA, FAKE, PHONE, agree, begin, to_check, under_way
from tests.browser.player.peer import DIST, Peer
from tests.browser.player.pictures import Receiver, face, film
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Request, Route

    from tests.browser.player.sitter import Sitter

    SitterAt = Callable[..., Sitter]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
COUNT_OPENED = """
const { mediaDevices } = navigator, ask = mediaDevices.getUserMedia.bind(mediaDevices);
window.opened = 0;
mediaDevices.getUserMedia = (wanted) => { window.opened += 1; return ask(wanted); };
"""
# A canvas as Safari has it: asked for WebP it gives a PNG.
NO_WEBP = """
const wanted = (type) => (type === 'image/webp' ? 'image/png' : type);
if (self.HTMLCanvasElement) {
    const made = HTMLCanvasElement.prototype.toBlob;
    HTMLCanvasElement.prototype.toBlob = function (done, type, quality) { return made.call(this, done, wanted(type), quality); };
}
const made = OffscreenCanvas.prototype.convertToBlob;
OffscreenCanvas.prototype.convertToBlob = function (given = {}) { return made.call(this, { ...given, type: wanted(given.type) }); };
"""


def test_the_whole_way_with_a_camera(at_camera: SitterAt, watched: Peer, receiver: Receiver) -> None:
    """Words first, then the camera; the photo may be taken again; snapshots only once the question stands; nothing stays."""
    sitter = at_camera()
    page = sitter.page
    to_check(sitter, watched)
    card = page.locator(".camera")
    for told in (
        "бір рет бетіңді",
        "әр 1 секунд сайын",
        "прокторлары",
        "минутына тағы 1 МБ",
        "90 күннен кейін",
        "ештеңе жоғалтпайсың",
    ):
        assert told in card.inner_text()
    assert page.locator("video").count() == 0
    main = page.locator(".primary")
    for step in ("#camera-yes", "#shoot", "#retake", "#shoot", "#keep-photo"):
        page.locator(step).wait_for()
        if step != "#retake":
            assert main.count() == 1, "one main button on the page, and it is the next step"
            assert main.get_attribute("id") == step[1:]
        page.locator(step).click()
    page.get_by_text("Камера дайын").wait_for()
    assert main.get_attribute("id") == "go-on"
    until(lambda: len(receiver.of("identity")) == 1)
    (photo,) = receiver.of("identity")
    assert photo.size == (640, 480)
    page.wait_for_timeout(2_000)
    assert receiver.of("snapshot") == []
    begin(sitter)
    assert receiver.of("snapshot") == []
    page.get_by_label("Камера қосулы").wait_for()
    until(lambda: len(receiver.of("snapshot")) >= 3)
    snapshot = receiver.of("snapshot")[0]
    assert snapshot.type == "image/webp"
    assert snapshot.size == (320, 240)
    assert [one.n for one in receiver.pictures] == sorted({one.n for one in receiver.pictures})
    assert abs(snapshot.at - watched.now_ms()) < 60_000
    page.evaluate("document.dispatchEvent(new ClipboardEvent('copy'))")
    until(lambda: "copy" in receiver.kinds())
    sitter.answer_all()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"
    assert sitter.pictures_stored() == 0
    until(lambda: sitter.pictures_stored() == 0)
    last = len(receiver.pictures)
    page.wait_for_timeout(2_500)
    assert len(receiver.pictures) == last
    assert set(watched.answers(watched.pupils[0])) == {101, 201, 301, 401, 501, 601, 701}


def test_a_browser_without_webp_sends_its_snapshots_as_jpeg(
    at_camera: SitterAt, watched: Peer, receiver: Receiver
) -> None:
    """Every iPhone: its canvas, in the page and in the worker, makes a PNG when WebP is asked for, and that never fits."""
    sitter = at_camera(service_workers="block")

    def lacking(route: Route) -> None:
        script = (DIST / "assets" / Path(route.request.url).name).read_text()
        route.fulfill(body=NO_WEBP + script, content_type="text/javascript")

    sitter.context.route("**/eyes_worker*.js*", lacking)
    sitter.page.add_init_script(NO_WEBP)
    sitter.page.reload()
    to_check(sitter, watched)
    agree(sitter)
    begin(sitter)
    # The route is served only while the page is waited for.
    sitter.page.get_by_label("Камера қосулы").wait_for()
    sitter.page.wait_for_timeout(4_000)
    until(lambda: len(receiver.of("snapshot")) >= 2)
    for one in (receiver.of("identity")[0], *receiver.of("snapshot")):
        assert one.type == "image/jpeg"
        assert Image.open(io.BytesIO(one.body)).format == "JPEG"
    assert receiver.of("snapshot")[0].size == (320, 240)


def test_no_camera_costs_nothing(at_camera: SitterAt, watched: Peer, receiver: Receiver) -> None:
    """«I don't want»: one touch, a kind word, the same test, and not one byte to the ingest (SAFETY R1)."""
    sitter = at_camera()
    to_check(sitter, watched)
    sitter.page.locator("#camera-no").click()
    sitter.page.get_by_text("камерасыз жазасың").wait_for()
    begin(sitter)
    sitter.page.evaluate("document.dispatchEvent(new ClipboardEvent('copy'))")
    sitter.answer_all()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"
    assert (receiver.pictures, receiver.events) == ([], [])


def test_a_browser_that_refuses_the_camera_stops_nobody(sitter_at: SitterAt, watched: Peer, receiver: Receiver) -> None:
    """What to do is said, the other way stands beside it, the test opens, and nothing that weighs is told."""
    flags = [CAMERA, "--deny-permission-prompts"]
    sitter = sitter_at(watched.url, flags=flags, viewport=PHONE, ours=(receiver.url,), whole=True)
    to_check(sitter, watched)
    sitter.page.locator("#camera-yes").click()
    sitter.page.get_by_text("камераға рұқсат бермеді").wait_for()
    begin(sitter)
    until(lambda: "camera-none" in receiver.kinds())
    assert "camera-off" not in receiver.kinds(), "that would weigh (SAFETY R1)"
    assert receiver.pictures == []
    sitter.answer_all()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"


def test_a_sitting_without_a_camera_loads_none_of_it(peer: Peer, sitter_at: SitterAt) -> None:
    sitter = sitter_at(peer.url)
    asked: list[str] = []
    sitter.page.on("request", lambda request: asked.append(request.url))
    sitter.to_first_question(peer.pupils[0])
    sitter.answer()
    assert sitter.page.locator(".camera, .camera-sign").count() == 0
    assert not [url for url in asked if url.endswith(".bin") or "eyes" in url]


def test_a_cut_line_keeps_pictures_and_lets_answers_go_first(
    at_camera: SitterAt, watched: Peer, receiver: Receiver
) -> None:
    """Kept while the line is away, sent when it is back, behind the answers; told as what it is, a line."""
    sitter = at_camera()
    to_check(sitter, watched)
    agree(sitter)
    begin(sitter)
    until(lambda: len(receiver.of("snapshot")) >= 2)
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            asked.append("answers" if "/v1/save" in request.url else "picture")

    sitter.context.set_offline(True)
    before = len(receiver.pictures)
    sitter.answer()
    sitter.page.get_by_text("Желі жоқ").wait_for()
    sitter.page.wait_for_timeout(6_000)
    assert sitter.pictures_stored() >= 4
    assert len(receiver.pictures) == before
    sitter.page.on("request", note)
    sitter.context.set_offline(False)
    until(lambda: len(receiver.pictures) >= before + 4)
    sitter.page.wait_for_timeout(500)
    assert asked[0] == "answers"
    until(lambda: {"line-lost", "line-back"} <= set(receiver.kinds()))
    assert not {"camera-off", "no-face"} & set(receiver.kinds())
    numbers = [one.n for one in receiver.pictures]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_picture_on_the_wire_makes_room_for_an_answer(at_camera: SitterAt, watched: Peer, receiver: Receiver) -> None:
    """The ingest hangs: saves go on at their rhythm, and the picture comes later."""
    sitter = at_camera()
    under_way(sitter, watched, receiver)
    sitter.page.route(f"{receiver.url}/**", lambda _route: None)
    saves = len([one for one in watched.seen if one[0] == "/v1/save"])
    until(lambda: len([one for one in watched.seen if one[0] == "/v1/save"]) >= saves + 3)
    sitter.page.unroute_all()
    known = len(receiver.pictures)
    until(lambda: len(receiver.pictures) > known, limit_s=40)


def test_a_consent_withdrawn_in_the_middle_puts_the_camera_out(
    at_camera: SitterAt, watched: Peer, receiver: Receiver
) -> None:
    """At once, with a calm word; nothing of it stays; the test goes on."""
    sitter = at_camera()
    under_way(sitter, watched, receiver)
    receiver.refuse = (403, "camera-consent-needed")
    sitter.page.get_by_text("келісім қайтарып алынды").wait_for()
    assert sitter.page.get_by_label("Камера қосулы").count() == 0
    until(lambda: sitter.pictures_stored() == 0)
    known = len(receiver.pictures)
    sitter.reload()
    sitter.page.locator("#question").wait_for()
    receiver.refuse = None
    sitter.page.wait_for_timeout(5_000)
    assert len(receiver.pictures) == known
    sitter.answer_all()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"


def test_a_brother_finds_none_of_his_sisters_pictures(at_camera: SitterAt, watched: Peer, receiver: Receiver) -> None:
    """Two on one phone: what was not sent goes with her leaving; his own carry his own token."""
    receiver.refuse = (503, "try-later")
    sitter = at_camera()
    to_check(sitter, watched)
    agree(sitter)
    assert sitter.pictures_stored() > 0
    sitter.page.locator("#go-on").click()
    sitter.page.get_by_role("button", name="Бұл мен емеспін").click()
    sitter.page.locator("dialog .primary").click()
    sitter.page.locator("#code").wait_for()
    assert sitter.pictures_stored() == 0
    receiver.refuse = None
    under_way(sitter, watched, receiver, 1)
    assert {one.token.split(".")[0] for one in receiver.pictures} == {str(watched.pupils[1].attempt)}


def test_what_is_not_stored_goes_again_with_the_same_number(
    at_camera: SitterAt, watched: Peer, receiver: Receiver
) -> None:
    """Received is not stored: after a new start of the page it goes again, same number and time."""
    receiver.stores = False
    sitter = at_camera()
    to_check(sitter, watched)
    agree(sitter)
    until(lambda: len(receiver.pictures) == 1)
    sitter.reload()
    until(lambda: len(receiver.pictures) == 2)
    first, again = receiver.pictures
    assert (first.n, first.at, first.body) == (again.n, again.at, again.body)


def test_a_look_from_outside_is_told(at_camera: SitterAt, watched: Peer, receiver: Receiver) -> None:
    receiver.watched = True
    sitter = at_camera()
    to_check(sitter, watched)
    agree(sitter)
    begin(sitter)
    sitter.page.get_by_text("Қазір проктор сенің суретіңді қарап отыр").wait_for()
    receiver.watched = False
    sitter.page.get_by_text("Қазір проктор сенің суретіңді қарап отыр").wait_for(state="detached")


def test_a_pupil_who_sits_there_is_nothing_to_tell_of(
    at_camera: SitterAt, watched: Peer, receiver: Receiver, tmp_path: Path, player: Path
) -> None:
    camera = film(tmp_path / "one.mjpeg", face(player.parent, 6, 346, 641))
    sitter = at_camera(f"--use-file-for-fake-video-capture={camera}")
    to_check(sitter, watched)
    agree(sitter)
    with sitter.page.expect_request(lambda request: "eyes_worker" in request.url):
        begin(sitter)
    sitter.page.wait_for_timeout(25_000)
    assert len(receiver.of("snapshot")) >= 10
    assert not {"no-face", "several-faces", "head-turned", "light-poor"} & set(receiver.kinds())


@pytest.mark.timeout(300)
def test_what_the_camera_sees_is_told_with_its_length(
    at_camera: SitterAt, watched: Peer, receiver: Receiver, tmp_path: Path, player: Path
) -> None:
    """Nobody there, two there: a stretch with its length when it is over. In the dark it is the light, not the child."""
    nobody, dark = (Image.new("RGB", (1120, 840), tone) for tone in ((150, 150, 140), (6, 6, 8)))
    two = nobody.copy()
    for place, (sample, x, y) in enumerate([(6, 346, 641), (1, 1600, 380)]):
        two.paste(face(player.parent, sample, x, y), (place * 560, 200))
    camera = film(tmp_path / "film.mjpeg", nobody, two, dark, each_s=14)
    sitter = at_camera(f"--use-file-for-fake-video-capture={camera}")
    to_check(sitter, watched)
    agree(sitter)
    begin(sitter)
    kinds = {"no-face", "several-faces", "light-poor"}
    # A busy machine plays the film slower.
    until(lambda: kinds <= set(receiver.kinds()), limit_s=220)
    lengths = [event["ms"] for event in receiver.events if event["kind"] in kinds]
    assert all(8_000 <= ms < 60_000 for ms in lengths), lengths
    assert set(receiver.kinds()) <= kinds | {"picture-repeated"}


def test_a_screen_goes_along_by_the_pupil_s_own_tap_alone(player: Path, sitter_at: SitterAt) -> None:
    """Where the sitting asks for it; it ends with the test."""
    assert player.is_dir()
    with Receiver(screen=True) as receiver, Peer(watch=receiver.watch()) as peer:
        sitter = sitter_at(peer.url, flags=FAKE, viewport={"width": 1280, "height": 800}, ours=(receiver.url,))
        to_check(sitter, peer)
        agree(sitter)
        share = sitter.page.get_by_role("button", name="Экранды да көрсету")
        share.wait_for()
        begin(sitter)
        until(lambda: len(receiver.of("snapshot")) >= 2)
        assert receiver.of("screen") == []
        sitter.page.get_by_label("Камера қосулы").click()
        share.click()
        sitter.page.get_by_text("Экран да көрсетіледі").wait_for()
        sitter.page.keyboard.press("Escape")
        until(lambda: len(receiver.of("screen")) >= 2)
        assert min(receiver.of("screen")[0].size) > 100
        sitter.answer_all()
        sitter.finish()
        sitter.receipt()
        seen = len(receiver.of("screen"))
        sitter.page.wait_for_timeout(2_500)
        assert len(receiver.of("screen")) == seen


def test_camera_and_screen_stay_open_from_the_check_into_the_test(player: Path, sitter_at: SitterAt) -> None:
    """The key brings a new token, and the browser is not asked again (Safari would ask the child in the first minute)."""
    assert player.is_dir()
    with Receiver(screen=True, stores=False) as receiver, Peer(watch=receiver.watch()) as peer:
        sitter = sitter_at(peer.url, flags=FAKE, viewport={"width": 1280, "height": 800}, ours=(receiver.url,))
        sitter.page.add_init_script(COUNT_OPENED)
        sitter.page.reload()
        to_check(sitter, peer)
        agree(sitter)
        sitter.page.get_by_role("button", name="Экранды да көрсету").click()
        until(lambda: len(receiver.of("identity")) == 1)
        first = receiver.pictures[0].token
        begin(sitter)
        until(lambda: len(receiver.of("screen")) >= 2)
        assert sitter.page.evaluate("window.opened") == 1
        assert len(receiver.of("identity")) == 1
        assert receiver.of("snapshot")[0].token != first


def test_a_camera_is_tried_days_ahead_without_a_code(at_camera: SitterAt, receiver: Receiver) -> None:
    """No slip, no sitting, nothing kept, nothing sent, and the light goes out with the page."""
    sitter = at_camera()
    sitter.choose_language()
    sitter.page.locator("#try-camera").click()
    sitter.page.locator("#trial-open").click()
    sitter.page.get_by_text("камера жұмыс істейді").wait_for()
    sitter.page.get_by_role("button", name="Кіру бетіне оралу").click()
    sitter.page.locator("#code").wait_for()
    assert receiver.pictures == []
    assert sitter.pictures_stored() == 0


def test_who_passed_the_question_by_decides_during_the_test(
    at_camera: SitterAt, watched: Peer, receiver: Receiver
) -> None:
    """Asked in one line after the first answer; the clock runs on; the photo comes then."""
    sitter = at_camera()
    page = sitter.page
    to_check(sitter, watched)
    # The way on stands back behind the question that is open.
    page.locator("#camera-yes.primary").wait_for()
    page.locator("#go-on.secondary").wait_for()
    begin(sitter)
    assert page.get_by_text("Камера туралы әлі шешпедің").count() == 0
    # On a narrow phone all that the head holds, the camera's sign too, is one row.
    for width in (360, 320):
        page.set_viewport_size({"width": width, "height": 740})
        tops = page.locator(".bar > button").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
        assert len(tops) == 5
        assert max(tops) - min(tops) < 8
    page.set_viewport_size(PHONE)
    sitter.answer()
    page.get_by_text("Камера туралы әлі шешпедің").wait_for()
    page.get_by_label("Камера өшірулі").click()
    page.locator("#camera-yes").click()
    page.locator("#shoot").click()
    page.locator("#keep-photo").click()
    page.keyboard.press("Escape")
    until(lambda: len(receiver.of("identity")) == 1)
    until(lambda: len(receiver.of("snapshot")) >= 2)


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.wide)])
def test_axe_finds_nothing_on_the_pages_of_the_camera(
    at_camera: SitterAt, watched: Peer, receiver: Receiver, width: int
) -> None:
    sitter = at_camera()
    page = sitter.page
    page.set_viewport_size({"width": width, "height": 844})
    seen: list[str] = []

    def look() -> None:
        # Axe comes by the debugger's door: the page's own policy lets no foreign script in.
        found = page.evaluate(f"(async () => {{ {AXE}; return (await axe.run()).violations; }})()")
        seen.extend(f"{page.locator('h1, h2').first.inner_text()}: {one['id']}" for one in found)

    to_check(sitter, watched)
    look()
    page.locator("#camera-yes").click()
    page.locator("#shoot").wait_for()
    look()
    page.locator("#shoot").click()
    page.locator("#keep-photo").wait_for()
    look()
    page.locator("#keep-photo").click()
    page.locator("#go-on").click()
    page.locator("#start").wait_for()
    look()
    receiver.watched = True
    page.locator("#start").click()
    page.get_by_text("Қазір проктор").wait_for()
    look()
    page.get_by_label("Камера қосулы").click()
    look()
    assert seen == []
