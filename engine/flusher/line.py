"""The line of those who handed in and wait for their final receipt."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from collections.abc import Set as AbstractSet

# Who lacks events is looked at again after so long, each time twice as late, without any word of him.
AGAIN_FIRST_S = 0.5
# Another flusher may store what lacks, and does not say so here.
AGAIN_LAST_S = 15.0
# A look hashes the whole log. So many are free, whatever he sends; then he rests, each time twice as long (SAFETY M2).
FREE_LOOKS = 6
REST_FIRST_S = 2.0
REST_LAST_S = 60.0
# Of whom it is remembered that he had receipts; forgetting gives him free looks once more.
REMEMBERED = 600_000


class Turn(msgspec.Struct, gc=False):
    """Times are seconds of the process' monotonic clock. `due`: looked at then even without news, `rests_until`: not before."""

    since: float
    looks: int = 0
    due: float = 0.0
    rests_until: float = 0.0


class Line:
    """Everybody is in one place: waiting, resting, being looked at (`take` … `done`), or has his receipt."""

    def __init__(self) -> None:
        self._waiting: dict[int, Turn] = {}
        self._resting: dict[int, Turn] = {}
        self._looked_at: dict[int, Turn] = {}
        # Events of these came during the look, which may not have seen them.
        self._came: set[int] = set()
        self._sealed: dict[int, Turn] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._resting) + len(self._looked_at)

    @property
    def ready(self) -> int:
        """How many wait for nothing but their turn."""
        return len(self._waiting)

    def join(self, attempts: Iterable[int], now: float) -> None:
        """They handed in just now, perhaps once more."""
        for attempt in attempts:
            if attempt in self._looked_at:
                self._came.add(attempt)
                self._looked_at[attempt].since = now
                continue
            turn = self._waiting.pop(attempt, None) or self._resting.pop(attempt, None)
            turn = turn or self._sealed.pop(attempt, None) or Turn(now)
            turn.since = now
            self._place(attempt, turn, now)

    def find(self, attempts: Iterable[int], now: float) -> None:
        """They stand in Postgres without a receipt: new to us are only those who are not in the line."""
        places = (self._waiting, self._resting, self._looked_at)
        self.join([one for one in attempts if not any(one in place for place in places)], now)

    def events_came(self, attempts: Iterable[int], now: float) -> None:
        """Perhaps just those that were lacking."""
        if not self._resting and not self._looked_at:
            return
        for attempt in attempts:
            if attempt in self._resting:
                self._place(attempt, self._resting.pop(attempt), now)
            elif attempt in self._looked_at:
                self._came.add(attempt)

    def take(self, count: int, now: float) -> dict[int, Turn]:
        """Those whose turn it is, to be looked at; until `done` or `put_back`."""
        for attempt in [attempt for attempt, turn in self._resting.items() if turn.due <= now]:
            self._waiting[attempt] = self._resting.pop(attempt)
        self._looked_at = dict(itertools.islice(self._waiting.items(), count))
        for attempt, turn in self._looked_at.items():
            del self._waiting[attempt]
            turn.looks += 1
            if turn.looks > FREE_LOOKS:
                turn.rests_until = now + min(REST_LAST_S, REST_FIRST_S * 2.0 ** (turn.looks - FREE_LOOKS - 1))
        return self._looked_at

    def put_back(self) -> None:
        """They could not be looked at: first again."""
        self._waiting = {**self._looked_at, **self._waiting}
        self._looked_at, self._came = {}, set()

    def done(self, lacking: AbstractSet[int], now: float) -> None:
        """They were looked at: all but these have their receipt."""
        looked_at, came = self._looked_at, self._came
        self._looked_at, self._came = {}, set()
        if len(self._sealed) > REMEMBERED:
            self._sealed.clear()
        for attempt, turn in looked_at.items():
            if attempt in came:
                self._place(attempt, turn, now)
            elif attempt in lacking:
                again_s = min(AGAIN_LAST_S, AGAIN_FIRST_S * 2.0 ** (turn.looks - 1))
                turn.due = max(turn.rests_until, now + again_s)
                self._resting[attempt] = turn
            else:
                self._sealed[attempt] = turn

    def _place(self, attempt: int, turn: Turn, now: float) -> None:
        if turn.rests_until > now:
            turn.due = turn.rests_until
            self._resting[attempt] = turn
        else:
            self._waiting[attempt] = turn


def settled(turns: dict[int, Turn], drained_from: float) -> Collection[int]:
    """Those of whom nothing is on its way to Postgres: a round that began since they handed in left nothing unread."""
    return {attempt for attempt, turn in turns.items() if turn.since < drained_from}
