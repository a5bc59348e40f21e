"""Devices of an attempt: numbered in the order the server saw them; a hold gives the attempt to the longest history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.protocol import HoldRecord, NewestDevice, News, SaveRecord, SignInRecord

if TYPE_CHECKING:
    import asyncpg

    from engine.flusher.entries import Unit
    from engine.flusher.write import Memory, Written

log = structlog.get_logger()
DEVICE_LOCK = 0x646576


async def sign_in(
    db: asyncpg.Connection[asyncpg.Record],
    units: list[Unit],
    saves: list[SaveRecord],
    memory: Memory,
    written: Written,
) -> None:
    """Attempts and devices, numbered in the order the server saw them.

    A save of a device whose sign-in was lost with a wiped stream makes it known too.
    """
    came = [unit.record for unit in units if isinstance(unit.record, SignInRecord)]
    # A sign-in says more than a save of the same device, and clocks of two workers differ: it stands, whatever came first.
    known, signed_in = memory.devices, {(record.attempt, record.device) for record in came}
    came += [
        SignInRecord(save.sitting, save.attempt, save.device, save.received_ms, "")
        for save in saves
        if (save.attempt, save.device) not in known and (save.attempt, save.device) not in signed_in
    ]
    if not came:
        return
    # Streams are read one after the other; devices are numbered by when the server saw them, whatever their stream.
    came.sort(key=lambda record: record.at_ms)
    # Two flushers must not give one number to two devices.
    await db.execute("select pg_advisory_xact_lock($1)", DEVICE_LOCK)
    attempts = [record.attempt for record in came]
    times = [record.at_ms for record in came]
    await db.execute(ATTEMPTS, attempts, [record.sitting for record in came], times)
    rows = await db.fetch(
        DEVICES,
        *(attempts, [memory.uuid(record.device) for record in came], times, [record.agent for record in came]),
        [memory.uuid(record.continues) if record.continues else None for record in came],
        [memory.uuid(record.phone) if record.phone else None for record in came],
    )
    rows = sorted(rows, key=lambda row: (row["attempt_id"], row["epoch"]))
    written.news += [
        NewestDevice(row["attempt_id"], row["device"].bytes, row["epoch"], row["first_seen_ms"]) for row in rows
    ]
    written.devices |= {(record.attempt, record.device) for record in came}


async def hold(db: asyncpg.Connection[asyncpg.Record], units: list[Unit]) -> list[News]:
    """Devices that were held back: put on record, and the attempt goes to the phone that has written longest (J4)."""
    held: dict[int, list[HoldRecord]] = {}
    for unit in units:
        if isinstance(unit.record, HoldRecord):
            held.setdefault(unit.record.attempt, []).append(unit.record)
    news: list[News] = []
    for attempt, records in sorted(held.items()):
        await db.execute("select pg_advisory_xact_lock($1)", DEVICE_LOCK)
        kept = await db.fetchrow(LONGEST, records[0].sitting, attempt)
        times = [record.at_ms for record in records]
        await db.execute(
            HOLD, attempt, min(times), max(times), len(records), records[-1].agent, kept["device"] if kept else None
        )
        log.info("flusher.device.held", attempt=attempt, tries=len(records))
        if kept is None or kept["epoch"] == kept["newest"]:
            continue
        epoch = kept["newest"] + 1
        await db.execute(
            "update attempt_device set epoch = $3 where attempt_id = $1 and device = $2",
            *(attempt, kept["device"], epoch),
        )
        news.append(NewestDevice(attempt, kept["device"].bytes, epoch, max(times)))
    return news


ATTEMPTS = """
    insert into attempt (id, sitting_id, signed_in_at)
    select distinct on (id) id, sitting_id, to_timestamp(at_ms / 1000.0)
    from unnest($1::bigint[], $2::int[], $3::bigint[]) as came (id, sitting_id, at_ms)
    order by id, at_ms
    on conflict do nothing
"""

DEVICES = """
    with came as (
        select attempt_id, device, at_ms, agent, continues, phone, ord
        from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::uuid[])
            with ordinality as c (attempt_id, device, at_ms, agent, continues, phone, ord)
    ), fresh as (
        select distinct on (attempt_id, device) attempt_id, device, at_ms, agent, continues, phone, ord
        from came c
        where not exists (
            select 1 from attempt_device d where d.attempt_id = c.attempt_id and d.device = c.device
        )
        order by attempt_id, device, ord
    )
    insert into attempt_device (attempt_id, device, epoch, first_seen_ms, agent, continues, phone)
    select f.attempt_id, f.device,
           coalesce((select max(d.epoch) from attempt_device d where d.attempt_id = f.attempt_id), 0)
               + row_number() over (partition by f.attempt_id order by f.ord),
           f.at_ms, f.agent, f.continues, f.phone
    from fresh f
    returning attempt_id, device, epoch, first_seen_ms
"""

HOLD = """
    insert into device_hold as h (attempt_id, first_ms, newest_ms, tries, agent, kept)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (attempt_id) do update
    set newest_ms = greatest(h.newest_ms, excluded.newest_ms), tries = h.tries + excluded.tries,
        agent = excluded.agent, kept = excluded.kept
"""

# A history is the number of minutes in which the server heard a phone (all its logs together): the server's clock
# cannot be talked up by sending more. Of equals the one that came first; of a phone's logs the newest writes.
LONGEST = """
    with recursive line as (
        select device, device as root, first_seen_ms
        from attempt_device
        where attempt_id = $2 and continues is null
        union
        select d.device, line.root, line.first_seen_ms
        from attempt_device d
        join line on d.continues = line.device
        where d.attempt_id = $2
    ), history as (
        select line.root, min(line.first_seen_ms) as came_ms,
               count(distinct e.received_ms / 60000) as minutes
        from line
        left join response_event e on e.sitting_id = $1 and e.attempt_id = $2 and e.device = line.device
        group by line.root
        order by minutes desc, came_ms, line.root
        limit 1
    )
    select d.device, d.epoch, (select max(epoch) from attempt_device where attempt_id = $2) as newest
    from history
    join line using (root)
    join attempt_device d on d.attempt_id = $2 and d.device = line.device
    order by d.epoch desc
    limit 1
"""
