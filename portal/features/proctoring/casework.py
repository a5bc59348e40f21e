"""All SQL of a case: what was said, noted, chosen and decided of one attempt. Rows are added; nothing said is changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_, t

if TYPE_CHECKING:
    from portal.core.db import Connection


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt somebody found something in. `outcome`: the newest ruling, None while opinions are wanted."""

    attempt: int
    number: int
    sitting_id: int
    title: dict[str, str]
    why: str
    opened_by: str
    opened_at: datetime
    outcome: str | None
    ruled_at: datetime | None
    first_ruled_at: datetime | None
    appeal_days: int

    @property
    def appeal_until(self) -> datetime | None:
        """The last moment for an appeal: only a breach is appealed."""
        return self.first_ruled_at + timedelta(days=self.appeal_days) if self.first_ruled_at else None


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What held of the case from then on."""

    kind: str
    by_appeal: bool
    made_at: datetime


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a person who holds the case."""

    words: str
    by: str
    made_at: datetime


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with this attempt, of the audit trail."""

    act: str
    by: str | None
    at: datetime
    reason: str


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """At how many pictures of this attempt a person looked, and how often live; each page draws its pictures anew."""

    by: str
    pictures: int
    live: int
    first_at: datetime
    last_at: datetime

    @property
    def seen(self) -> str:
        """«Pictures: 20, looks live: 2»."""
        live = [t(N_("looks live: {count}"), count=self.live)] if self.live else []
        return ", ".join([t(N_("Pictures: {count}"), count=self.pictures), *live])


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of the case's evidence."""

    seq: int
    taken_ms: int
    kind: str


CASE = """
    select c.attempt_id as attempt, (c.attempt_id % 100000)::int as number, c.sitting_id, s.title, c.why,
           o.full_name as opened_by, c.opened_at, n.kind as outcome, n.made_at as ruled_at, f.made_at as first_ruled_at,
           coalesce(v.appeal_days, 10) as appeal_days
    from watch_case c
    join sitting s on s.id = c.sitting_id
    join staff o on o.id = c.opened_by
    left join sitting_review v on v.sitting_id = c.sitting_id
    left join lateral (
        select kind, made_at from watch_ruling r where r.attempt_id = c.attempt_id order by r.id desc limit 1) n on true
    left join lateral (
        select made_at from watch_ruling r where r.attempt_id = c.attempt_id order by r.id limit 1) f on true
"""


async def find(db: Connection, attempt: int) -> Case | None:
    """The case of an attempt."""
    row = await db.fetchrow(f"{CASE} where c.attempt_id = $1", attempt)
    return Case(**row) if row else None


async def rulings(db: Connection, attempt: int) -> list[Ruling]:
    """All of them, in order."""
    rows = await db.fetch(
        """
        select kind, appeal_id is not null as by_appeal, made_at from watch_ruling where attempt_id = $1 order by id
        """,
        attempt,
    )
    return [Ruling(**row) for row in rows]


async def notes(db: Connection, attempt: int) -> list[Note]:
    """In order."""
    rows = await db.fetch(
        """
        select n.words, s.full_name as by, n.made_at
        from watch_case_note n
        join staff s on s.id = n.made_by
        where n.attempt_id = $1
        order by n.id
        limit 200
        """,
        attempt,
    )
    return [Note(**row) for row in rows]


async def note(db: Connection, attempt: int, staff_id: int, words: str) -> None:
    """Add one."""
    await db.execute(
        "insert into watch_case_note (attempt_id, words, made_by) values ($1, $2, $3)", attempt, words, staff_id
    )


async def acts(db: Connection, attempt: int) -> list[Act]:
    """What was done with the attempt by staff, in order."""
    rows = await db.fetch(
        """
        select a.act, s.full_name as by, a.at, a.reason
        from audit a
        left join staff s on s.id = a.staff_id
        where a.object_kind = 'participant' and a.object_id = $1 and a.act like 'watch.%'
        order by a.id
        limit 200
        """,
        str(attempt),
    )
    return [Act(**row) for row in rows]


async def looks(db: Connection, attempt: int) -> list[Looks]:
    """Who looked, at how much, from when to when."""
    rows = await db.fetch(
        """
        select s.full_name as by, count(distinct l.seq) filter (where l.reason <> 'live')::int as pictures,
               count(*) filter (where l.reason = 'live')::int as live, min(l.at) as first_at, max(l.at) as last_at
        from watch_look l
        join staff s on s.id = l.staff_id
        where l.attempt_id = $1
        group by s.id
        order by min(l.id)
        limit 100
        """,
        attempt,
    )
    return [Looks(**row) for row in rows]


async def evidence(db: Connection, sitting_id: int, attempt: int) -> list[Chosen]:
    """The chosen pictures that are still there to be seen."""
    rows = await db.fetch(
        """
        select distinct on (e.taken_ms, e.seq) e.seq, e.taken_ms, p.kind
        from watch_evidence e
        join picture p on p.sitting_id = $1 and p.attempt_id = e.attempt_id and p.seq = e.seq and p.taken_ms = e.taken_ms
            and p.sealed_at is null
        where e.attempt_id = $2
        order by e.taken_ms, e.seq
        """,
        *(sitting_id, attempt),
    )
    return [Chosen(**row) for row in rows]


async def choose(db: Connection, sitting_id: int, attempt: int, seq: int, taken_ms: int, staff_id: int) -> bool:
    """Take a picture into the case, one that is there and not sealed; False: it is not, or was chosen before."""
    done = await db.execute(
        """
        insert into watch_evidence (attempt_id, seq, taken_ms, chosen_by)
        select $2, $3, $4, $5
        where exists (
            select from picture p
            where p.sitting_id = $1 and p.attempt_id = $2 and p.seq = $3 and p.taken_ms = $4 and p.sealed_at is null)
            and (select count(*) from watch_evidence where attempt_id = $2) < 60
        on conflict do nothing
        """,
        *(sitting_id, attempt, seq, taken_ms, staff_id),
    )
    return done == "INSERT 0 1"


async def drop(db: Connection, attempt: int, seq: int, taken_ms: int) -> bool:
    """Out of the case again."""
    done = await db.execute(
        "delete from watch_evidence where attempt_id = $1 and seq = $2 and taken_ms = $3", attempt, seq, taken_ms
    )
    return done == "DELETE 1"


async def open_case(db: Connection, sitting_id: int, attempt: int, staff_id: int) -> None:
    """By hand: holds the pictures like one that a verdict opened."""
    await db.execute("select open_watch_case($1, $2, 'opened', $3)", attempt, sitting_id, staff_id)


async def sealed_since(db: Connection, attempt: int, seqs: list[int], taken: list[int]) -> bool:
    """Whether one of these pictures should no longer be seen, or is erased."""
    return await db.fetchval(
        """
        select count(*) < cardinality($2::int[])
        from unnest($2::int[], $3::bigint[]) as n (seq, taken_ms)
        where exists (
            select from participant a
            join picture p on p.sitting_id = a.sitting_id and p.attempt_id = a.id and p.sealed_at is null
            where a.id = $1 and p.seq = n.seq and p.taken_ms = n.taken_ms)
        """,
        *(attempt, seqs, taken),
    )
