"""All SQL of reviews. Each runs within `portal.core.cards` or `portal.core.scope`, else it sees nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.problems import NotThere
from portal.core.territory import NAME
from portal.features.reviews.structs import KINDS, Reviewed, Shown, Waiting

if TYPE_CHECKING:
    from portal.core.db import Connection

FULL_NAME = "concat_ws(' ', {0}.last_name, {0}.first_name)"
WAITING = f"""
    select r.id, r.author_id, {FULL_NAME.format("w")} as author, r.about_id, {FULL_NAME.format("a")} as about, r.kind,
           {NAME.format("p")} as project, r.period, r.stars, r.body, r.state, r.reason, r.changed_at
    from review r
    join person w on w.id = r.author_id
    join person a on a.id = r.about_id
    join project p on p.code = r.project
"""


async def shown(db: Connection, about_id: int) -> list[Shown]:
    """What was approved about a person, newest first."""
    rows = await db.fetch(
        f"""
        select r.id, r.kind, {NAME.format("p")} as project, r.period, r.stars, r.body, r.author
        from reviews_of($1) r
        join project p on p.code = r.project
        order by r.period desc, r.id desc
        """,
        about_id,
    )
    return [Shown(**row) for row in rows]


async def reviewable(db: Connection, author_id: int, period: str) -> list[Reviewed]:
    """Who teaches this person now, as he himself is told; with his review of this half-year."""
    rows = await db.fetch(
        f"""
        select n.id as tie_id, n.person_id as about_id, n.name, n.kind, n.project as project_code,
               {NAME.format("p")} as project, r.stars, coalesce(r.body, '') as body, r.state, coalesce(r.reason, '') as reason
        from tie_names($1) n
        join project p on p.code = n.project
        left join review r on r.author_id = $1 and r.about_id = n.person_id and r.project = n.project and r.period = $2
        where not n.holds and n.kind = any ($3::text[]) and n.ended_at is null and tie_holds(n.since, n.until)
        order by n.name, n.id
        """,
        *(author_id, period, list(KINDS)),
    )
    return [Reviewed(**row) for row in rows]


async def write(db: Connection, author_id: int, about: Reviewed, period: str, stars: int, body: str) -> None:
    """One a project and half-year; written again it waits again."""
    await db.execute(
        """
        insert into review (author_id, about_id, kind, project, period, stars, body)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (author_id, about_id, project, period) do update
        set stars = excluded.stars, body = excluded.body, kind = excluded.kind, state = 'waits', reason = '',
            decided_by = null, decided_at = null, changed_at = now()
        """,
        *(author_id, about.about_id, about.kind, about.project_code, period, stars, body),
    )


async def of_state(db: Connection, state: str, limit: int, offset: int) -> tuple[list[Waiting], int]:
    """The moderator's list, those who wait longest first."""
    total = await db.fetchval("select count(*) from review where state = $1", state)
    order = "r.changed_at, r.id" if state == "waits" else "r.decided_at desc, r.id desc"
    rows = await db.fetch(f"{WAITING} where r.state = $1 order by {order} limit $2 offset $3", *(state, limit, offset))
    return [Waiting(**row) for row in rows], total


async def find(db: Connection, review_id: int) -> Waiting:
    """One review within the territory."""
    await db.fetchval("select id from review where id = $1 for no key update", review_id)
    row = await db.fetchrow(f"{WAITING} where r.id = $1", review_id)
    if row is None:
        raise NotThere
    return Waiting(**row)


async def decide(db: Connection, review_id: int, state: str, reason: str, staff_id: int) -> None:
    """Show it, or do not."""
    await db.execute(
        "update review set state = $2, reason = $3, decided_by = $4, decided_at = now() where id = $1",
        *(review_id, state, reason, staff_id),
    )
