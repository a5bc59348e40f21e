"""All SQL of looking live at one child: what was asked before, and the row that both sides hear of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.features.proctoring import reaching

if TYPE_CHECKING:
    from portal.core.db import Connection

# A phone hears of it with the reply to its next picture; two may be missed.
WAITS_AT_LEAST_S = 90
# What a forwarder that is gone left open is over by itself.
GRACE = timedelta(seconds=15)


class LiveView(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch, as its own viewer may know it."""

    id: int
    sitting_id: int
    forwarder: str
    reason: str
    asked_at: datetime
    waits_until: datetime
    began_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    why: str | None

    def over(self, now: datetime) -> str | None:
        """Why it is over, if it is: also when whoever should have said so is gone."""
        if self.why is not None:
            return self.why
        return "lost" if now > (self.ends_at or self.waits_until) + GRACE else None


ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('watch_live'), $1)"
VIEW = "id, sitting_id, forwarder, reason, asked_at, waits_until, began_at, ends_at, ended_at, why"


async def allowed(db: Connection, attempt: int) -> bool:
    """Whether the consent to the camera holds."""
    return bool(await db.fetchval("select live_allowed($1)", attempt))


async def views(db: Connection, attempt: int, staff_id: int) -> list[LiveView]:
    """His own looks at this child, the newest first."""
    rows = await db.fetch(
        f"select {VIEW} from watch_live where attempt_id = $1 and staff_id = $2 order by id desc limit 20",
        *(attempt, staff_id),
    )
    return [LiveView(**row) for row in rows]


async def view(db: Connection, view_id: int, attempt: int, staff_id: int) -> LiveView | None:
    """One of his own."""
    row = await db.fetchrow(
        f"select {VIEW} from watch_live where id = $1 and attempt_id = $2 and staff_id = $3", view_id, attempt, staff_id
    )
    return LiveView(**row) if row else None


async def seen_lately(db: Connection, attempt: int, within: timedelta) -> bool:
    """Whether anybody looked live at this child not long ago."""
    return bool(
        await db.fetchval(
            "select exists (select from watch_live where attempt_id = $1 and began_at > now() - $2::interval)",
            *(attempt, within),
        )
    )


async def open_looks(db: Connection, staff_id: int, attempt: int) -> int:
    """At how many other children he looks or waits to; until the transaction ends he asks for no further one."""
    await db.execute(ONE_AT_A_TIME, staff_id)
    return await db.fetchval(
        """
        select count(*)
        from watch_live
        where staff_id = $1 and attempt_id <> $2 and ended_at is null
            and coalesce(ends_at, waits_until) + $3::interval > now()
        """,
        *(staff_id, attempt, GRACE),
    )


async def ask(
    db: Connection, *, sitting_id: int, attempt: int, staff_id: int, forwarder: str, reason: str
) -> int | None:
    """Ask for a look and count it as one; None while another is under way."""
    await db.execute(
        """
        update watch_live set ended_at = now(), why = 'lost'
        where attempt_id = $1 and ended_at is null and coalesce(ends_at, waits_until) + $2::interval < now()
        """,
        *(attempt, GRACE),
    )
    made = await db.fetchval(
        """
        insert into watch_live (attempt_id, sitting_id, staff_id, forwarder, reason, waits_until)
        select $1, $2, $3, $4, $5, now() + make_interval(secs => greatest($6, 2 * w.every_s + 30))
        from sitting_watch w
        where w.sitting_id = $2
        on conflict do nothing
        returning id
        """,
        *(attempt, sitting_id, staff_id, forwarder, reason, WAITS_AT_LEAST_S),
    )
    if made is not None:
        await reaching.look(db, staff_id, sitting_id, attempt, 0, "live")
    return made


async def end(db: Connection, view_id: int, attempt: int, staff_id: int) -> bool:
    """He ends it; False if it had ended."""
    done = await db.execute(
        """
        update watch_live set ended_at = now(), why = 'proctor'
        where id = $1 and attempt_id = $2 and staff_id = $3 and ended_at is null
        """,
        *(view_id, attempt, staff_id),
    )
    return done != "UPDATE 0"
