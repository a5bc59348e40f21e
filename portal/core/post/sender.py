"""Sending what is due, exactly once as far as SMTP lets.

A letter is marked as soon as the server took it; one that was taken twice (we died between) has one Message-ID.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from portal.core.i18n import N_
from portal.core.post import mail, outbox, sms
from portal.core.post.letters import LETTERS, write
from portal.core.post.outbox import Outcome, Row

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Pool

log = structlog.get_logger()
# A server that lets us wait byte by byte holds up the others no longer.
LIMIT_S = 45.0
TOO_LATE = N_("Not sent in time: what it says is over.")
UNWANTED = N_("The consent to be written to does not hold.")
UNKNOWN = N_("This release does not know such a letter.")


async def send_due(pool: Pool, settings: PortalSettings) -> bool:
    """One round; True if there may be more at once."""
    async with pool.acquire() as db:
        rows = await outbox.take(db)
    for row in rows:
        outcome = await _try(row, settings)
        async with pool.acquire() as db:
            await outbox.settle(db, row, outcome)
        log.info("post.letter.tried", post=row.id, kind=row.kind, tries=row.tries, state=outcome.state)
    return len(rows) == outbox.AT_ONCE


async def _try(row: Row, settings: PortalSettings) -> Outcome:
    letter = LETTERS.get(row.kind)
    if letter is None:
        return Outcome("given_up", UNKNOWN)
    if row.unwanted:
        return Outcome("given_up", UNWANTED)
    if row.ends_at is not None and row.ends_at <= datetime.now(UTC):
        return Outcome("given_up", TOO_LATE)
    try:
        written = write(letter, row.filled, row.language, settings)
        async with asyncio.timeout(LIMIT_S):
            if row.channel == "sms":
                return await sms.send(written, row.address, settings)
            return await mail.send(written, row.address, settings, row.id, row.made_at)
    except TimeoutError:
        return Outcome("failed", "TimeoutError")
    except Exception as error:
        # One letter that cannot be written must not hold up all others.
        log.exception("post.letter.failed", post=row.id, kind=row.kind)
        return Outcome("failed", type(error).__name__)
