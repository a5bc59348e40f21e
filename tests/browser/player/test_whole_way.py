"""From the language to the receipt, on a phone-sized screen."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.player.form import LANGUAGES, WORDS
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.player.peer import Peer
    from tests.browser.player.sitter import Sitter

# Where each gap and the sign behind it stand.
BEHIND_GAPS = """() => [...document.querySelectorAll("select.gap")].map((gap) => {
  const range = document.createRange();
  const text = gap.nextSibling ?? gap.parentElement.nextSibling;
  range.setStart(text, 0);
  range.setEnd(text, 1);
  return [gap, range].map((part) => part.getBoundingClientRect().toJSON());
})"""

# Frames, and what is to come soon after one, come half a second late.
LATE_FRAMES = """
const soon = window.setTimeout;
window.requestAnimationFrame = (draw) => soon(() => draw(performance.now()), 500);
window.setTimeout = (work, ms, ...given) => soon(work, ms > 20 && ms < 200 ? 500 : ms, ...given);
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pupil_sits_a_test_and_gets_a_receipt(peer: Peer, sitter_at: Callable[..., Sitter], language: str) -> None:
    """Every kind of question is answered; the server holds exactly those answers; the receipt shows the server's code."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil, language)
    sitter.answer_all()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"
    answers = peer.answers(pupil)
    assert set(answers) == {101, 201, 301, 401, 501, 601, 701}
    assert answers[201] == "17,6"
    assert answers[601] == "Туған жер"
    assert set(answers[501]) == {"g1", "g2"}


def test_a_language_chosen_before_the_test_is_known_to_the_staff(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """The slip says Kazakh; whoever reads in Kazakh has nothing to tell."""
    mover, stayer = peer.pupils[:2]
    for pupil, language in ((mover, "ru"), (stayer, "kk")):
        sitter = sitter_at(peer.url)
        sitter.to_first_question(pupil, language)
        sitter.answer()
        until(lambda pupil=pupil: peer.answers(pupil))
    told = [
        [event["value"] for event in pupil.events[pupil.devices[0]].values() if event["kind"] == "language"]
        for pupil in (mover, stayer)
    ]
    assert told == [["ru"], []]


def test_after_the_receipt_the_device_keeps_no_word_of_the_test(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """A brother sits down next: answers, items, keys, pictures and token are gone, the receipt is there (SAFETY J7)."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    token = f"{pupil.attempt}.{pupil.devices[0]}"
    assert token in sitter.everything_stored()
    sitter.answer_all()
    sitter.finish()
    sitter.receipt()
    stored = sitter.everything_stored()
    assert "K7QM-2XW9" in stored
    for word in [token, "Туған жер", "17,6", pupil.code, *WORDS["kk"]["days"], *peer.packed.files]:
        assert word not in stored
    sitter.reload()
    sitter.page.locator("#code").wait_for()
    assert sitter.page.locator("#question").count() == 0


def test_a_phone_that_reads_quicker_than_it_draws_shows_the_page(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Loaded anew, all that the page needs lies on the phone: it may be read before the first frame is shown."""
    sitter = sitter_at(peer.url)
    sitter.choose_language()
    sitter.page.evaluate("navigator.serviceWorker.ready")
    sitter.page.add_init_script(LATE_FRAMES)
    sitter.reload()
    sitter.page.locator("#code").wait_for()


def test_the_test_opens_by_itself_at_its_time_and_not_before(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """The countdown follows the server's clock on a phone whose clock and zone are wrong; no key is asked for before T0."""
    peer.clock_ahead_ms = 5 * 3_600_000
    peer.starts_in_s = time.time() - peer.made_ms / 1000 + 8
    sitter = sitter_at(peer.url, timezone_id="America/New_York")
    sitter.choose_language()
    sitter.sign_in(peer.pupils[0])
    sitter.page.locator(".findings").wait_for()
    assert "Құрылғының сағаты дәл емес" in sitter.page.locator(".findings").inner_text()
    sitter.page.locator(".big").click()
    sitter.page.locator(".countdown .figure").wait_for()
    sitter.page.locator("#question").wait_for()
    started = peer.pupils[0].started_ms
    assert started is not None
    assert 0 <= started - peer.starts_ms() < 2_500
    assert sitter.page.locator(".time").inner_text() == "60 мин"


def test_between_the_start_and_ones_own_turn_no_clock_stands_at_nought(
    peer: Peer, sitter_at: Callable[..., Sitter]
) -> None:
    """The start is spread: until this phone's turn the page says that the test opens within a minute, not «0 с»."""
    peer.starts_in_s = time.time() - peer.made_ms / 1000 + 8
    # So wide that this phone's turn does not come during the test.
    peer.spread_s = 360_000
    sitter = sitter_at(peer.url)
    sitter.choose_language()
    sitter.sign_in(peer.pupils[0])
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator(".countdown .figure").wait_for()
    sitter.page.get_by_text("Тестің бір минут ішінде ашылады").wait_for()
    assert sitter.page.locator(".countdown .figure").count() == 0


def test_the_code_in_the_slips_address_is_typed_already(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """As the QR carries it; it waits through the language, leaves the address, and must fit; who is signed in is left alone."""
    pupil, other = peer.pupils[:2]
    sitter = sitter_at(peer.url)
    page = sitter.page
    page.goto("about:blank")
    page.goto(f"{peer.url}#{pupil.code}", wait_until="commit")
    sitter.choose_language()
    code = page.locator("#code")
    assert code.input_value().replace(" ", "") == pupil.code
    assert "#" not in page.evaluate("location.href")
    sitter.reload()
    code.wait_for()
    assert code.input_value() == ""
    grouped = f"{other.code[:4]}-{other.code[4:8]}%20{other.code[8:]}".lower()
    for written, shown in ((grouped, other.code), ("K7QM2XW9PN40", other.code), ("main", other.code)):
        page.evaluate("(hash) => { location.hash = hash; }", written)
        sitter.until("!location.href.includes('#')")
        expect(code).to_have_value(re.compile(" *".join(shown)))
    sitter.sign_in(pupil)
    page.locator(".findings").wait_for()
    page.goto("about:blank")
    page.goto(f"{peer.url}#{other.code}", wait_until="commit")
    page.locator(".findings").wait_for()
    assert "#" not in page.evaluate("location.href")
    page.evaluate("(hash) => { location.hash = hash; }", other.code)
    sitter.until("!location.href.includes('#')")
    assert page.locator(".findings").is_visible()


def test_a_slip_of_the_finger_is_told_without_asking_the_server(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """One field that puts itself in groups; O is 0, I and L are 1; a wrong character shows at once."""
    sitter = sitter_at(peer.url)
    sitter.choose_language("ru")
    code = sitter.page.locator("#code")
    code.press_sequentially("oil7-2xw9")
    assert code.input_value() == "0117 2XW9"
    code.fill("k7qm2xw9pn40")
    sitter.page.locator("button[type=submit]").click()
    assert "Один знак отличается" in sitter.page.get_by_role("alert").inner_text()
    assert peer.seen == []


def test_a_kazakh_keyboard_writes_the_code_too(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Letters that look like the slip's are taken for them; any other is told of, until a right one comes."""
    sitter = sitter_at(peer.url)
    sitter.choose_language("kk")
    code = sitter.page.locator("#code")
    code.press_sequentially("хү3а 7с")
    assert code.input_value() == "XY3A 7C"
    told = sitter.page.locator("#code ~ [role=status]")
    assert told.inner_text() == ""
    code.press_sequentially("ж")
    assert code.input_value() == "XY3A 7C"
    told.filter(has_text="Пернетақтаны ағылшыншаға (EN) ауыстыр").wait_for()
    code.press_sequentially("k")
    assert code.input_value() == "XY3A 7CK"
    told.filter(has_not_text="Пернетақта").wait_for(state="attached")
    assert peer.seen == []


def test_a_wrong_birthday_is_told_with_the_tries_left(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """What was typed stays; no log is left behind for a pupil who never was."""
    sitter = sitter_at(peer.url)
    sitter.choose_language("en")
    sitter.type_slip(peer.pupils[0])
    sitter.page.locator(".birth select").nth(0).select_option("15")
    sitter.page.locator("button[type=submit]").click()
    assert "Tries left: 2" in sitter.page.get_by_role("alert").inner_text()
    assert sitter.page.locator("#code").input_value().replace(" ", "") == peer.pupils[0].code
    assert "logs[]" in sitter.everything_stored()


def test_the_language_changes_in_the_middle_of_a_question(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Same question, same answer, other words; on record for the analysis."""
    sitter = sitter_at(peer.url)
    sitter.to_first_question(peer.pupils[0])
    sitter.go_to(2)
    sitter.choose(2)
    before = sitter.page.locator(".option.chosen").inner_text()
    sitter.page.locator(".top .bare").last.click()
    sitter.page.locator("dialog").get_by_role("button", name="Русский").click()
    sitter.page.keyboard.press("Escape")
    sitter.page.locator("article[lang=ru]").wait_for()
    assert sitter.number() == 2
    chosen = sitter.page.locator(".option.chosen")
    chosen.wait_for()
    assert chosen.inner_text() != before
    sitter.kept()
    assert "language" in sitter.everything_stored()


def test_a_hand_in_by_keyboard_alone(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Digits choose, arrows turn the page, M marks: on any keyboard layout, from the first question to the review."""
    sitter = sitter_at(peer.url, viewport={"width": 1440, "height": 900}, has_touch=False)
    sitter.to_first_question(peer.pupils[0])
    keys = sitter.page.keyboard
    for number in range(1, sitter.count() + 1):
        sitter.page.get_by_role("heading", name=f"{number}-сұрақ").wait_for()
        if sitter.page.locator(".option").count():
            keys.press("Digit2")
            sitter.page.locator(".option.chosen").wait_for()
            keys.press("m")
        keys.press("ArrowRight")
    sitter.page.locator("#finish").wait_for()
    marked = sitter.page.locator(".page .grid .is-marked").count()
    assert marked == sitter.page.locator(".page .grid .answered").count() == 4


def test_a_key_is_heard_as_soon_as_the_question_stands(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Who presses before the browser has painted the question loses nothing."""
    sitter = sitter_at(peer.url, viewport={"width": 1440, "height": 900}, has_touch=False)
    sitter.page.evaluate(
        """() => new MutationObserver((_, observer) => {
            if (!document.querySelector("#question")) return;
            observer.disconnect();
            dispatchEvent(new KeyboardEvent("keydown", { code: "ArrowRight" }));
        }).observe(document, { childList: true, subtree: true })"""
    )
    sitter.to_first_question(peer.pupils[0])
    sitter.page.get_by_role("heading", name="2-сұрақ").wait_for()


def test_the_log_is_told_in_order_and_with_signed_times(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Numbers from 1 without a gap; every event names a signed time; the finish hash is the server's."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.answer_all()
    sitter.finish()
    sitter.receipt()
    events = pupil.events[pupil.devices[0]]
    assert sorted(events) == list(range(1, len(events) + 1))
    bodies = [body for path, body in peer.seen if path.startswith("/v1/") and path != "/v1/sign-in"]
    for body in bodies:
        assert all(0 <= event["anchor"] < len(body["clock"]) and event["ms"] >= 0 for event in body["events"])
        assert len(json.dumps(body)) < 65_536
    kinds = [events[seq]["kind"] for seq in sorted(events)]
    assert kinds[-1] == "finish"
    assert {"section", "view", "start", "answer"} <= set(kinds)


def test_a_comma_behind_a_gap_stays_beside_it(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """At every width of the line, and without a space; the sentence itself stays whole."""
    sitter = sitter_at(peer.url)
    sitter.to_first_question(peer.pupils[0], "ru")
    page = sitter.page
    while not page.locator("select.gap").count():
        sitter.next()
    for width in range(320, 480, 8):
        page.set_viewport_size({"width": width, "height": 640})
        for gap, sign in page.evaluate(BEHIND_GAPS):
            assert 0 <= sign["left"] - gap["right"] < 2, width
            assert gap["top"] < sign["top"] < sign["bottom"] < gap["bottom"], width
    page.locator(".gaps").evaluate("(text) => text.querySelectorAll('select').forEach((gap) => gap.replaceWith('_'))")
    assert page.locator(".gaps").inner_text() == "Солнце встаёт на _, а садится на _."
