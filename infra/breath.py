"""Long work on the loop of a granian worker: between its pieces the loop must rest, not only take turns.

granian's threads need the interpreter for each request that they bring in. A loop that never rests (`sleep(0)` takes the
next turn at once) gives it up after 5 ms only, for each of them: 80 ms of work in pieces kept 45 ms of requests outside.
"""

from __future__ import annotations

import asyncio

BREATH_S = 0.002


async def breathe() -> None:
    """Let requests in before the next piece."""
    await asyncio.sleep(BREATH_S)
