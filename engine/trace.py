"""Whose screen was this? From what a leaked screenshot shows to the attempts that would show it (SAFETY D4).

The place of a question among thirty times the order of four options is one of 720 cases: two screenshots leave about
one pupil of 300 000. No watermark is needed. All attempts of a sitting are drawn at once, column by column; each screen
drops most of them, so a nation takes a second or two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from engine.order import DISCARDED, SEED, attempt_seed, grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.bundles.manifest import BundleItem, SectionText


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What one screenshot shows. `options`: ids from top to bottom; None or 0: not to be seen."""

    item: int
    question: int = 0
    options: tuple[int, ...] | None = None


class Traced(msgspec.Struct, frozen=True):
    """Attempts that fit, ascending, and how many of all would by chance alone."""

    attempts: list[int]
    by_chance: float


def trace(
    sections: Sequence[SectionText], screens: Sequence[Screen], order_key: bytes, sitting: int, attempts: Sequence[int]
) -> Traced:
    """The attempts of a sitting whose order shows all these screens."""
    draws = _Draws(order_key, sitting, attempts)
    offset = 0
    for section in sorted(sections, key=lambda each: each.section):
        draws.keep_places(section, [screen for screen in screens if screen.question], offset)
        for item in section.items:
            if not item.fixed_order:
                draws.keep_options(item, [screen for screen in screens if screen.item == item.id and screen.options])
        offset += len(section.items)
    chance = math.prod(_chance(sections, screen) for screen in screens)
    return Traced(sorted(draws.attempts.to_list()), chance * len(attempts))


def _chance(sections: Sequence[SectionText], screen: Screen) -> float:
    """How likely a random order shows this screen; places are taken as equally likely, as without groups."""
    section = next(each for each in sections if any(item.id == screen.item for item in each.items))
    item = next(each for each in section.items if each.id == screen.item)
    places = len(section.items) if screen.question else 1
    mixed = screen.options is not None and not item.fixed_order
    return 1 / places / (math.factorial(len(item.options or [])) if mixed else 1)


class _Draws:
    """The generators of all attempts that still fit, a column a word of state."""

    def __init__(self, order_key: bytes, sitting: int, attempts: Sequence[int]) -> None:
        self.attempts = pl.Series("attempt", attempts, dtype=pl.Int64)
        words = [SEED.unpack(attempt_seed(order_key, sitting, attempt)) for attempt in attempts]
        self._state = [pl.Series([word[place] for word in words], dtype=pl.UInt32) for place in range(4)]
        self._skip(DISCARDED)

    def keep_places(self, section: SectionText, screens: list[Screen], offset: int) -> None:
        """Shuffle the section's groups; keep the attempts in which each screen's item is the question it shows."""
        groups = grouped(section.items)
        at = {item.id: (group, place) for group, items in enumerate(groups) for place, item in enumerate(items)}
        mine = [screen for screen in screens if screen.item in at]
        alone = all(len(items) == 1 for items in groups)
        # Groups of one: the item's place is its group's. Otherwise all groups before it count.
        tracked = sorted({at[screen.item][0] for screen in mine}) if alone else list(range(len(groups)))
        places = dict(zip(tracked, self._shuffled(len(groups), tracked if mine else []), strict=False))
        fits = self._all()
        for screen in mine:
            group, place = at[screen.item]
            before = places[group]
            if not alone:
                sizes = [(places[other] < places[group]).cast(pl.UInt64) * len(groups[other]) for other in tracked]
                before = sum(sizes[1:], sizes[0])
            fits &= before + (offset + place + 1) == screen.question
        self._keep(fits)

    def keep_options(self, item: BundleItem, screens: list[Screen]) -> None:
        """Shuffle the item's options and its gaps'; keep the attempts that show the options as the screens do."""
        stored = [option.id for option in item.options or []]
        places = self._shuffled(len(stored), range(len(stored)) if screens else [])
        fits = self._all()
        for screen in screens:
            for shown, option in enumerate(screen.options or ()):
                fits &= places[stored.index(option)] == shown
        for gap in item.gaps or []:
            self._skip(max(0, len(gap.options) - 1))
        self._keep(fits)

    def _shuffled(self, size: int, tracked: Sequence[int]) -> list[pl.Series]:
        """Fisher–Yates of `size` things; where each of the tracked ones comes to lie."""
        if not tracked:
            self._skip(max(0, size - 1))
            return []
        count = len(self.attempts)
        places = [pl.repeat(thing, count, dtype=pl.UInt64, eager=True) for thing in tracked]
        for i in range(size - 1, 0, -1):
            j = (self._next().cast(pl.UInt64) * (i + 1)) // 2**32
            last = pl.repeat(i, count, dtype=pl.UInt64, eager=True)
            places = [j.zip_with(place == i, last.zip_with(place == j, place)) for place in places]
        return places

    def _next(self) -> pl.Series:
        """sfc32 in every row; arithmetic of this width wraps, and shifts are products and quotients of powers of two."""
        a, b, c, d = self._state
        t = a + b + d
        rotated = c * 2**21 + c // 2**11
        self._state = [b ^ (b // 2**9), c + c * 8, rotated + t, d + 1]
        return t

    def _skip(self, count: int) -> None:
        for _ in range(count):
            self._next()

    def _all(self) -> pl.Series:
        return pl.repeat(value=True, n=len(self.attempts), dtype=pl.Boolean, eager=True)

    def _keep(self, fits: pl.Series) -> None:
        if not fits.all():
            self.attempts = self.attempts.filter(fits)
            self._state = [word.filter(fits) for word in self._state]
