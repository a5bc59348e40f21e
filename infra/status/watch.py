"""From looks to outages and to plain words: a pure fold, no clock and no network of its own."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from infra.status.probe import STEPS

if TYPE_CHECKING:
    from infra.status.probe import Look, Seen

# So many good looks in a row end an outage: one worker of two that hangs answers every other one.
GOOD_IN_A_ROW = 3
SLOW_MS = 1500
WINDOW = 20
# Shorter than this a visitor has hardly noticed: the page calls it slow.
SHORT_MS = 4000


class Spell(msgspec.Struct, frozen=True):
    """An outage: from the last good look to the first good one after it, or to the newest bad one while it lasts."""

    step: str
    began_ms: int
    ended_ms: int
    is_over: bool


class Standing(msgspec.Struct, frozen=True):
    """What the page says of a step, and since when."""

    word: str
    since_ms: int


class Watch:
    """The memory of one step."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.standing = Standing("works", 0)
        self._last_good_ms: int | None = None
        self._spell: Spell | None = None
        self._back_ms: int | None = None
        self._good = 0
        self._took: deque[int] = deque(maxlen=WINDOW)

    def see(self, asked_ms: int, came_ms: int, seen: Seen) -> Spell | None:
        """Take in a look; returns the outage when it changed."""
        changed = self._good_look(asked_ms, came_ms) if seen.works else self._bad_look(asked_ms, came_ms)
        self._took.append(seen.took_ms)
        word = self._word(came_ms, seen)
        if word != self.standing.word or not self.standing.since_ms:
            since = self._spell.began_ms if self._spell and word == "off" else came_ms
            self.standing = Standing(word, since)
        return changed

    def _bad_look(self, asked_ms: int, came_ms: int) -> Spell:
        began = self._spell.began_ms if self._spell else self._last_good_ms or asked_ms
        self._spell = Spell(self.step, began, max(came_ms, began), is_over=False)
        self._good, self._back_ms = 0, None
        return self._spell

    def _good_look(self, asked_ms: int, came_ms: int) -> Spell | None:
        if self._spell is None:
            self._last_good_ms = asked_ms
            return None
        self._good += 1
        self._back_ms = self._back_ms or came_ms
        if self._good < GOOD_IN_A_ROW:
            return None
        over = Spell(self.step, self._spell.began_ms, max(self._back_ms, self._spell.ended_ms), is_over=True)
        self._spell, self._good, self._back_ms, self._last_good_ms = None, 0, None, asked_ms
        return over

    def _word(self, now_ms: int, seen: Seen) -> str:
        if self._spell is None:
            return "slow" if median(self._took) > SLOW_MS else "works"
        if seen.works or seen.somewhere or now_ms - self._spell.began_ms < SHORT_MS:
            return "slow"
        return "off"


class Watches:
    """All steps."""

    def __init__(self) -> None:
        self.of = {step: Watch(step) for step in STEPS}

    def see(self, look: Look) -> list[Spell]:
        """Take in a look; returns the outages that changed."""
        changed = (watch.see(look.asked_ms, look.came_ms, look.steps[step]) for step, watch in self.of.items())
        return [spell for spell in changed if spell is not None]
