"""All SQL of the proctors' rooms. A child's number is his attempt's within the sitting; nobody's name is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.protocol import Kind
from portal.core.projects import project
from portal.features.proctoring.reaching import NOT_TIED
from portal.features.proctoring.structs import WEIGHING, Colleague, Happened, Said, Shot, Tile, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

# Who does not ask for so long has gone: his children are free.
GONE = "2 minutes"
MOST_HANDS = 200
# Colleagues in the form's list.
MOST_LISTED = 1000
# Whose clock stands still is the newest word of each scope; a finished attempt stands in none.
TILE = """
    with said as (
        select distinct on (scope, scope_id) scope, scope_id, kind
        from control
        where sitting_id = $1 and kind in ('pause', 'resume', 'restart')
        order by scope, scope_id, version desc
    )
    select h.attempt_id as attempt, (h.attempt_id % 100000)::int as number, coalesce(w.score, 0)::float as score,
           coalesce(w.reasons, '[]'::jsonb) as reasons, n.seq, n.taken_ms as fresh_ms, h.fine_until, e.incident_ms,
           case
               when a.finished_at is not null then 'finished'
               when exists (
                   select from said s
                   where s.kind = 'pause' and (
                       s.scope = 'sitting' or (s.scope = 'attempt' and s.scope_id = h.attempt_id::text)
                       or (s.scope = 'school' and s.scope_id = p.school_id::text)
                       or (s.scope = 'region' and s.scope_id = d.region_code))) then 'paused'
               when n.taken_ms is null or n.taken_ms < $2::bigint - 180000 then 'silent'
               else 'writing'
           end as state, (
               select v.kind from watch_verdict v where v.attempt_id = h.attempt_id and v.made_by = h.staff_id) as verdict
    from watch_hand h
    join participant p on p.id = h.attempt_id
    join school sc on sc.id = p.school_id
    join district d on d.id = sc.district_id
    left join attempt a on a.id = h.attempt_id
    left join watch_score w on w.attempt_id = h.attempt_id
    left join lateral (
        select x.seq, x.taken_ms
        from picture x
        where x.sitting_id = $1 and x.attempt_id = h.attempt_id and x.kind = 'snapshot' and x.sealed_at is null
            -- One that says it is of tomorrow would stand before all that come until then.
            and x.taken_ms <= $2::bigint + 60000
        order by x.taken_ms desc
        limit 1) n on true
    left join lateral (
        select max(x.received_ms) as incident_ms
        from watch_event x
        where x.sitting_id = $1 and x.attempt_id = h.attempt_id and x.kind = any($4)) e on true
    where h.sitting_id = $1 and h.staff_id = $3
"""
# A child's district is a person's own, whoever proposes the child.
NOT_OWN = """
    ({own}::int is null or not exists (
        select
        from school own
        join school his on his.id = p.school_id
        where own.id = {own} and own.district_id = his.district_id))
"""
# A child of a person's territory; `{first}` and the two after it are the scope's parameters.
WITHIN = """
    (${first} or exists (
        select
        from school his
        join district near on near.id = his.district_id
        where his.id = p.school_id and (near.region_code = any(${second}) or his.id = any(${third}))))
"""
# The same of somebody who is not here to ask: by his grants.
MAY_ACT = """
    exists (
        select
        from staff_grant g
        join role r on r.code = g.role and not r.raised
        join role_permission rp on rp.role = g.role and rp.permission = 'watch.act'
        join school his on his.id = p.school_id
        join district near on near.id = his.district_id
        where g.staff_id = $3 and g.ends_at > now() and g.asleep_at is null and (g.project is null or g.project = $5)
            and not g.own_pupils and g.class_name = ''
            and (num_nonnulls(g.region_code, g.district_id, g.school_id) = 0 or g.school_id = his.id
                 or (g.school_id is null and (g.district_id = near.id
                     or (g.district_id is null and g.region_code = near.region_code)))))
"""
# One person's hands are filled by one at a time.
ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('watch_hand'), $1)"


async def watched(db: Connection, sitting_id: int) -> bool:
    """Whether the sitting is proctored."""
    return bool(await db.fetchval("select 1 from sitting_watch where sitting_id = $1", sitting_id))


async def take(
    db: Connection, sitting_id: int, staff_id: int, scope: Scope, own_school: int | None, how_many: int
) -> int:
    """Give him the riskiest children of his territory that nobody holds, none of his own district (SAFETY R4, P2)."""
    await db.execute("delete from watch_hand where seen_at < now() - $1::text::interval", GONE)
    done = await db.execute(
        f"""
        with free as (
            select p.id
            from participant p
            left join watch_score w on w.attempt_id = p.id
            where p.sitting_id = $1
                and exists (select from picture x where x.sitting_id = $1 and x.attempt_id = p.id)
                and not exists (select from watch_hand h where h.attempt_id = p.id)
                and not exists (select from watch_verdict v where v.attempt_id = p.id and v.made_by = $2)
                and {NOT_OWN.format(own="$3")}
                and {NOT_TIED.format(staff="$2")}
                and {within(5)}
            order by coalesce(w.score, 0) desc, p.id
            limit $4
            for no key update of p skip locked
        )
        insert into watch_hand (attempt_id, sitting_id, staff_id)
        select id, $1, $2 from free
        on conflict do nothing
        """,
        *(sitting_id, staff_id, own_school, min(how_many, await room_in(db, staff_id)), *scope.parameters),
    )
    return int(done.rsplit(" ", 1)[1])


def within(first: int) -> str:
    """The condition on `p`, with the scope's parameters from this number on."""
    return WITHIN.format(first=first, second=first + 1, third=first + 2)


async def room_in(db: Connection, staff_id: int) -> int:
    """How many more children his hands take; until the transaction ends nobody else fills them."""
    await db.execute(ONE_AT_A_TIME, staff_id)
    return max(0, MOST_HANDS - await db.fetchval("select count(*) from watch_hand where staff_id = $1", staff_id))


async def colleagues(db: Connection, sitting_id: int, staff_id: int, only: int | None = None) -> list[Colleague]:
    """On shift: seen in the last ten minutes, and may do what a proctor does to children of this sitting.

    The first by name for the list of the form; `only` asks for one person, wherever his name would stand.
    """
    rows = await db.fetch(
        """
        select s.id, s.full_name as name
        from staff s
        where s.id <> $2 and s.disabled_at is null and ($4::int is null or s.id = $4)
            and exists (
                select from staff_session n
                where n.staff_id = s.id and n.seen_at > now() - interval '10 minutes' and n.ends_at > now())
            and exists (
                select
                from staff_grant g
                join role r on r.code = g.role and not r.raised
                join role_permission rp on rp.role = g.role and rp.permission = 'watch.act'
                where g.staff_id = s.id and g.ends_at > now() and g.asleep_at is null
                    and (g.project is null or g.project = $3)
                    and (num_nonnulls(g.region_code, g.district_id, g.school_id) = 0 or exists (
                        select
                        from sitting_region sr
                        left join district d on d.region_code = sr.region_code
                        left join school sc on sc.district_id = d.id
                        where sr.sitting_id = $1
                            and (sc.id = g.school_id
                                 or (g.school_id is null and (d.id = g.district_id
                                     or (g.district_id is null and sr.region_code = g.region_code)))))))
        order by kk(s.full_name), s.id
        limit $5
        """,
        *(sitting_id, staff_id, project(), only, MOST_LISTED),
    )
    return [Colleague(**row) for row in rows]


async def hand_over(db: Connection, sitting_id: int, staff_id: int, to: int) -> int:
    """His children into a colleague's hands, the riskiest first; how many went.

    As many as these take, of the colleague's territory and none of his own district, none of whom he has said a verdict.
    """
    done = await db.execute(
        f"""
        with going as (
            select h.attempt_id
            from watch_hand h
            join participant p on p.id = h.attempt_id
            left join watch_score w on w.attempt_id = h.attempt_id
            where h.sitting_id = $1 and h.staff_id = $2
                and not exists (select from watch_verdict v where v.attempt_id = h.attempt_id and v.made_by = $3)
                and {NOT_OWN.format(own="(select own_school_id from staff where id = $3)")}
                and {NOT_TIED.format(staff="$3")}
                and {MAY_ACT}
            order by coalesce(w.score, 0) desc, h.attempt_id
            limit $4
            for update of h
        )
        update watch_hand set staff_id = $3, taken_at = now(), seen_at = now()
        where attempt_id in (select attempt_id from going)
        """,
        *(sitting_id, staff_id, to, await room_in(db, to), project()),
    )
    return int(done.rsplit(" ", 1)[1])


async def held(db: Connection, sitting_id: int, staff_id: int) -> int:
    """How many of a sitting are in his hands."""
    return await db.fetchval(
        "select count(*) from watch_hand where sitting_id = $1 and staff_id = $2", sitting_id, staff_id
    )


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
    rows = await db.fetch(TILE, sitting_id, now_ms, staff_id, WEIGHING)
    found = [Tile(**row) for row in rows]
    return sorted(found, key=lambda one: (one.fine(now_ms), -one.score, one.attempt))


async def free_children(db: Connection, sitting_id: int, scope: Scope) -> int:
    """How many of a territory wait for somebody's eyes."""
    return await db.fetchval(
        f"""
        select count(*)
        from watch_score w
        join participant p on p.id = w.attempt_id
        where w.sitting_id = $1
            and {within(2)}
            and not exists (select from watch_hand h where h.attempt_id = w.attempt_id)
            and not exists (select from watch_verdict v where v.attempt_id = w.attempt_id)
        """,
        *(sitting_id, *scope.parameters),
    )


async def holds(db: Connection, attempt: int, staff_id: int, scope: Scope) -> int | None:
    """The sitting of a child in his hands, as long as it is of his territory: grants end while hands are full."""
    return await db.fetchval(
        f"""
        select h.sitting_id
        from watch_hand h
        join participant p on p.id = h.attempt_id
        where h.attempt_id = $1 and h.staff_id = $2 and {within(3)} and {NOT_TIED.format(staff="$2")}
        """,
        *(attempt, staff_id, *scope.parameters),
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


async def events(db: Connection, sitting_id: int, attempt: int, most: int = 1000) -> list[Happened]:
    """What happened, in order; of too much some of each kind, and of what the server saw, so that a flood hides nothing."""
    rows = await db.fetch(
        """
        select kind, at_ms, data
        from (
            select kind, at_ms, seq, data,
                   row_number() over (partition by kind, data ->> 'by' = 'server' order by at_ms, seq) as nth
            from watch_event
            where sitting_id = $1 and attempt_id = $2
            order by nth
            limit $3) as told
        order by at_ms, seq
        """,
        *(sitting_id, attempt, most),
    )
    return [Happened(**row) for row in rows]


async def left_out(db: Connection, attempt: int) -> int:
    """How many events of his were not kept, for more came than are kept of one attempt."""
    return await db.fetchval("select left_out from watch_flood where attempt_id = $1", attempt) or 0


async def tile(db: Connection, sitting_id: int, attempt: int, staff_id: int, now_ms: int) -> Tile | None:
    """One of his children."""
    row = await db.fetchrow(f"{TILE} and h.attempt_id = $5", sitting_id, now_ms, staff_id, WEIGHING, attempt)
    return Tile(**row) if row else None


async def rhythm(db: Connection, sitting_id: int, attempt: int) -> list[tuple[int, int]]:
    """(half minute, how many answers were given in it): when a child answers, never what.

    By the time of the device, which the signed times of the server anchor; by that of receipt where they do not.
    """
    rows = await db.fetch(
        """
        select coalesce(anchor_ms + since_ms, received_ms) / 30000 * 30000 as from_ms, count(*)::int as answers
        from response_event
        where sitting_id = $1 and attempt_id = $2 and kind = $3
        group by 1
        order by 1
        limit 2000
        """,
        *(sitting_id, attempt, int(Kind.ANSWER)),
    )
    return [(row["from_ms"], row["answers"]) for row in rows]


async def set_fine(db: Connection, attempt: int, staff_id: int, until: datetime) -> None:
    """«Seen, fine» for some minutes."""
    await db.execute(
        "update watch_hand set fine_until = $3 where attempt_id = $1 and staff_id = $2", attempt, staff_id, until
    )


async def say(
    db: Connection, sitting_id: int, attempt: int, staff_id: int, kind: str, reason: str, words: str
) -> int | None:
    """His verdict, once; None if he said one before."""
    return await db.fetchval(
        """
        insert into watch_verdict (attempt_id, sitting_id, kind, reason, words, made_by) values ($1, $2, $3, $4, $5, $6)
        on conflict (attempt_id, made_by) do nothing
        returning id
        """,
        *(attempt, sitting_id, kind, reason, words, staff_id),
    )


async def said_by(db: Connection, sitting_id: int, staff_id: int) -> list[Said]:
    """His newest verdicts of a sitting and what became of them."""
    rows = await db.fetch(
        """
        select (v.attempt_id % 100000)::int as number, v.kind, v.made_at, r.kind as outcome,
               c.attempt_id is not null as case
        from watch_verdict v
        left join watch_case c on c.attempt_id = v.attempt_id
        left join lateral (
            select kind from watch_ruling where attempt_id = v.attempt_id order by id desc limit 1) r on true
        where v.sitting_id = $1 and v.made_by = $2
        order by v.id desc
        limit 100
        """,
        *(sitting_id, staff_id),
    )
    return [Said(**row) for row in rows]


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
