"""Memories that are bounded: what is known by heart so that it need not be worked out again, a nation's worth of it."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep_newest(memory: dict[K, V], most: int) -> None:
    """Forget the oldest beyond `most`, and no more than these.

    To be called every few seconds, so that there are few at a time: to forget a million at once held everybody up in the
    middle of a sitting, and each of them was worked out again. A plain dict, for the cycle collector does not look into
    one of numbers and texts (it does into an OrderedDict).
    """
    for key in list(islice(memory, max(0, len(memory) - most))):
        del memory[key]
