"""What the wall and a child's page show. Children have numbers here, no names and no schools (SAFETY R4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from portal.core.i18n import N_, number, t
from proctoring.bounds import MOST_OF_ONE
from proctoring.risk.rules import INNOCENT

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
    "camera-none": N_("no camera: not wanted, not allowed or not there"),
    "picture-repeated": N_("the same picture again"),
    "virtual-camera": N_("a picture that no camera took"),
    "light-poor": N_("poor light"),
    "line-lost": N_("line lost"),
    "line-back": N_("line back"),
}
# That somebody is there again says nothing of why to look.
RETURNS = {"tab-back", "camera-on", "line-back"}
# What weighs nothing is no incident either.
WEIGHING = [kind for kind in EVENTS if kind not in INNOCENT]
STATES: dict[str, str] = {
    "writing": N_("send pictures"),
    "silent": N_("send none for 3 minutes"),
    "paused": N_("clock stands still"),
    "finished": N_("handed in"),
    "flagged": N_("to look at first"),
}
ONE_STATE: dict[str, str] = {
    "silent": N_("no picture"),
    "paused": N_("clock stands still"),
    "finished": N_("handed in"),
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
NO_BREAK = "\N{NO-BREAK SPACE}"
# Which verdict a reason belongs to: each to one.
KIND_OF = {reason: kind for kind, reasons in REASONS.items() for reason in reasons}
FLAGGED, ALARM = 20.0, 50.0
FINE_FOR = timedelta(minutes=10)
# So long an incident keeps a child in sight though the quiet ones are hidden.
FRESH_MS = 120_000
DAY_MS = 86_400_000
LONG = N_("{what}: {times} times, {seconds} s in all")
OFTEN = N_("{what}: {times} times")
# On a tile, in three short lines: nothing of them is cut, a number least of all.
BRIEF = N_("{what}: {times} times, {time}")
MINUTES, SECONDS = N_("{minutes} min"), N_("{seconds} s")
NARROW_S = 60
FLOOD = N_(
    "{most} are kept of one attempt, {count} were let go. By itself a phone sends no such number. The test goes on as before."
)


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A child on the wall.

    `fresh_ms`: when the newest picture was taken; `incident_ms`: when the newest event that weighs reached us; `state`:
    writing, silent, paused, finished.
    """

    attempt: int
    number: int
    score: float
    reasons: list[dict[str, Any]]
    seq: int | None
    fresh_ms: int | None
    state: str
    fine_until: datetime | None
    incident_ms: int | None
    verdict: str | None

    @property
    def tone(self) -> str:
        """The colour of its edge."""
        return "clay" if self.score >= ALARM else "sun" if self.score >= FLAGGED else ""

    @property
    def why(self) -> str:
        """Why this one, in one line."""
        return why_line(self.reasons)

    @property
    def brief(self) -> str:
        """The same for the tile: what weighs most, in few letters, and how many more kinds there are."""
        return brief_line(self.reasons)

    @property
    def picture(self) -> str:
        """Where the small newest picture is; empty: there is none."""
        if self.seq is None:
            return ""
        return f"/watch/{self.attempt}/pictures/{self.seq}?at={self.fresh_ms}&small=1"

    @property
    def shot(self) -> str:
        """What names that picture to who seals it."""
        return "" if self.seq is None else f"{self.seq}-{self.fresh_ms}"

    def fine(self, now_ms: int) -> bool:
        """«Seen, fine», and nothing new since."""
        if self.fine_until is None:
            return False
        until_ms = self.fine_until.timestamp() * 1000
        return until_ms > now_ms and (self.incident_ms or 0) < until_ms - FINE_FOR.total_seconds() * 1000

    def quiet(self, now_ms: int) -> bool:
        """Nothing that needs eyes: may be hidden, until something happens."""
        fresh = self.incident_ms is not None and self.incident_ms > now_ms - FRESH_MS
        return self.fine(now_ms) or not (self.tone or fresh)

    def of_state(self, state: str) -> bool:
        """Whether a filter by state shows it."""
        return bool(self.tone) if state == "flagged" else not state or self.state == state

    def had(self, kind: str) -> bool:
        """Whether a filter by kind of event shows it."""
        return not kind or any(why["kind"] == kind for why in self.reasons)


def why_line(reasons: list[dict[str, Any]]) -> str:
    """«left the page: 4 times, 38 s in all»; the two that weigh most."""
    return "; ".join(why_lines(reasons)[:2])


def why_lines(reasons: list[dict[str, Any]]) -> list[str]:
    """One for each kind of event, the heaviest first."""
    said: list[str] = []
    for what, times, seconds in _read(reasons):
        if seconds:
            said.append(t(LONG, what=what, times=times, seconds=seconds))
        else:
            said.append(t(OFTEN, what=what, times=times) if times > 1 else what)
    return said


def brief_line(reasons: list[dict[str, Any]]) -> str:
    """«left the page: 4 times, 60 min +2»: figures keep their units beside them."""
    told = _read(reasons)
    if not told:
        return ""
    first, times, seconds = told[0]
    if seconds:
        time = t(SECONDS, seconds=seconds) if seconds < NARROW_S else t(MINUTES, minutes=round(seconds / 60))
        first = t(BRIEF, what=first, times=times, time=time.replace(" ", NO_BREAK))
    elif times > 1:
        first = t(OFTEN, what=first, times=times).replace(f"{times} ", f"{times}{NO_BREAK}")
    return f"{first} +{len(told) - 1}" if len(told) > 1 else first


def _read(reasons: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """(in words, times, seconds) of each kind; that somebody is there again is none."""
    return [
        (t(EVENTS.get(why["kind"], str(why["kind"]))), why["times"], round(why.get("seconds") or 0))
        for why in reasons
        if why["kind"] not in RETURNS
    ]


def flood_line(left_out: int) -> str:
    """That more events came than are kept of one attempt; empty: no more came."""
    return t(FLOOD, most=number(MOST_OF_ONE), count=number(left_out)) if left_out else ""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tile as the wall's script gets it; what is empty is left out."""

    id: int
    number: int
    incident: int = 0
    tone: str = ""
    why: str = ""
    state: str = ""
    verdict: str = ""
    picture: str = ""
    shot: str = ""
    hidden: bool = False


class Colleague(msgspec.Struct, frozen=True):
    """Somebody on shift."""

    id: int
    name: str


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

    @property
    def line(self) -> str:
        """«left the page, 38 s»; what a phone sends as a length may be anything."""
        what, ms = t(EVENTS.get(self.kind, self.kind)), self.data.get("ms")
        seconds = round(ms / 1000) if isinstance(ms, int | float) and 0 < ms < DAY_MS else 0
        return t(N_("{what}, {seconds} s"), what=what, seconds=seconds) if seconds else what


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did to the child, and how far it got: `relayed_at` to the engines, `seen_ms` onto the child's screen."""

    version: int
    kind: str
    body: dict[str, Any]
    by: str | None
    made_at: datetime
    relayed_at: datetime | None
    seen_ms: int | None
    # Of what two persons did: who asked for it, and why.
    asked_by: str | None
    reason: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a second person has yet to agree to."""

    kind: str
    body: dict[str, Any]
    reason: str
    by: str | None
    made_at: datetime


class Phones(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call about the child: the sitting's helper, its school."""

    help_name: str
    help_phone: str
    contact_name: str
    contact_phone: str
    room: str | None


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A proctor's own words to a child, for a second person to sample."""

    id: int
    number: int
    words: str
    by: str
    made_by: int
    made_at: datetime
    sampled: str | None
    sampled_by: str | None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A proctor's own earlier verdict, and whether it stood: `outcome` is what holds, `case` that it is looked at again."""

    number: int
    kind: str
    made_at: datetime
    outcome: str | None
    case: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said. `mine`: the reader's own; others' are shown after he said his (blind second opinion)."""

    kind: str
    reason: str
    words: str
    by: str
    mine: bool
    made_at: datetime
