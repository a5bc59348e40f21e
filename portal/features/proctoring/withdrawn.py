"""What the purpose «camera» feeds (SAFETY P6, R1): no picture is taken or looked at any more, and those there are go.

The ingest hears of a withdrawal by itself, within two seconds; here the child leaves every proctor's hands at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.consents import Line, feeds
from portal.core.i18n import N_

if TYPE_CHECKING:
    from asyncpg import Record

    from portal.core.db import Connection

OFF_WALLS = N_("Off the proctors' walls, and no picture is taken any more: {sitting}")
ERASED = N_("Pictures of the camera, events and the score of risk are erased: {sitting}")
HELD = N_("An open case holds pictures of the camera; they are erased when it is over: {sitting}")


async def stop(db: Connection, person_id: int) -> list[Line]:
    """Out of the hands of proctors and reviewers."""
    rows = await _watched(db, person_id)
    attempts = [row["attempt"] for row in rows]
    await db.execute("delete from watch_hand where attempt_id = any($1::bigint[])", attempts)
    await db.execute("delete from watch_review_hand where attempt_id = any($1::bigint[])", attempts)
    return [Line(OFF_WALLS, {"sitting": row["title"]}) for row in rows]


async def erase(db: Connection, person_id: int) -> list[Line]:
    """A mark for each attempt that has pictures; proctoring carries it out within seconds, or when the case is over."""
    lines: list[Line] = []
    for row in await _watched(db, person_id):
        await db.execute(
            """
            insert into picture_erasure (sitting_id, attempt_id, reason) values ($1, $2, 'withdrawn')
            on conflict do nothing
            """,
            *(row["sitting_id"], row["attempt"]),
        )
        lines.append(Line(HELD if row["held"] else ERASED, {"sitting": row["title"]}))
    return lines


async def _watched(db: Connection, person_id: int) -> list[Record]:
    return await db.fetch(
        """
        select p.id as attempt, p.sitting_id, s.title, exists (
            select from picture_hold h where h.attempt_id = p.id and h.released_at is null) as held
        from participant p
        join sitting s on s.id = p.sitting_id
        join sitting_watch w on w.sitting_id = p.sitting_id
        where p.person_id = $1 and (
            exists (select from watch_score o where o.attempt_id = p.id)
            or exists (select from picture x where x.sitting_id = p.sitting_id and x.attempt_id = p.id)
            or exists (select from picture_erasure e where e.sitting_id = p.sitting_id and e.attempt_id = p.id))
        order by p.id
        """,
        person_id,
    )


feeds("camera", stop=stop, erase=erase)
