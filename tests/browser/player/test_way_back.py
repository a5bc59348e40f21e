"""The phone's «Back» button within a test: it goes back there and never out of the page, where the time would run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.player.peer import Peer
    from tests.browser.player.sitter import Sitter

BACK = "() => history.back()"


def test_back_leads_to_the_question_before_and_never_out_of_the_test(
    peer: Peer, sitter_at: Callable[..., Sitter]
) -> None:
    sitter = sitter_at(peer.url)
    sitter.to_first_question(peer.pupils[0])
    sitter.answer()
    given = sitter.page.locator("select.gap").first.input_value()
    assert given
    sitter.next()
    sitter.next()
    assert sitter.number() == 3
    for number in (2, 1):
        sitter.page.evaluate(BACK)
        sitter.page.locator(".counter", has_text=f"{number} /").wait_for()
    # At the first question there is nothing before it: the page stays, and what was answered with it.
    for _ in range(3):
        sitter.page.evaluate(BACK)
        sitter.kept()
        assert sitter.number() == 1
        assert sitter.page.locator("select.gap").first.input_value() == given
    sitter.reload()
    sitter.page.locator("#question").wait_for()
    sitter.go_to(2)
    sitter.page.evaluate(BACK)
    sitter.page.locator(".counter", has_text="1 /").wait_for()


def test_back_closes_what_lies_over_the_page_before_anything_else(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    sitter = sitter_at(peer.url)
    sitter.to_first_question(peer.pupils[0])
    sitter.go_to(sitter.count())
    sitter.page.locator(".counter").click()
    sitter.page.locator("dialog[open]").wait_for()
    sitter.page.evaluate(BACK)
    sitter.page.locator("dialog").wait_for(state="detached")
    assert sitter.number() == sitter.count()
    # From the review, and from its last question, into the test.
    sitter.page.locator("#next").click()
    sitter.page.locator("#finish").click()
    sitter.page.locator("dialog[open]").wait_for()
    sitter.page.evaluate(BACK)
    sitter.page.locator("dialog").wait_for(state="detached")
    assert sitter.page.locator("#finish").is_visible()
    sitter.page.evaluate(BACK)
    sitter.page.locator("#question").wait_for()
    assert sitter.number() == sitter.count()


def test_a_message_of_the_last_second_is_read_on_the_receipt(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """It comes with the reply that ends the attempt: staff is told that it stands on the child's screen, and it does."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.answer_all()
    sitter.page.locator("#finish").click()
    peer.order(pupil, "message", text={"kk": "Сыртта ата-анаң күтіп тұр.", "ru": "Родители ждут снаружи."})
    sitter.page.locator("#finish-yes").click()
    assert sitter.receipt() == "K7QM-2XW9"
    dialog = sitter.page.locator("dialog[open]")
    dialog.get_by_text("Сыртта ата-анаң күтіп тұр.").wait_for()
    dialog.locator(".primary").click()
    dialog.wait_for(state="detached")
    # The next child at this phone does not find it.
    sitter.page.locator("button.big").click()
    sitter.page.locator("#code").wait_for()
    assert sitter.page.locator("dialog").count() == 0
