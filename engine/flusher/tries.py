"""What devices tried in vain, beside the events that say so: few rows, so that crediting need not read millions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.records import decode_tries

if TYPE_CHECKING:
    import asyncpg

    from engine.flusher.write import Memory
    from engine.protocol import SaveRecord, StoredEvent


async def tried(
    db: asyncpg.Connection[asyncpg.Record], tries: list[tuple[SaveRecord, StoredEvent]], memory: Memory
) -> None:
    """Each once, by its identity; in the transaction that stores the event."""
    rows: list[tuple[int, object, int, int, str, int, int]] = []
    for save, event in tries:
        assert event.value is not None
        told = decode_tries(event.value)
        # Without an anchor of ours the moment is when we heard of it.
        until_ms = save.received_ms if event.anchor_ms is None else event.anchor_ms + event.since_ms
        until_ms = min(until_ms, save.received_ms) - told.ago_ms
        rows.append(
            (
                *(save.attempt, memory.uuid(save.device), event.seq, save.sitting),
                *(told.step, until_ms - told.for_ms, until_ms),
            )
        )
    await db.execute(
        """
        insert into tried (attempt_id, device, seq, sitting_id, step, from_ms, until_ms)
        select * from unnest($1::bigint[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[])
        on conflict do nothing
        """,
        *([row[place] for row in rows] for place in range(7)),
    )
