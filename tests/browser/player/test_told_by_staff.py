"""What a pupil reads of what staff did to his attempt: only what is still true, and by whom it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.player.peer import Peer
    from tests.browser.player.sitter import Sitter

ENDED = {
    "kk": ("Тест аяқталды, Айгүл", "Тестіңді емтихан қызметкері аяқтады."),
    "ru": ("Тест завершён, Айгүл", "Твой тест завершил сотрудник экзамена."),
}


def test_that_the_test_goes_on_is_not_read_in_a_later_pause(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """A message and «the test goes on» wait for him; the clock stands still anew: only the message is left to read."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    page = sitter.page
    peer.order(pupil, "message", text={"kk": "Тыныштық сақтайық."})
    page.get_by_text("Тыныштық сақтайық.").wait_for()
    peer.order(pupil, "pause", since_ms=peer.now_ms())
    pupil.extra_s = 60
    peer.order(pupil, "resume", paused_s=60)
    page.locator("#question").wait_for()
    peer.order(pupil, "pause", since_ms=peer.now_ms())
    page.get_by_role("heading", name="Үзіліс").wait_for()
    page.locator("dialog .primary").click()
    page.locator("dialog").wait_for(state="detached")
    pupil.extra_s = 120
    peer.order(pupil, "resume", paused_s=120)
    page.get_by_text("Тест жалғасады.").wait_for()
    page.locator("dialog .primary").click()
    page.locator("dialog").wait_for(state="detached")


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_an_end_by_staff_is_told_as_that(peer: Peer, sitter_at: Callable[..., Sitter], language: str) -> None:
    """No «well done», but that a person ended it, whom to ask why, and that the answers are safe."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil, language)
    sitter.answer()
    peer.order(pupil, "end", at_ms=peer.now_ms())
    assert sitter.receipt() == "K7QM-2XW9"
    title, said = ENDED[language]
    page = sitter.page
    assert page.get_by_role("heading", level=1).inner_text() == title
    page.get_by_text(said).wait_for()
    assert page.locator(".help a").get_attribute("href") == "tel:+77000000011"


def test_a_hand_in_of_his_own_stays_his_own(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Who handed in himself before the word of staff came reads «well done»."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.answer_all()
    sitter.finish()
    sitter.receipt()
    assert sitter.page.get_by_role("heading", level=1).inner_text() == "Жарайсың, Айгүл!"
    assert sitter.page.locator(".help").count() == 0
