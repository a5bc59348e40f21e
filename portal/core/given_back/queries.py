"""All SQL of giving time back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.credit import Credit, Outage, Span, Tried
from engine.protocol import Kind
from engine.timing import SittingClock
from portal.core.given_back.gather import Control, Pupil

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.core.db import Connection

# Minutes that the rule gives one attempt at the most; beyond it a sitting is stopped and goes on with the reserve form.
CAP_MIN = 30
WORK = [int(kind) for kind in (Kind.ANSWER, Kind.VIEW, Kind.MARK, Kind.UNMARK, Kind.REPORT, Kind.SECTION, Kind.FINISH)]
# An outage may be written down a little after the tries that it explains.
LATE_S = 60


class Sitting(msgspec.Struct, frozen=True):
    """A sitting whose row is locked."""

    id: int
    clock: SittingClock


class Grant(msgspec.Struct, frozen=True):
    """What an attempt had and what it is to have."""

    attempt: int
    leg: int
    before: Credit | None
    now: Credit


TO_WEIGH = f"""
    from tried t
    join sitting s on s.id = t.sitting_id and s.state = 'published' and s.demo_speed = 1
    where (t.weighed_at is null or exists (
        select 1
        from outage o
        where o.is_over and o.changed_at > now() - interval '{LATE_S} seconds' and o.changed_at > t.weighed_at
            and o.began_ms < t.until_ms and o.ended_ms > t.from_ms))
      -- While an outage goes on its end is not known.
      and not exists (select 1 from outage o
                      where not o.is_over and o.changed_at > now() - interval '{LATE_S} seconds'
                          and o.began_ms < t.until_ms and o.step = t.step)
"""


async def sittings_to_weigh(db: Connection) -> list[int]:
    """Sittings with tries that were not weighed against all outages that are known."""
    rows = await db.fetch(f"select distinct t.sitting_id {TO_WEIGH} order by 1")
    return [row["sitting_id"] for row in rows]


async def lock_sitting(db: Connection, sitting_id: int) -> Sitting:
    """The row lock orders this with everything else that makes controls."""
    row = await db.fetchrow(
        """
        select (extract(epoch from waiting_opens_at) * 1000)::bigint as waiting_opens_ms,
               (extract(epoch from starts_at) * 1000)::bigint as starts_ms,
               (extract(epoch from last_entry_at) * 1000)::bigint as last_entry_ms,
               (extract(epoch from ends_at) * 1000)::bigint as ends_ms, duration_s, grace_s
        from sitting
        where id = $1
        for no key update
        """,
        sitting_id,
    )
    assert row is not None
    return Sitting(sitting_id, SittingClock(**row))


async def attempts_to_weigh(db: Connection, sitting_id: int, limit: int) -> list[int]:
    """Called under the lock: what another worker weighed meanwhile is no longer among them."""
    rows = await db.fetch(
        f"select distinct t.attempt_id {TO_WEIGH} and t.sitting_id = $1 order by 1 limit $2", sitting_id, limit
    )
    return [row["attempt_id"] for row in rows]


async def cap_s(db: Connection) -> int:
    """The cap; the setting `credit_cap` (`{"minutes": 30}`) changes it."""
    minutes = await db.fetchval("select (value ->> 'minutes')::int from setting where name = 'credit_cap'")
    return 60 * (CAP_MIN if minutes is None else minutes)


async def pupils(db: Connection, sitting_id: int, attempts: list[int]) -> list[Pupil]:
    """The attempts and where they belong."""
    rows = await db.fetch(
        """
        select p.id as attempt, p.sitting_id as sitting, d.region_code as region, p.school_id as school,
               60 * p.extra_minutes as extra_s,
               (extract(epoch from a.started_at) * 1000)::bigint as started_ms,
               (extract(epoch from a.restarted_at) * 1000)::bigint as restarted_ms
        from participant p
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join attempt a on a.id = p.id
        where p.sitting_id = $1 and p.id = any($2::bigint[])
        order by p.id
        """,
        *(sitting_id, attempts),
    )
    return [Pupil(**row) for row in rows]


async def tried(db: Connection, attempts: list[int]) -> dict[int, list[Tried]]:
    """All tries of these attempts."""
    found: dict[int, list[Tried]] = {attempt: [] for attempt in attempts}
    for row in await db.fetch(
        "select attempt_id, step, from_ms, until_ms from tried where attempt_id = any($1::bigint[])", attempts
    ):
        found[row["attempt_id"]].append(Tried(step=row["step"], span=Span(row["from_ms"], row["until_ms"])))
    return found


async def outages(db: Connection, tries: Iterable[Tried]) -> list[Outage]:
    """Those that are over and lie in the time of these tries."""
    tries = list(tries)
    if not tries:
        return []
    rows = await db.fetch(
        """
        select id, step, began_ms, ended_ms
        from outage
        where is_over and ended_ms > $1 and began_ms < $2
        order by began_ms, id
        """,
        *(min(one.span.from_ms for one in tries), max(one.span.until_ms for one in tries)),
    )
    return [Outage(id=row["id"], step=row["step"], span=Span(row["began_ms"], row["ended_ms"])) for row in rows]


async def worked(db: Connection, sitting_id: int, attempts: list[int]) -> dict[int, list[int]]:
    """When each pupil did something, by the events' own time: signs that he was not kept out."""
    rows = await db.fetch(
        """
        select attempt_id, coalesce(anchor_ms + since_ms, received_ms) as at_ms
        from response_event
        where sitting_id = $1 and attempt_id = any($2::bigint[]) and kind = any($3::smallint[])
        """,
        *(sitting_id, attempts, WORK),
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["attempt_id"], []).append(row["at_ms"])
    return found


async def controls(db: Connection, sitting_id: int, attempts: list[int]) -> list[Control]:
    """What staff told: to the whole, to regions and schools, and to these attempts."""
    rows = await db.fetch(
        """
        select scope, scope_id, version, kind, body::text as body, made_at
        from control
        where sitting_id = $1 and kind <> 'credit' and (scope <> 'attempt' or scope_id = any($2::text[]))
        order by version
        """,
        *(sitting_id, [str(attempt) for attempt in attempts]),
    )
    return [Control(**row) for row in rows]


async def credits_of(db: Connection, attempts: list[int]) -> dict[tuple[int, int], Credit]:
    """(attempt, leg) → what it has."""
    rows = await db.fetch(
        """
        select attempt_id, leg, clock_s, entry_s, lost_s, by_hand_s, capped, parts
        from credit
        where attempt_id = any($1::bigint[])
        """,
        attempts,
    )
    return {
        (row["attempt_id"], row["leg"]): Credit(
            clock_s=row["clock_s"],
            entry_s=row["entry_s"],
            lost_s=row["lost_s"],
            by_hand_s=row["by_hand_s"],
            capped=row["capped"],
            parts={int(outage): ms for outage, ms in row["parts"].items()},
        )
        for row in rows
    }


async def give(db: Connection, sitting_id: int, grants: list[Grant]) -> None:
    """The controls, the page's rows and the audit, together; the sitting's row is locked."""
    if not grants:
        return
    newest = await db.fetchval(
        "update sitting set control_version = control_version + $2 where id = $1 returning control_version",
        *(sitting_id, len(grants)),
    )
    versions = list(range(newest - len(grants) + 1, newest + 1))
    attempts = [grant.attempt for grant in grants]
    bodies = [{"credit_s": grant.now.clock_s, "entry_s": grant.now.entry_s} for grant in grants]
    await db.execute(
        """
        insert into control (sitting_id, scope, scope_id, version, kind, body)
        select $1, 'attempt', g.attempt::text, g.version, 'credit', g.body
        from unnest($2::bigint[], $3::int[], $4::jsonb[]) as g (attempt, version, body)
        """,
        *(sitting_id, attempts, versions, bodies),
    )
    await db.execute(
        """
        insert into credit as c (attempt_id, leg, sitting_id, clock_s, entry_s, lost_s, by_hand_s, capped, parts, version)
        select g.attempt_id, g.leg, $1, g.clock_s, g.entry_s, g.lost_s, g.by_hand_s, g.capped, g.parts, g.version
        from unnest($2::bigint[], $3::smallint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::boolean[],
                    $9::jsonb[], $10::int[])
            as g (attempt_id, leg, clock_s, entry_s, lost_s, by_hand_s, capped, parts, version)
        on conflict (attempt_id, leg) do update
        set clock_s = excluded.clock_s, entry_s = excluded.entry_s, lost_s = excluded.lost_s,
            by_hand_s = excluded.by_hand_s, capped = excluded.capped, parts = excluded.parts,
            version = excluded.version, given_at = now()
        """,
        *(sitting_id, attempts, [grant.leg for grant in grants]),
        *([grant.now.clock_s for grant in grants], [grant.now.entry_s for grant in grants]),
        *([grant.now.lost_s for grant in grants], [grant.now.by_hand_s for grant in grants]),
        *([grant.now.capped for grant in grants], [_parts(grant.now) for grant in grants], versions),
    )
    # As portal.core.audit.record writes it, for many at once: the chain's lock is then held for one statement.
    await db.execute(
        """
        insert into audit (acting_as, address, act, object_kind, object_id, before, after, reason, previous_hash, hash)
        select 'rule', '-', 'control.credit.given', 'participant', g.attempt::text, g.before, g.after, '', '', ''
        from unnest($1::bigint[], $2::jsonb[], $3::jsonb[]) as g (attempt, before, after)
        order by g.attempt
        """,
        *(attempts, [_fact(grant.before) for grant in grants]),
        [
            _fact(grant.now) | {"sitting": sitting_id, "version": version}
            for grant, version in zip(grants, versions, strict=True)
        ],
    )


async def mark_weighed(db: Connection, attempts: list[int]) -> None:
    """These have been weighed against the outages known now.

    Two seconds back: an outage that was being written down while we read counts as newer, and is weighed once more.
    """
    await db.execute(
        "update tried set weighed_at = now() - interval '2 seconds' where attempt_id = any($1::bigint[])", attempts
    )


def _parts(credit: Credit) -> dict[str, int]:
    return {str(outage): ms for outage, ms in credit.parts.items()}


def _fact(credit: Credit | None) -> dict[str, object]:
    if credit is None:
        return {"credit_s": 0, "entry_s": 0}
    return {
        "credit_s": credit.clock_s,
        "entry_s": credit.entry_s,
        "lost_s": credit.lost_s,
        "given_by_persons_s": credit.by_hand_s,
        "capped": credit.capped,
        "outages_ms": _parts(credit),
    }
