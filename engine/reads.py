"""Bodies on their way: who sends one byte and then nothing must not keep his place for ever.

A timer for each save costs 4.5 µs, this 0.1 (two cores of a server): each read notes the turn in which it began,
and one task a worker looks every few seconds for those that are older than the limit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any


TURNS = 10


class HungUp(Exception):  # noqa: N818 (an event, not a fault)
    """The caller went away in the middle of the body: nobody is there to be answered."""


class Reads:
    """The bodies that this worker is reading, each with the turn in which it began."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.turn = 0
        self.running: dict[Coroutine[Any, Any, bytes], int] = {}

    async def sweep_for_ever(self) -> None:
        """End the reads that began `limit_s` ago, a tenth more at the most."""
        while True:
            await asyncio.sleep(self.limit_s / TURNS)
            self.turn += 1
            for waiting in [one for one, began in self.running.items() if self.turn - began > TURNS]:
                # Out of the dict first: so the reader sees that it was this, and not the end of the worker.
                del self.running[waiting]
                # Granian's future, which its stub calls a coroutine: this ends the read, not the request's task.
                cast("asyncio.Future[bytes]", waiting).cancel()
