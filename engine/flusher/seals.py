"""Final receipts: made only when Postgres holds every seq 1…finish of the device and the hash agrees (rule 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.protocol import KIND_NAMES, MissingEvents, News, Sealed
from engine.receipts import receipt_code
from engine.records import decode_finish

if TYPE_CHECKING:
    from collections.abc import Collection

    import asyncpg

log = structlog.get_logger()
AT_ONCE = 200


async def unsealed(db: asyncpg.Connection[asyncpg.Record]) -> set[int]:
    """Attempts that finished and have no receipt for that finish: what a new flusher has to look after."""
    rows = await db.fetch(
        """
        select a.id
        from attempt a
        join sitting s on s.id = a.sitting_id
        where a.finished_at is not null and s.state in ('published', 'closed')
          and not exists (select 1 from seal where seal.attempt_id = a.id and seal.sealed_at >= a.finished_at)
        """
    )
    return {row["id"] for row in rows}


async def seal(
    db: asyncpg.Connection[asyncpg.Record], key: bytes, attempts: set[int], settled: Collection[int]
) -> tuple[list[News], set[int]]:
    """Try to seal attempts; returns the news, and those that still lack events (to be tried again).

    `settled`: those of whom nothing is on its way to Postgres. What others lack may come by itself in a moment; asked
    for, it would come twice, from a whole nation at the bell.
    """
    news: list[News] = []
    waiting: set[int] = set()
    whole: dict[int, tuple[asyncpg.Record, str]] = {}
    for row in await db.fetch(LOGS, sorted(attempts)[:AT_ONCE], _names()):
        attempt, device, seq = row["attempt_id"], row["device"], row["finish_seq"]
        told = decode_finish(row["told"])
        if row["held"] == seq - 1 == told.count and row["digest"].hex() == told.hash:
            whole[attempt] = (row, receipt_code(key, attempt, seq, row["digest"]))
            continue
        waiting.add(attempt)
        if attempt not in settled:
            continue
        missing = await db.fetch(GAPS, row["sitting_id"], attempt, device, seq)
        ranges = [(gap["first"], gap["last"]) for gap in missing]
        if not ranges:
            # All seqs are there, another content: a conflict. The device sends all once more, a person sees both.
            log.warning("flusher.seal.hash_differs", attempt=attempt, device=str(device))
            ranges = [(1, seq - 1)] if seq > 1 else []
        news.append(MissingEvents(attempt, device.bytes, ranges))
    rows = [(row, code) for row, code in whole.values()]
    columns = [
        [row[name] for row, _ in rows] for name in ("attempt_id", "sitting_id", "device", "finish_seq", "digest")
    ]
    made = await db.fetch(INSERT, *columns, [code for _, code in rows], [row["answered"] for row, _ in rows])
    news += [Sealed(row["attempt_id"], row["code"], row["at_ms"], row["answered"]) for row in made]
    return news, waiting


def _names() -> list[str]:
    """Names of kinds by number, as Postgres arrays count: from 1."""
    return [KIND_NAMES.get(number, "") for number in range(1, max(KIND_NAMES) + 1)]


# The newest finish of each attempt by (device epoch, seq), for clocks of two workers differ (rule 8); and the digest of all events of that device before it.
LOGS = """
    select f.attempt_id, f.sitting_id, f.device, f.seq as finish_seq, f.value as told,
           held.held, standing.answered, held.digest
    from unnest($1::bigint[]) as wanted (attempt_id)
    join attempt a on a.id = wanted.attempt_id
    cross join lateral (
        select e.attempt_id, e.sitting_id, e.device, e.seq, e.value
        from response_event e
        left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
        where e.sitting_id = a.sitting_id and e.attempt_id = a.id and e.kind = 10
        order by coalesce(d.epoch, 0) desc, e.seq desc
        limit 1
    ) f
    cross join lateral (
        select count(*)::int as held,
               sha256(convert_to(coalesce(string_agg(
                   e.seq || ' ' || ($2::text[])[e.kind] || ' ' || coalesce(e.item::text, '-') || ' '
                       || coalesce(e.value, '-') || E'\\n', '' order by e.seq), ''), 'UTF8')) as digest
        from response_event e
        where e.sitting_id = f.sitting_id and e.attempt_id = f.attempt_id and e.device = f.device and e.seq < f.seq
    ) held
    cross join lateral (
        select (count(*) filter (where newest.value <> 'null'))::int as answered
        from (
            select distinct on (e.item) e.value
            from response_event e
            left join attempt_device d on d.attempt_id = e.attempt_id and d.device = e.device
            where e.sitting_id = f.sitting_id and e.attempt_id = f.attempt_id and e.kind = 1
            order by e.item, coalesce(d.epoch, 0) desc, e.seq desc
        ) newest
    ) standing
    order by f.attempt_id
"""

INSERT = """
    insert into seal (attempt_id, sitting_id, device, finish_seq, digest, code, answered)
    select * from unnest($1::bigint[], $2::int[], $3::uuid[], $4::int[], $5::bytea[], $6::text[], $7::int[])
    on conflict (attempt_id, device, finish_seq) do nothing
    returning attempt_id, code, answered, (extract(epoch from sealed_at) * 1000)::bigint as at_ms
"""

GAPS = """
    select first, last
    from (
        select lag(seq, 1, 0) over (order by seq) + 1 as first, seq - 1 as last
        from (
            select seq from response_event
            where sitting_id = $1 and attempt_id = $2 and device = $3 and seq < $4
            union all
            select $4
        ) held
    ) gaps
    where first <= last
    order by first
"""
