"""SQL of what proctors do to a child: warnings, pauses, what became of them, and words that are to be sampled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from engine.protocol import Kind
from portal.core.i18n import LANGUAGES
from portal.features.proctoring.queries import within
from portal.features.proctoring.structs import Asked, Deed, Phones, Words

if TYPE_CHECKING:
    from portal.core.accounts.structs import Scope
    from portal.core.db import Connection

# A pause that its proctor forgot ends after this.
LONGEST_PAUSE = timedelta(minutes=10)


class OpenPause(msgspec.Struct, frozen=True):
    """A pause that nobody ended."""

    id: int
    attempt_id: int
    sitting_id: int
    made_by: int
    project: str


async def keep(
    db: Connection,
    sitting_id: int,
    attempt: int,
    staff_id: int,
    *,
    kind: str,
    version: int,
    sentence: str = "",
    words: str = "",
) -> None:
    """A warning or a pause, beside its control."""
    await db.execute(
        """
        insert into watch_act (attempt_id, sitting_id, kind, version, sentence, words, made_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        *(attempt, sitting_id, kind, version, sentence, words, staff_id),
    )


async def pause_over(db: Connection, attempt: int) -> None:
    """The clock goes on."""
    await db.execute(
        "update watch_act set over_at = now() where attempt_id = $1 and kind = 'pause' and over_at is null", attempt
    )


async def forgotten(db: Connection) -> OpenPause | None:
    """The oldest pause that is over by rule; no other worker takes it meanwhile."""
    row = await db.fetchrow(
        """
        select a.id, a.attempt_id, a.sitting_id, a.made_by, s.project
        from watch_act a
        join sitting s on s.id = a.sitting_id
        where a.kind = 'pause' and a.over_at is null and a.made_at < now() - $1::interval
        order by a.made_at
        limit 1
        for update of a skip locked
        """,
        LONGEST_PAUSE,
    )
    return OpenPause(**row) if row else None


async def of_child(db: Connection, sitting_id: int, attempt: int) -> list[Deed]:
    """What was ordered for this child alone, the newest first, and how far each came."""
    rows = await db.fetch(
        """
        select c.version, c.kind, c.body, s.full_name as by, c.made_at, c.relayed_at, n.seen_ms,
               coalesce(p.reason, '') as reason, o.full_name as asked_by
        from control c
        left join staff s on s.id = c.made_by
        -- What two persons did was written in one transaction with their act.
        left join pending_act p on p.sitting_id = c.sitting_id and p.state = 'done' and p.decided_at = c.made_at
            and p.payload ->> 'kind' = c.kind and p.payload ->> 'scope' = 'attempt' and p.payload ->> 'scope_id' = c.scope_id
        left join staff o on o.id = p.made_by
        left join control_seen n on n.attempt_id = $3 and n.version = c.version
        where c.sitting_id = $1 and c.scope = 'attempt' and c.scope_id = $2 and c.kind <> 'credit'
        order by c.version desc
        limit 30
        """,
        *(sitting_id, str(attempt), attempt),
    )
    return [Deed(**row) for row in rows]


async def language_of(db: Connection, sitting_id: int, attempt: int) -> str:
    """In which language to speak to a child: that which it chose last, else that of the registry."""
    chosen = await db.fetchval(
        """
        select value
        from response_event
        where sitting_id = $1 and attempt_id = $2 and kind = $3 and value = any($4::text[])
        order by received_ms desc, seq desc
        limit 1
        """,
        *(sitting_id, attempt, int(Kind.LANGUAGE), [f'"{language}"' for language in LANGUAGES]),
    )
    if chosen:
        return chosen.strip('"')
    return await db.fetchval("select language from participant where id = $1", attempt)


async def warned_lately(db: Connection, attempt: int) -> int:
    """How many warnings this child got in the last ten minutes."""
    return await db.fetchval(
        "select count(*) from watch_act where attempt_id = $1 and kind = 'warn' and made_at > now() - interval '10 minutes'",
        attempt,
    )


async def phones(db: Connection, attempt: int) -> Phones:
    """Whom to call. The school's name stays out: a proctor knows children by number."""
    row = await db.fetchrow(
        """
        select s.help_name, s.help_phone, sc.contact_name, sc.contact_phone, r.name as room
        from participant p
        join sitting s on s.id = p.sitting_id
        join school sc on sc.id = p.school_id
        left join room r on r.id = p.room_id
        where p.id = $1
        """,
        attempt,
    )
    assert row is not None
    return Phones(**row)


async def words(db: Connection, sitting_id: int, scope: Scope, *, limit: int, offset: int) -> tuple[list[Words], int]:
    """Own words to children of a territory: those that nobody sampled first."""
    known = (sitting_id, *scope.parameters)
    total = await db.fetchval(
        f"""
        select count(*)
        from watch_act a
        join participant p on p.id = a.attempt_id
        where a.sitting_id = $1 and a.words <> '' and {within(2)}
        """,
        *known,
    )
    rows = await db.fetch(
        f"""
        select a.id, (a.attempt_id % 100000)::int as number, a.words, s.full_name as by, a.made_by, a.made_at, a.sampled,
               o.full_name as sampled_by
        from watch_act a
        join staff s on s.id = a.made_by
        left join staff o on o.id = a.sampled_by
        join participant p on p.id = a.attempt_id
        where a.sitting_id = $1 and a.words <> '' and {within(2)}
        order by a.sampled is not null, a.id desc
        limit $5 offset $6
        """,
        *(*known, limit, offset),
    )
    return [Words(**row) for row in rows], total


async def sample(db: Connection, sitting_id: int, scope: Scope, act_id: int, staff_id: int, said: str) -> bool:
    """What a second person says of them, once; False: his own, beyond his territory, another sitting's, or said before."""
    done = await db.fetchval(
        f"""
        update watch_act a set sampled = $4, sampled_by = $3, sampled_at = now()
        from participant p
        where a.id = $2 and a.sitting_id = $1 and a.words <> '' and a.sampled is null and a.made_by <> $3
            and p.id = a.attempt_id and {within(5)}
        returning a.id
        """,
        *(sitting_id, act_id, staff_id, said, *scope.parameters),
    )
    return done is not None


async def waiting(db: Connection, sitting_id: int, attempt: int) -> list[Asked]:
    """What was asked for this child and waits for a second person."""
    rows = await db.fetch(
        """
        select p.payload ->> 'kind' as kind, p.payload -> 'body' as body, p.reason, s.full_name as by, p.made_at
        from pending_act p
        left join staff s on s.id = p.made_by
        where p.sitting_id = $1 and p.state = 'waits' and p.payload ->> 'scope' = 'attempt'
            and p.payload ->> 'scope_id' = $2
        order by p.id
        """,
        *(sitting_id, str(attempt)),
    )
    return [Asked(**row) for row in rows]


async def handed_in(db: Connection, attempt: int) -> bool:
    """Whether the attempt is over: by the child, by its time, or by staff; and was not taken back."""
    return bool(await db.fetchval("select 1 from attempt where id = $1 and finished_at is not null", attempt))
