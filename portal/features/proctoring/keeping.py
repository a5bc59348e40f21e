"""All SQL of the terms of pictures: until when they are kept, what is held, what was erased and how that is proven."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

REASONS: dict[str, str] = {
    "asked": N_("two persons decided it"),
    "withdrawn": N_("the consent was withdrawn"),
    "term": N_("the term was over"),
}
HELD_FOR: dict[str, str] = {"case": N_("an open case"), "appeal": N_("an open appeal")}


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """Of the whole sitting."""

    keep_days: int
    until: datetime
    children: int
    pictures: int
    size_bytes: int


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What an open case or appeal keeps: the pictures of its own child."""

    attempt: int
    number: int
    reason: str
    held_at: datetime


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A mark, and the newest proof of it."""

    attempt: int | None
    number: int | None
    reason: str
    asked_by: str
    asked_at: datetime
    erased_at: datetime | None
    proven_at: datetime | None
    holds: bool | None
    report: dict[str, Any] | None


async def term(db: Connection, sitting_id: int) -> Term | None:
    """Until when and how much; None: the sitting is not proctored."""
    row = await db.fetchrow(
        """
        select w.keep_days,
               coalesce(s.ends_at, s.last_entry_at + make_interval(secs => s.duration_s)) + make_interval(days => w.keep_days)
                   as until,
               p.children, p.pictures, p.size_bytes
        from sitting_watch w
        join sitting s on s.id = w.sitting_id
        cross join lateral (
            select count(distinct attempt_id)::int as children, count(*)::int as pictures,
                   coalesce(sum(byte_length), 0)::bigint as size_bytes
            from picture where sitting_id = w.sitting_id) p
        where w.sitting_id = $1
        """,
        sitting_id,
    )
    return Term(**row) if row else None


async def holds(db: Connection, sitting_id: int, *, limit: int, offset: int) -> tuple[list[Hold], int]:
    """A page of what is held."""
    total = await db.fetchval(
        "select count(*) from picture_hold where sitting_id = $1 and released_at is null", sitting_id
    )
    rows = await db.fetch(
        """
        select attempt_id as attempt, (attempt_id % 100000)::int as number, reason, held_at
        from picture_hold
        where sitting_id = $1 and released_at is null
        order by id
        limit $2 offset $3
        """,
        *(sitting_id, limit, offset),
    )
    return [Hold(**row) for row in rows], total


async def erasures(db: Connection, sitting_id: int) -> list[Erasure]:
    """The newest two hundred, with what was proven of each."""
    rows = await db.fetch(
        """
        select e.attempt_id as attempt, (e.attempt_id % 100000)::int as number, e.reason, e.asked_by, e.asked_at, e.erased_at,
               q.checked_at as proven_at, q.holds, q.report
        from picture_erasure e
        left join lateral (
            select checked_at, holds, report
            from picture_proof q
            where q.sitting_id = e.sitting_id and q.attempt_id is not distinct from e.attempt_id and q.checked_at is not null
            order by q.id desc
            limit 1) q on true
        where e.sitting_id = $1
        order by e.id desc
        limit 200
        """,
        sitting_id,
    )
    return [Erasure(**row) for row in rows]


async def school_of(db: Connection, sitting_id: int, attempt: int, scope: Scope) -> int | None:
    """The school of a child of the sitting within a territory."""
    return await db.fetchval(
        """
        select p.school_id
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where p.id = $2 and p.sitting_id = $1 and ($3 or d.region_code = any($4) or p.school_id = any($5))
        """,
        *(sitting_id, attempt, *scope.parameters),
    )


async def state_of(db: Connection, sitting_id: int, attempt: int) -> tuple[int, bool, bool]:
    """How many pictures, whether they are held, whether they are marked to be erased."""
    row = await db.fetchrow(
        """
        select (select count(*)::int from picture where sitting_id = $1 and attempt_id = $2) as pictures,
               exists (select from picture_hold where attempt_id = $2 and released_at is null) as held,
               exists (
                   select from picture_erasure where sitting_id = $1 and coalesce(attempt_id, $2) = $2) as marked
        """,
        *(sitting_id, attempt),
    )
    assert row is not None
    return row["pictures"], row["held"], row["marked"]


async def mark(db: Connection, sitting_id: int, attempt: int, by: str) -> None:
    """From now on nothing of this child is taken or shown; the keys are gone within seconds."""
    await db.execute(
        """
        insert into picture_erasure (sitting_id, attempt_id, reason, asked_by) values ($1, $2, 'asked', $3)
        on conflict do nothing
        """,
        *(sitting_id, attempt, by),
    )


async def ask_proof(db: Connection, sitting_id: int, attempt: int | None, staff_id: int) -> bool:
    """Have it proven anew; False: nothing like that was erased, or it is being looked at."""
    done = await db.execute(
        """
        insert into picture_proof (sitting_id, attempt_id, asked_by)
        select $1, $2, $3
        where exists (select from picture_erasure where sitting_id = $1 and attempt_id is not distinct from $2)
            and not exists (
                select from picture_proof
                where sitting_id = $1 and attempt_id is not distinct from $2 and checked_at is null)
        """,
        *(sitting_id, attempt, staff_id),
    )
    return done == "INSERT 0 1"
