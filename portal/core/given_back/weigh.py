"""Granting: whoever tried in vain during an outage of ours gets his time back, once, however often it is weighed.

All of a round happens under the sitting's row lock, from what Postgres holds then, to an absolute value: two workers
at once, or the same round twice, give nothing twice. Nothing that was given is taken back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from engine.credit import Credit, credit
from infra.database import AWAY, require_wanted
from portal.core.given_back import queries
from portal.core.given_back.gather import case_of, times_of_pupil

if TYPE_CHECKING:
    from portal.core.db import Connection, Pool

log = structlog.get_logger()
EVERY_S = 2.0
AT_ONCE = 500


async def weigh_for_ever(pool: Pool) -> None:
    """A round every two seconds; troubles are waited out, for what is not weighed stays to be weighed."""
    while True:
        more = False
        try:
            async with asyncio.timeout(60), pool.acquire() as db:
                more = await weigh_once(db)
        except AWAY as error:
            require_wanted()
            log.warning("credits.round.failed", reason=str(error) or type(error).__name__)
        if not more:
            await asyncio.sleep(EVERY_S)


async def weigh_once(db: Connection) -> bool:
    """One round over every sitting with something to weigh; True if there may be more at once."""
    more = False
    for sitting_id in await queries.sittings_to_weigh(db):
        async with db.transaction():
            sitting = await queries.lock_sitting(db, sitting_id)
            attempts = await queries.attempts_to_weigh(db, sitting_id, AT_ONCE)
            if attempts:
                given = await _weigh(db, sitting, attempts)
                more = more or len(attempts) == AT_ONCE
                if given:
                    log.info("credits.given", sitting=sitting_id, pupils=given)
    return more


async def _weigh(db: Connection, sitting: queries.Sitting, attempts: list[int]) -> int:
    """Weigh these attempts; returns how many got more than they had."""
    cap_s = await queries.cap_s(db)
    pupils = await queries.pupils(db, sitting.id, attempts)
    tried = await queries.tried(db, attempts)
    outages = await queries.outages(db, [one for of in tried.values() for one in of])
    worked = await queries.worked(db, sitting.id, attempts)
    controls = await queries.controls(db, sitting.id, attempts)
    had = await queries.credits_of(db, attempts)
    grants: list[queries.Grant] = []
    for pupil in pupils:
        times = times_of_pupil(sitting.clock, pupil, controls)
        case = case_of(pupil, times, controls, tried[pupil.attempt], outages, worked.get(pupil.attempt, []), cap_s)
        before = had.get((pupil.attempt, times.leg))
        now = _at_least(credit(case), before)
        if before is None and not (now.clock_s or now.entry_s):
            continue
        if before is None or (now.clock_s, now.entry_s) != (before.clock_s, before.entry_s):
            grants.append(queries.Grant(pupil.attempt, times.leg, before, now))
    await queries.give(db, sitting.id, grants)
    await queries.mark_weighed(db, attempts)
    return len(grants)


def _at_least(now: Credit, before: Credit | None) -> Credit:
    """Nothing that was given is taken back: a pupil's clock never loses by being weighed again."""
    if before is None:
        return now
    return msgspec.structs.replace(
        now, clock_s=max(now.clock_s, before.clock_s), entry_s=max(now.entry_s, before.entry_s)
    )
