"""Progress told from a thread: what reads and checks a list runs beside the loop, the row of the job is written in it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.core.jobs.worker import Context

TELL_EVERY_S = 0.5


class RowProgress:
    """Made in the loop, told in the thread; writes twice a second at the most."""

    def __init__(self, context: Context, total: int) -> None:
        self._context, self._total = context, total
        self._loop = asyncio.get_running_loop()
        self._told = 0.0
        self._done = 0

    def at_row(self, _number: int) -> None:
        """A row is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._told > TELL_EVERY_S:
            self._told = now
            asyncio.run_coroutine_threadsafe(self._context.progress(self._done, self._total), self._loop)
