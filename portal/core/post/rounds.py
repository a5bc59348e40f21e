"""What the worker looks for every other second: passwords forgotten, jobs ended, letters due."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from infra.settings import PortalSettings
    from portal.core.db import Pool

    Round = Callable[[Pool, PortalSettings], Awaitable[bool]]

log = structlog.get_logger()
EVERY_S = 2.0
LIMIT_S = 600.0


async def go_round(pool: Pool, settings: PortalSettings, rounds: Sequence[Round]) -> None:
    """Each in turn, for ever. Whatever goes wrong in one is waited out and stops no other: what is not done stays to be done."""
    while True:
        more = False
        for one in rounds:
            try:
                async with asyncio.timeout(LIMIT_S):
                    more = await one(pool, settings) or more
            except Exception:
                log.exception("post.round.failed", round=one.__name__)
        if not more:
            await asyncio.sleep(EVERY_S)
