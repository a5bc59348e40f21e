"""All SQL of waivers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.projects import project

if TYPE_CHECKING:
    from portal.core.db import Connection


class PastWaiver(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver with how many acts were done under it."""

    id: int
    reason: str
    asked_by: int
    agreed_by: int
    asked_by_name: str
    agreed_by_name: str
    began_at: datetime
    ends_at: datetime
    ended_by_name: str | None
    acts: int


class WaivedAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act that one person did, and who has looked at it."""

    id: int
    waiver_id: int
    act: str
    sitting_id: int | None
    sitting_title: dict[str, str] | None
    before: list[tuple[str, Any]]
    after: list[tuple[str, Any]]
    reason: str
    made_by: int
    made_by_name: str
    made_at: datetime
    asked_by: int
    agreed_by: int
    reviewers: list[int]
    reviewer_names: list[str]


async def insert_waiver(db: Connection, reason: str, asked_by: int, agreed_by: int) -> int | None:
    """Half an hour from now; None if one is in force. Two pairs at once are ordered by the lock."""
    await db.execute("select pg_advisory_xact_lock(hashtext('waiver'))")
    return await db.fetchval(
        """
        insert into waiver (project, reason, asked_by, agreed_by, began_at, ends_at)
        select $1, $2, $3, $4, now(), now() + interval '30 minutes'
        where not exists (select 1 from waiver where project = $1 and ends_at > now())
        returning id
        """,
        *(project(), reason, asked_by, agreed_by),
    )


async def end_waiver(db: Connection, staff_id: int) -> int | None:
    """End the one in force now; only its pair may."""
    return await db.fetchval(
        """
        update waiver
        set ends_at = now(), ended_by = $2
        where project = $1 and ends_at > now() and $2 in (asked_by, agreed_by)
        returning id
        """,
        *(project(), staff_id),
    )


async def waivers(db: Connection) -> list[PastWaiver]:
    """The newest first."""
    rows = await db.fetch(
        """
        select w.id, w.reason, w.asked_by, w.agreed_by, a.full_name as asked_by_name, b.full_name as agreed_by_name,
               w.began_at, w.ends_at, e.full_name as ended_by_name,
               (select count(*) from pending_act p where p.waiver_id = w.id) as acts
        from waiver w
        join staff a on a.id = w.asked_by
        join staff b on b.id = w.agreed_by
        left join staff e on e.id = w.ended_by
        where w.project = $1
        order by w.id desc
        limit 50
        """,
        project(),
    )
    return [PastWaiver(**row) for row in rows]


ACTS = """
    select p.id, p.waiver_id, p.act, p.sitting_id, s.title as sitting_title, p.before, p.after, p.reason, p.made_by,
           m.full_name as made_by_name, p.made_at, w.asked_by, w.agreed_by,
           array(select reviewed_by from waived_review r where r.act_id = p.id order by r.reviewed_at, r.reviewed_by)
               as reviewers,
           array(select f.full_name from waived_review r join staff f on f.id = r.reviewed_by
                 where r.act_id = p.id order by r.reviewed_at, r.reviewed_by) as reviewer_names
    from pending_act p
    join waiver w on w.id = p.waiver_id
    join staff m on m.id = p.made_by
    left join sitting s on s.id = p.sitting_id
"""


async def waived_acts(db: Connection) -> list[WaivedAct]:
    """Those with the fewest reviews first, then the newest."""
    rows = await db.fetch(
        f"""
        {ACTS}
        where w.project = $1
        order by (select count(*) from waived_review r where r.act_id = p.id), p.id desc
        limit 100
        """,
        project(),
    )
    return [WaivedAct(**row) for row in rows]


async def waived_act(db: Connection, act_id: int) -> WaivedAct | None:
    """One of them."""
    row = await db.fetchrow(f"{ACTS} where w.project = $1 and p.id = $2", project(), act_id)
    return WaivedAct(**row) if row else None


async def review(db: Connection, act_id: int, staff_id: int, note: str) -> bool:
    """This person has looked at it; False if he had before."""
    done = await db.fetchval(
        """
        insert into waived_review (act_id, reviewed_by, note)
        values ($1, $2, $3)
        on conflict do nothing
        returning act_id
        """,
        *(act_id, staff_id, note),
    )
    return done is not None
