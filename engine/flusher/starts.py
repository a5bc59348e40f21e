"""Starts: the earliest release of the key that anybody reports is the start, for ever (rule 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.protocol import News, SaveRecord, Started, StartRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

    from engine.flusher.entries import Unit
    from engine.flusher.write import Memory

# By leg (engine.tokens.Claims).
COLUMNS = ("started_at", "restarted_at")


async def start(
    db: asyncpg.Connection[asyncpg.Record], units: list[Unit], saves: list[SaveRecord], memory: Memory
) -> tuple[dict[tuple[int, int], int], list[News]]:
    """Starts that the engines report, by (attempt, leg), as far as they are earlier than what is known; and the news."""
    starts: dict[tuple[int, int], int] = {}
    reported: list[StartRecord | SaveRecord] = [unit.record for unit in units if isinstance(unit.record, StartRecord)]
    reported += [save for save in saves if save.started_ms]
    for record in reported:
        at, started_ms = (record.attempt, record.leg), record.started_ms
        if started_ms < starts.get(at, memory.started.get(at, started_ms + 1)):
            starts[at] = started_ms
    return starts, await set_starts(db, starts)


async def set_starts(db: asyncpg.Connection[asyncpg.Record], starts: Mapping[tuple[int, int], int]) -> list[News]:
    """Put earlier starts into Postgres; tells the engines which it took."""
    news: list[News] = []
    for leg, column in enumerate(COLUMNS):
        told = {attempt: started_ms for (attempt, of), started_ms in starts.items() if of == leg}
        if not told:
            continue
        rows = await db.fetch(
            f"""
            update attempt a
            set {column} = to_timestamp(s.started_ms / 1000.0)
            from unnest($1::bigint[], $2::bigint[]) as s (id, started_ms)
            where a.id = s.id and (a.{column} is null or a.{column} > to_timestamp(s.started_ms / 1000.0))
            returning a.id, s.started_ms
            """,
            *(list(told), list(told.values())),
        )
        news += [Started(row["id"], row["started_ms"], leg) for row in rows]
    return news
