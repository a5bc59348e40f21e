"""Failed sign-ins by the minute, as all engines of the country told Valkey (engine/misses.py; SAFETY J3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis.exceptions

from engine.protocol import miss_key
from portal.core.i18n import N_, number
from portal.features.live.structs import Alarm, Missed

if TYPE_CHECKING:
    from portal.core.jobs.worker import Queues

KINDS = {
    "code-unknown": N_("Unknown code"),
    "birth-mismatch": N_("Wrong day of birth"),
    "code-locked": N_("Locked code"),
}


async def read(queues: Queues, sitting_id: int, minute: int) -> list[Missed]:
    """This minute and the one before; empty when Valkey does not answer (the page says that already)."""
    try:
        async with queues.streams.pipeline(transaction=False) as pipe:
            for wanted in (minute, minute - 1):
                pipe.hgetall(miss_key(wanted))
            minutes: list[dict[bytes, bytes]] = await pipe.execute()
    except (redis.exceptions.RedisError, OSError, TimeoutError):
        return []
    counted = [{field.decode(): int(count) for field, count in found.items()} for found in minutes]
    return [
        Missed(
            code=code,
            here=None if code == "code-unknown" else _pair(counted, f"{code}:{sitting_id}", whole=True),
            country=_pair(counted, f"{code}:", whole=False),
        )
        for code in KINDS
    ]


def alarms(missed: list[Missed], allowed: int) -> list[Alarm]:
    """Somebody may be guessing codes."""
    most = max((sum(line.country[place] for line in missed) for place in (0, 1)), default=0)
    if most <= allowed:
        return []
    text = N_("Failed sign-ins in a minute, whole country: {count}. More than {allowed} is not usual.")
    advice = N_(
        "Somebody may be guessing codes, or a list of slips is wrong. Call the engineers; codes lock by themselves."
    )
    values = {"count": number(most), "allowed": number(allowed)}
    return [Alarm(tone="clay", text=text, advice=advice, values=values)]


def _pair(counted: list[dict[str, int]], name: str, *, whole: bool) -> tuple[int, int]:
    now, before = (
        sum(count for field, count in found.items() if (field == name if whole else field.startswith(name)))
        for found in counted
    )
    return now, before
