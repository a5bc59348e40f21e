"""Waiting for a condition, with a limit; never a sleep and hope."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from tests.support.pupil import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


async def eventually(work: Callable[[], Awaitable[T]], limit_s: float = 15, every_s: float = 0.05) -> T:
    """Repeat until it neither raises Refused nor AssertionError; the last one is raised at the limit."""
    limit = time.monotonic() + limit_s
    while True:
        try:
            return await work()
        except (Refused, AssertionError):
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(every_s)
