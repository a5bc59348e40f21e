"""The sample that the index put aside: each picture is looked at in a process of its own, and its numbers written down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import structlog

from proctoring.checks.numbers import DARK, SILENT, Numbers

if TYPE_CHECKING:
    import asyncpg

    from infra.database import Db
    from proctoring.checks.aside import Aside
    from proctoring.look.serve import Pictures

log = structlog.get_logger()
AT_ONCE = 20
# Older ones are left unchecked: a sample that is hours behind helps nobody.
STALE = "30 minutes"


class Beside(msgspec.Struct, frozen=True):
    """What checked pictures of the attempt showed: those around this one in time, and the one before it.

    `same` looks both ways: segments come in any order, and what a phone kept without a line comes late.
    """

    same: set[str]
    faces: int | None


async def look_at_some(db: Db, pictures: Pictures, aside: Aside) -> int:
    """Take some of the sample and look at them; how many were taken."""
    await db.execute(f"delete from picture_to_check where put_at < now() - interval '{STALE}'")
    rows = await db.fetch(
        f"""
        delete from picture_to_check
        where ctid = any(array(
            select ctid from picture_to_check order by put_at limit {AT_ONCE} for update skip locked))
        returning sitting_id, attempt_id, seq, taken_ms, put_at
        """
    )
    for number, row in enumerate(rows):
        place = (row["sitting_id"], row["attempt_id"], row["seq"], row["taken_ms"])
        try:
            plain = await pictures.plain(*place)
            if plain is not None:
                await _write(db, place, await aside.look(plain))
        except BaseException:
            # The store is away, or this one's bytes are gone. A sample can do without it; the others lose nothing by it.
            await _put_back(db, rows[number + 1 :])
            raise
    return len(rows)


async def _put_back(db: Db, rows: list[asyncpg.Record]) -> None:
    """Where they stood in the line."""
    await db.executemany(
        "insert into picture_to_check (sitting_id, attempt_id, seq, taken_ms, put_at) values ($1, $2, $3, $4, $5)",
        [tuple(row) for row in rows],
    )


async def _write(db: Db, place: tuple[int, int, int, int], seen: Numbers | None) -> None:
    sitting, attempt, seq, taken_ms = place
    beside = await _beside(db, place)
    checks = {"server": msgspec.to_builtins(seen)} if seen else {"server": {"unreadable": True}}
    events = events_of(seen, beside) if seen else []
    async with db.transaction():
        found = await db.execute(
            """
            update picture set checks = coalesce(checks, '{}') || $5::jsonb
            where sitting_id = $1 and attempt_id = $2 and seq = $3 and taken_ms = $4
            """,
            *(*place, msgspec.json.encode(checks).decode()),
        )
        if found == "UPDATE 0" or not events:
            return
        now_ms = time.time_ns() // 1_000_000
        await db.executemany(
            """
            insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms, data)
            values ($1, $2, $3, $4, $5, $6, '{"by": "server"}')
            """,
            [(sitting, attempt, seq, kind, taken_ms, now_ms) for kind in events],
        )
        await db.execute("insert into watch_to_score (sitting_id, attempt_id) values ($1, $2)", sitting, attempt)


async def _beside(db: Db, place: tuple[int, int, int, int]) -> Beside:
    rows = await db.fetch(
        """
        select
            checks -> 'server' ->> 'same' as same,
            (checks -> 'server' ->> 'faces')::int as faces,
            (taken_ms, seq) < ($4, $3) as before
        from picture
        where sitting_id = $1 and attempt_id = $2 and (taken_ms, seq) <> ($4, $3) and checks ? 'server'
        order by abs(taken_ms - $4), seq desc
        limit 40
        """,
        *place,
    )
    faces = next((row["faces"] for row in rows if row["before"]), None)
    return Beside({row["same"] for row in rows if row["same"]}, faces)


def events_of(seen: Numbers, beside: Beside) -> list[str]:
    """What the numbers give rise to: kinds of events, for a person to look at."""
    kinds: list[str] = []
    if seen.same in beside.same:
        kinds.append("picture-repeated")
    if seen.fit and seen.noise < SILENT:
        kinds.append("virtual-camera")
    if seen.light < DARK:
        kinds.append("light-poor")
    if seen.faces > 1:
        kinds.append("several-faces")
    # Twice in a row: one look away is nobody's business.
    if seen.fit and seen.faces == 0 and beside.faces == 0:
        kinds.append("no-face")
    return kinds
