"""Wrong secrets and codes from one address: beyond a measure nothing of it is looked at for a while."""

from __future__ import annotations

import time
from collections import deque

MOST_PLACES = 10_000


class Misses:
    """At most `most` within `within_s`, in this worker."""

    def __init__(self, *, most: int, within_s: float) -> None:
        self._most, self._within_s = most, within_s
        self._seen: dict[str, deque[float]] = {}

    def full(self, place: str) -> bool:
        """Whether it has missed too often just now."""
        seen = self._seen.get(place)
        if seen is None:
            return False
        while seen and seen[0] < time.monotonic() - self._within_s:
            seen.popleft()
        return len(seen) >= self._most

    def count(self, place: str) -> None:
        """One more."""
        if len(self._seen) > MOST_PLACES:
            self._seen.clear()
        self._seen.setdefault(place, deque(maxlen=self._most)).append(time.monotonic())
