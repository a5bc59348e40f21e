"""What the wall and a child's page show. Children have numbers here, no names and no schools (SAFETY R4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from portal.core.i18n import N_

# What happened, in words; that a line was lost or the light is poor is told as what it is: no sign of anything.
EVENTS: dict[str, str] = {
    "tab-left": N_("left the page"),
    "tab-back": N_("came back to the page"),
    "full-screen-left": N_("left full screen"),
    "copy": N_("copied"),
    "paste": N_("pasted"),
    "second-display": N_("a second display"),
    "no-face": N_("nobody before the camera"),
    "several-faces": N_("several persons before the camera"),
    "head-turned": N_("head turned away"),
    "camera-off": N_("camera off"),
    "camera-on": N_("camera on"),
    "picture-repeated": N_("the same picture again"),
    "virtual-camera": N_("a picture that no camera took"),
    "light-poor": N_("poor light"),
    "line-lost": N_("line lost"),
    "line-back": N_("line back"),
}
KINDS: dict[str, str] = {"fine": N_("In order"), "unclear": N_("Unclear"), "breach": N_("Breach of the rules")}
REASONS: dict[str, dict[str, str]] = {
    "fine": {
        "seen": N_("Looked at: nothing against the rules"),
        "poor-line": N_("Line or device, not the child"),
        "known-need": N_("A known need of the child (disability, headscarf, sibling in the room)"),
    },
    "unclear": {
        "too-dark": N_("Too dark to tell"),
        "too-few": N_("Too few pictures"),
        "ask-school": N_("The school has to be asked"),
    },
    "breach": {
        "helped": N_("Somebody helps"),
        "other-person": N_("Another person sits the test"),
        "second-device": N_("A phone or another device is used"),
        "notes": N_("Notes or a book are used"),
        "shared": N_("Questions are photographed or passed on"),
    },
}
FLAGGED, ALARM = 20.0, 50.0


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A child on the wall. `fresh_ms`: when the newest picture was taken; `state`: writing, silent, finished."""

    attempt: int
    number: int
    score: float
    reasons: list[dict[str, Any]]
    seq: int | None
    fresh_ms: int | None
    state: str
    fine_until: datetime | None
    verdict: str | None

    @property
    def tone(self) -> str:
        """The colour of its edge."""
        return "clay" if self.score >= ALARM else "sun" if self.score >= FLAGGED else ""


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture on the time line."""

    seq: int
    kind: str
    taken_ms: int
    sealed: bool


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event on the time line."""

    kind: str
    at_ms: int
    data: dict[str, Any]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said. `mine`: the reader's own; others' are shown after he said his (blind second opinion)."""

    kind: str
    reason: str
    words: str
    by: str
    mine: bool
    made_at: datetime
