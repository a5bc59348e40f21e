"""What we signed verifies as we wrote it and in no other spelling: each one more would be remembered by the ingest."""

from __future__ import annotations

import pytest

from infra import live_tickets
from infra.live_tickets import LiveClaims
from infra.picture_tokens import PictureClaims, PictureTokens

KEY = bytes(range(32))
TOKENS = PictureTokens({1: KEY})
PICTURES = TOKENS.sign(PictureClaims(attempt=501, sitting=2, opens_s=1, expires_s=2_000_000_000, device=77))
TICKET = live_tickets.sign(KEY, LiveClaims("watch", 3, 501, 2_000_000_000))


def other_spellings(text: str) -> list[str]:
    """Each decodes to the same bytes by a reader that lets anything pass."""
    junk = [f"{text[:9]}{'!' * n}{text[9:]}" for n in (1, 4, 40_000)]
    last = [text[:-1] + chr(ord(text[-1]) + step) for step in (1, -1)]
    return [*junk, *last, f"{text}=", f"{text}==", f"{text}\n", f" {text}", text.replace("A", "A-!", 1)]


@pytest.mark.parametrize("spelled", other_spellings(PICTURES), ids=lambda one: one[:16])
def test_a_token_of_pictures_has_one_spelling(spelled: str) -> None:
    assert TOKENS.verify(PICTURES)
    assert TOKENS.verify(spelled) is None


@pytest.mark.parametrize("spelled", other_spellings(TICKET), ids=lambda one: one[:16])
def test_a_ticket_of_a_live_view_has_one_spelling(spelled: str) -> None:
    assert live_tickets.verify(KEY, TICKET)
    assert live_tickets.verify(KEY, spelled) is None
