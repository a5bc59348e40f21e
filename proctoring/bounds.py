"""How many events of one attempt are put down. The child hears nothing of it: nothing may stop a test (SAFETY R2)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from proctoring.metrics import LEFT_OUT

if TYPE_CHECKING:
    from infra.database import Db

    # Sitting, attempt, number, kind, when it happened, when it reached us, what else was said.
    Row = tuple[int, int, int, str, int, int, dict[str, object]]

# One every three seconds of a test of four hours: a restless child in poor light has some hundreds.
MOST_OF_ONE = 5_000


async def within(db: Db, rows: list[Row]) -> list[Row]:
    """Those that an attempt has room for, the first of each; the others are counted and let go.

    What the server saw stands beside it and takes no room. Two segments at once may go beyond by what is in one.
    """
    if not rows:
        return rows
    room = await _room(db, sorted({(row[1], row[0]) for row in rows}))
    kept: list[Row] = []
    left: Counter[tuple[int, int]] = Counter()
    for row in rows:
        if room[row[1]] > 0:
            room[row[1]] -= 1
            kept.append(row)
        else:
            left[row[1], row[0]] += 1
    if left:
        LEFT_OUT.add(left.total())
        # In the order of attempts, as everybody who touches several; a table of its own, for scores are locked later.
        await db.executemany(
            """
            insert into watch_flood as f (attempt_id, sitting_id, left_out) values ($1, $2, $3)
            on conflict (attempt_id) do update set left_out = f.left_out + excluded.left_out
            """,
            [(*whose, left[whose]) for whose in sorted(left)],
        )
    return kept


async def _room(db: Db, whose: list[tuple[int, int]]) -> dict[int, int]:
    found = await db.fetch(
        """
        select n.attempt, (
            select count(*)::int
            from (
                select
                from watch_event w
                where w.sitting_id = n.sitting and w.attempt_id = n.attempt and w.data ->> 'by' is distinct from 'server'
                limit $3) as told) as there
        from unnest($1::bigint[], $2::int[]) as n (attempt, sitting)
        """,
        *([attempt for attempt, _ in whose], [sitting for _, sitting in whose], MOST_OF_ONE),
    )
    return {row["attempt"]: MOST_OF_ONE - row["there"] for row in found}
