"""What was committed lately, told once more by a flusher that starts.

The one before it may have died between COMMIT and word of it; then no engine knows of a receipt that Postgres holds,
and its child waits for ever. Hearing the same twice is harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.protocol import Full, NewestDevice, News, Sealed, Started

if TYPE_CHECKING:
    import asyncpg

# Longer than any flusher's absence that nobody was called for; a longer one ends with engines that read Postgres anew.
LATELY_S = 600


async def committed_lately(db: asyncpg.Connection[asyncpg.Record]) -> list[News]:
    """Devices in the order of their epochs, starts, receipts and used-up limits of the last ten minutes."""
    news: list[News] = [
        NewestDevice(row["attempt_id"], row["device"].bytes, row["epoch"], row["first_seen_ms"])
        for row in await db.fetch(DEVICES, LATELY_S)
    ]
    news += [Started(row["id"], row["started_ms"], row["leg"]) for row in await db.fetch(STARTS, LATELY_S)]
    news += [
        Sealed(row["attempt_id"], row["code"], row["at_ms"], row["answered"]) for row in await db.fetch(SEALS, LATELY_S)
    ]
    news += [Full(row["attempt_id"], row["name"]) for row in await db.fetch(LIMITS, LATELY_S)]
    return news


# Of sittings that engines hold (engine.roster): what lies years back is not even looked at.
LIVE = "select id from sitting where state in ('published', 'closed') and starts_at > now() - interval '40 days'"
SINCE = "now() - make_interval(secs => $1)"
SINCE_MS = f"extract(epoch from {SINCE}) * 1000"

# A hold gives an old device a new epoch (SAFETY J4): of an attempt that changed, all devices are told.
DEVICES = f"""
    select d.attempt_id, d.device, d.epoch, d.first_seen_ms
    from attempt_device d
    join attempt a on a.id = d.attempt_id
    where a.sitting_id in ({LIVE})
      and (exists (select 1 from attempt_device n where n.attempt_id = a.id and n.first_seen_ms > {SINCE_MS})
           or exists (select 1 from device_hold h where h.attempt_id = a.id and h.newest_ms > {SINCE_MS}))
    order by d.attempt_id, d.epoch
"""

STARTS = f"""
    select a.id, (extract(epoch from s.at) * 1000)::bigint as started_ms, s.leg
    from attempt a
    cross join lateral (values (0, a.started_at), (1, a.restarted_at)) as s (leg, at)
    where a.sitting_id in ({LIVE}) and s.at > {SINCE}
"""

SEALS = f"""
    select attempt_id, code, coalesce(answered, finish_seq - 1) as answered,
           (extract(epoch from sealed_at) * 1000)::bigint as at_ms
    from seal
    where sitting_id in ({LIVE}) and sealed_at > {SINCE}
    order by sealed_at
"""

LIMITS = f"""
    select attempt_id, name
    from attempt_limit
    where name in ('events', 'bytes', 'poison') and newest_ms > {SINCE_MS}
"""
