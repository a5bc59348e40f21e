"""All SQL of the proctors' rooms. A child's number is his attempt's within the sitting; nobody's name is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.features.proctoring.structs import Happened, Shot, Tile, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.db import Connection

# Who does not ask for so long has gone: his children are free.
GONE = "2 minutes"
MOST_HANDS = 200
TILE = """
    select h.attempt_id as attempt, (h.attempt_id % 100000)::int as number, coalesce(w.score, 0)::float as score,
           coalesce(w.reasons, '[]'::jsonb) as reasons, n.seq, n.taken_ms as fresh_ms,
           case when n.taken_ms is null or n.taken_ms < $2::bigint - 180000 then 'silent' else 'writing' end as state,
           h.fine_until, (
               select v.kind from watch_verdict v where v.attempt_id = h.attempt_id and v.made_by = h.staff_id) as verdict
    from watch_hand h
    left join watch_score w on w.attempt_id = h.attempt_id
    left join lateral (
        select p.seq, p.taken_ms
        from picture p
        where p.sitting_id = h.sitting_id and p.attempt_id = h.attempt_id and p.kind = 'snapshot' and p.sealed_at is null
        order by p.taken_ms desc
        limit 1) n on true
"""


async def watched(db: Connection, sitting_id: int) -> bool:
    """Whether the sitting is proctored."""
    return bool(await db.fetchval("select 1 from sitting_watch where sitting_id = $1", sitting_id))


async def take(db: Connection, sitting_id: int, staff_id: int, own_school: int | None, how_many: int) -> int:
    """Give him the riskiest children that nobody holds, none of his own district (SAFETY R4); how many he got."""
    await db.execute("delete from watch_hand where seen_at < now() - $1::text::interval", GONE)
    done = await db.execute(
        """
        with free as (
            select p.id
            from participant p
            left join watch_score w on w.attempt_id = p.id
            where p.sitting_id = $1
                and exists (select from picture x where x.sitting_id = $1 and x.attempt_id = p.id)
                and not exists (select from watch_hand h where h.attempt_id = p.id)
                and not exists (select from watch_verdict v where v.attempt_id = p.id and v.made_by = $2)
                and ($3::int is null or not exists (
                    select
                    from school own
                    join school his on his.id = p.school_id
                    where own.id = $3 and own.district_id = his.district_id))
            order by coalesce(w.score, 0) desc, p.id
            limit $4
            for no key update of p skip locked
        )
        insert into watch_hand (attempt_id, sitting_id, staff_id)
        select id, $1, $2 from free
        on conflict do nothing
        """,
        *(sitting_id, staff_id, own_school, how_many),
    )
    return int(done.rsplit(" ", 1)[1])


async def give_back(db: Connection, sitting_id: int, staff_id: int) -> None:
    """Shift ends: all of his children are free."""
    await db.execute("delete from watch_hand where sitting_id = $1 and staff_id = $2", sitting_id, staff_id)


async def still_here(db: Connection, sitting_id: int, staff_id: int) -> None:
    """He looks at the wall."""
    await db.execute(
        """
        update watch_hand set seen_at = now()
        where sitting_id = $1 and staff_id = $2 and seen_at < now() - interval '10 seconds'
        """,
        *(sitting_id, staff_id),
    )


async def tiles(db: Connection, sitting_id: int, staff_id: int, now_ms: int) -> list[Tile]:
    """His children, the riskiest first; those seen and found fine after all others until something new happens."""
    rows = await db.fetch(
        f"""
        {TILE}
        where h.sitting_id = $1 and h.staff_id = $3
        order by (h.fine_until is not null and h.fine_until > now()
                  and coalesce(w.last_event_ms, 0) < extract(epoch from h.fine_until - interval '10 minutes') * 1000),
                 score desc, attempt
        limit {MOST_HANDS}
        """,
        *(sitting_id, now_ms, staff_id),
    )
    return [Tile(**row) for row in rows]


async def free_children(db: Connection, sitting_id: int) -> int:
    """How many wait for somebody's eyes."""
    return await db.fetchval(
        """
        select count(*)
        from watch_score w
        where w.sitting_id = $1
            and not exists (select from watch_hand h where h.attempt_id = w.attempt_id)
            and not exists (select from watch_verdict v where v.attempt_id = w.attempt_id)
        """,
        sitting_id,
    )


async def holds(db: Connection, attempt: int, staff_id: int) -> int | None:
    """The sitting of a child in his hands."""
    return await db.fetchval(
        "select sitting_id from watch_hand where attempt_id = $1 and staff_id = $2", attempt, staff_id
    )


async def shots(db: Connection, sitting_id: int, attempt: int) -> list[Shot]:
    """His pictures in the order they were taken."""
    rows = await db.fetch(
        """
        select seq, kind, taken_ms, sealed_at is not null as sealed
        from picture
        where sitting_id = $1 and attempt_id = $2
        order by taken_ms, seq
        limit 1000
        """,
        *(sitting_id, attempt),
    )
    return [Shot(**row) for row in rows]


async def events(db: Connection, sitting_id: int, attempt: int) -> list[Happened]:
    """What happened, in order."""
    rows = await db.fetch(
        """
        select kind, at_ms, data
        from watch_event
        where sitting_id = $1 and attempt_id = $2
        order by at_ms, seq
        limit 1000
        """,
        *(sitting_id, attempt),
    )
    return [Happened(**row) for row in rows]


async def tile(db: Connection, attempt: int, staff_id: int, now_ms: int) -> Tile | None:
    """One of his children."""
    row = await db.fetchrow(f"{TILE} where h.attempt_id = $1 and h.staff_id = $3", attempt, now_ms, staff_id)
    return Tile(**row) if row else None


async def look(db: Connection, staff_id: int, sitting_id: int, attempt: int, seq: int) -> None:
    """A look at a picture, before it is shown."""
    await db.execute(
        "insert into watch_look (staff_id, attempt_id, sitting_id, seq) values ($1, $2, $3, $4)",
        *(staff_id, attempt, sitting_id, seq),
    )


async def set_fine(db: Connection, attempt: int, staff_id: int, until: datetime) -> None:
    """«Seen, fine» for some minutes."""
    await db.execute(
        "update watch_hand set fine_until = $3 where attempt_id = $1 and staff_id = $2", attempt, staff_id, until
    )


async def say(db: Connection, sitting_id: int, attempt: int, staff_id: int, kind: str, reason: str, words: str) -> bool:
    """His verdict, once; False if he said one before."""
    done = await db.fetchval(
        """
        insert into watch_verdict (attempt_id, sitting_id, kind, reason, words, made_by) values ($1, $2, $3, $4, $5, $6)
        on conflict (attempt_id, made_by) do nothing
        returning id
        """,
        *(attempt, sitting_id, kind, reason, words, staff_id),
    )
    return done is not None


async def verdicts(db: Connection, attempt: int, staff_id: int) -> list[Verdict]:
    """What was said of an attempt."""
    rows = await db.fetch(
        """
        select v.kind, v.reason, v.words, s.full_name as by, v.made_by = $2 as mine, v.made_at
        from watch_verdict v
        join staff s on s.id = v.made_by
        where v.attempt_id = $1
        order by v.id
        """,
        *(attempt, staff_id),
    )
    return [Verdict(**row) for row in rows]
