"""The line of those who handed in and wait for their final receipt."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AGAIN_FIRST_S = 0.5
# Another flusher may store what lacks, and does not say so here.
AGAIN_LAST_S = 15.0


class Turn(msgspec.Struct, gc=False):
    """Times are seconds of the process' monotonic clock."""

    since: float
    again_s: float = AGAIN_FIRST_S
    due: float = 0.0


class Line:
    """Who lacks events goes out of the line until some come, or for a while that grows: he holds up nobody."""

    def __init__(self) -> None:
        self._waiting: dict[int, Turn] = {}
        self._lacking: dict[int, Turn] = {}
        # Being looked at; True: events came meanwhile, which the look may not have seen.
        self._out: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._lacking)

    @property
    def ready(self) -> int:
        """How many wait for nothing but their turn."""
        return len(self._waiting)

    def join(self, attempts: Iterable[int], now: float) -> None:
        """They handed in just now, perhaps once more: what was known of them holds no longer."""
        for attempt in attempts:
            self._lacking.pop(attempt, None)
            self._waiting[attempt] = Turn(now)

    def find(self, attempts: Iterable[int], now: float) -> None:
        """They stand in Postgres without a receipt: new to us are only those who are not in the line."""
        self.join([one for one in attempts if one not in self._waiting and one not in self._lacking], now)

    def events_came(self, attempts: Iterable[int]) -> None:
        """Perhaps just those that were lacking."""
        if not self._lacking and not self._out:
            return
        for attempt in attempts:
            if attempt in self._lacking:
                self._waiting[attempt] = self._lacking.pop(attempt)
            elif attempt in self._out:
                self._out[attempt] = True

    def take(self, count: int, now: float) -> dict[int, Turn]:
        """Those whose turn it is, out of the line."""
        for attempt in [attempt for attempt, turn in self._lacking.items() if turn.due <= now]:
            self._waiting[attempt] = self._lacking.pop(attempt)
        taken = dict(itertools.islice(self._waiting.items(), count))
        for attempt in taken:
            del self._waiting[attempt]
        self._out = dict.fromkeys(taken, False)
        return taken

    def put_back(self, turns: Mapping[int, Turn]) -> None:
        """They had no turn: first again, but for those who handed in anew meanwhile."""
        self._waiting = {**turns, **self._waiting}
        self._out = {}

    def lack(self, turns: Mapping[int, Turn], now: float) -> None:
        """They lack events, and come again later, ever later."""
        came, self._out = self._out, {}
        for attempt, turn in turns.items():
            if attempt in self._waiting:
                continue
            if came.get(attempt):
                self._waiting[attempt] = turn
            else:
                self._lacking[attempt] = Turn(turn.since, min(AGAIN_LAST_S, 2 * turn.again_s), now + turn.again_s)
