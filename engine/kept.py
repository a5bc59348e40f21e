"""What Postgres holds of attempts, read for many at once (`engine.group_read`). Only cold routes come here."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from redis.exceptions import RedisError

from engine.group_read import GroupRead
from engine.protocol import CONTROL_STREAM
from infra.valkey import clock_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from engine.worker import Worker

    Row = asyncpg.Record
    Of = tuple[int, int]
    OfDevice = tuple[int, int, str]

K = TypeVar("K", bound=tuple[Any, ...])
V = TypeVar("V")

# A re-entry waits no longer than this for what is still on its way (rule 8).
WAIT_S = 5.0
ACQUIRE_S = 10.0
AT_ONCE = 2


class KeptEvent(msgspec.Struct, frozen=True, gc=False):
    """An event in the order that counts: device epoch, then seq (rule 8)."""

    seq: int
    kind: int
    item: int | None
    value: str | None


class Kept(msgspec.Struct):
    """An attempt in Postgres, of each kind and item the newest event. `complete`: all that was acknowledged is in it."""

    complete: bool
    events: list[KeptEvent] = []
    devices: list[Row] = []
    # By leg, Unix ms.
    started: tuple[int | None, int | None] = (None, None)


class Reads:
    """The group reads of a worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.attempts: GroupRead[Of, Kept] = GroupRead(self._load_attempts, AT_ONCE)
        self.ranges: GroupRead[OfDevice, list[tuple[int, int]]] = GroupRead(self._load_ranges, AT_ONCE)

    async def _load_attempts(self, keys: list[Of]) -> dict[Of, Kept]:
        complete = await all_is_durable(self._worker, WAIT_S)
        found = {key: Kept(complete) for key in keys}
        assert self._worker.pool is not None
        async with self._worker.pool.acquire(timeout=ACQUIRE_S) as db:
            for sitting, attempts in _by_sitting(keys, lambda key: key[1]).items():
                for row in await db.fetch(EVENTS, sitting, attempts):
                    event = KeptEvent(row["seq"], row["kind"], row["item"], row["value"])
                    found[sitting, row["attempt_id"]].events.append(event)
                for row in await db.fetch(DEVICES, sitting, attempts):
                    found[sitting, row["attempt_id"]].devices.append(row)
                for row in await db.fetch(STARTED, attempts):
                    found[sitting, row["id"]].started = (row["first"], row["second"])
        return found

    async def _load_ranges(self, keys: list[OfDevice]) -> dict[OfDevice, list[tuple[int, int]]]:
        found: dict[OfDevice, list[tuple[int, int]]] = {key: [] for key in keys}
        assert self._worker.pool is not None
        async with self._worker.pool.acquire(timeout=ACQUIRE_S) as db:
            for sitting, pairs in _by_sitting(keys, lambda key: key[1:]).items():
                attempts, devices = [attempt for attempt, _ in pairs], [device for _, device in pairs]
                for row in await db.fetch(RANGES, sitting, attempts, devices):
                    found[sitting, row["attempt_id"], row["device"].hex].append((row["first"], row["last"]))
        return found


def _by_sitting(keys: list[K], of: Callable[[K], V]) -> dict[int, list[V]]:
    sittings: dict[int, list[V]] = {}
    for key in keys:
        sittings.setdefault(key[0], []).append(of(key))
    return sittings


async def all_is_durable(worker: Worker, limit_s: float) -> bool:
    """Wait until the flusher has passed «now» by Valkey's clock; False after the limit, or when nobody can say."""
    try:
        now_ms = await clock_ms(worker.valkey, CONTROL_STREAM)
    except (RedisError, OSError):
        return False
    limit = time.monotonic() + limit_s
    while worker.board.passed_ms <= now_ms:
        if time.monotonic() > limit:
            return False
        await asyncio.sleep(0.02)
    return True


# Of each item the newest answer, view and mark, and the newest language: who wrote twenty thousand events reads no more
# than others (SAFETY M2). Unmarked is the newest word on a mark.
EVENTS = """
    select attempt_id, seq, kind, item, value
    from (
        select distinct on (e.attempt_id, of.kind, e.item)
               e.attempt_id, e.seq, e.kind, e.item, e.value, coalesce(d.epoch, 0) as epoch
        from response_event e
        left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
        cross join lateral (select case when e.kind = 4 then 3 else e.kind end as kind) of
        where e.sitting_id = $1 and e.attempt_id = any($2::bigint[]) and e.kind in (1, 2, 3, 4, 7)
        order by e.attempt_id, of.kind, e.item, coalesce(d.epoch, 0) desc, e.seq desc
    ) newest
    order by attempt_id, epoch, seq
"""

DEVICES = """
    select d.attempt_id, d.device, d.epoch, held.events, held.newest_ms
    from attempt_device d
    cross join lateral (
        select count(*)::int as events, max(e.received_ms) as newest_ms
        from response_event e
        where e.sitting_id = $1 and e.attempt_id = d.attempt_id and e.device = d.device
    ) held
    where d.attempt_id = any($2::bigint[])
    order by d.attempt_id, d.epoch
"""

STARTED = """
    select id, (extract(epoch from started_at) * 1000)::bigint as first,
           (extract(epoch from restarted_at) * 1000)::bigint as second
    from attempt
    where id = any($1::bigint[])
"""

# Gaps and islands: seq minus its rank is constant within a run.
RANGES = """
    select attempt_id, device, min(seq) as first, max(seq) as last
    from (
        select e.attempt_id, e.device, e.seq,
               e.seq - row_number() over (partition by e.attempt_id, e.device order by e.seq) as run
        from unnest($2::bigint[], $3::text[]) as wanted (attempt_id, device)
        join response_event e on e.attempt_id = wanted.attempt_id and e.device = wanted.device::uuid
        where e.sitting_id = $1
    ) numbered
    group by attempt_id, device, run
    order by attempt_id, device, first
"""
