"""All SQL of the review: which attempts need another pair of eyes, and whose turn they are. No name is read here either."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core.i18n import N_
from portal.features.proctoring import queries
from portal.features.proctoring.queries import GONE
from portal.features.proctoring.reaching import IN_HAND, NOT_TIED
from portal.features.proctoring.structs import flood_line, why_lines

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor, Scope
    from portal.core.db import Connection

# In the order of the queue.
STATES: dict[str, str] = {
    "disagree": N_("opinions differ"),
    "breach": N_("a breach by one"),
    "unclear": N_("unclear to one"),
    "sample": N_("drawn by lot"),
    "settled": N_("settled"),
    "fine": N_("in order by one"),
}
WAITING = ["disagree", "breach", "unclear", "sample"]
DEVICES: dict[str, str] = {
    "phone": N_("Android phone"),
    "iphone": N_("iPhone"),
    "tablet": N_("tablet"),
    "computer": N_("computer"),
    "unknown": N_("unknown"),
}
SORTS = {
    # What the one verdict says is told by no order either.
    "queue": f"array_position(array{[*STATES]}, case when state = 'unclear' and not mine then 'breach' else state end), "
    "score desc, attempt",
    "score": "score, attempt",
    "-score": "score desc, attempt",
    "last": "last_at nulls first, attempt",
    "-last": "last_at desc nulls last, attempt",
    "number": "number, attempt",
    "-number": "number desc, attempt",
}
# $1 the sitting, $2–$4 the territory, $5 the reader: nobody stands in his list, his counts or his file whom he may not open
# (reaching.reach). Who is in the sample follows from seed and attempt alone.
ROWS = f"""
    with how as (
        select sample_percent as percent, seed from sitting_review where sitting_id = $1
    ), said as (
        select attempt_id, count(*)::int as opinions, count(*) filter (where kind = 'breach')::int as breach,
               count(*) filter (where kind = 'unclear')::int as unclear, max(made_at) as last_at,
               bool_or(made_by = $5) as mine
        from watch_verdict
        where sitting_id = $1
        group by attempt_id
    ), drawn as (
        select w.attempt_id
        from watch_score w, how
        where w.sitting_id = $1 and w.last_picture_ms is not null
            and ('x' || substr(md5(how.seed || ':' || w.attempt_id), 1, 8))::bit(32)::bigint
                < how.percent / 100.0 * 4294967296
    ), known as (
        select attempt_id from said
        union select attempt_id from drawn
        union select attempt_id from watch_case where sitting_id = $1
    ), found as (
        select k.attempt_id as attempt, (k.attempt_id % 100000)::int as number, coalesce(w.score, 0)::float as score,
               coalesce(s.opinions, 0) as opinions, s.last_at, coalesce(s.mine, false) as mine, r.kind as outcome,
               a.state as appeal, p.school_id, d.region_code as region,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               case when v.agent is null or v.agent = '' then 'unknown'
                    when v.agent like '%iPad%' or (v.agent like '%Android%' and v.agent not like '%Mobile%') then 'tablet'
                    when v.agent like '%iPhone%' then 'iphone'
                    when v.agent like '%Android%' then 'phone'
                    else 'computer' end as device,
               case when r.kind is not null then 'settled'
                    when c.attempt_id is not null and s.opinions >= 2 then 'disagree'
                    when c.attempt_id is not null and s.breach = 1 then 'breach'
                    when c.attempt_id is not null then 'unclear'
                    when s.attempt_id is null then 'sample'
                    else 'fine' end as state
        from known k
        join participant p on p.id = k.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        left join watch_score w on w.attempt_id = k.attempt_id
        left join said s on s.attempt_id = k.attempt_id
        left join watch_case c on c.attempt_id = k.attempt_id
        left join lateral (
            select kind from watch_ruling where attempt_id = k.attempt_id order by id desc limit 1) r on true
        left join lateral (
            select state from watch_appeal where attempt_id = k.attempt_id order by id desc limit 1) a on true
        left join lateral (
            select agent from attempt_device where attempt_id = k.attempt_id order by epoch desc limit 1) v on true
        where ($2 or d.region_code = any($3) or p.school_id = any($4)) and {NOT_TIED.format(staff="$5")}
            and not exists (
                select
                from staff me
                join school own on own.id = me.own_school_id
                where me.id = $5 and own.district_id = sc.district_id)
    )
"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the list: here, unlike on the wall, also by school and region."""

    state: str = ""
    region: str = ""
    school: int | None = None
    event: str = ""
    device: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt in the review. What the one verdict says is shown to nobody whose own opinion is still wanted."""

    attempt: int
    number: int
    score: float
    opinions: int
    last_at: datetime | None
    mine: bool
    outcome: str | None
    appeal: str | None
    region: str
    school: dict[str, str]
    device: str
    state: str

    @property
    def shown(self) -> str:
        """The state as a reviewer reads it: blind, as long as it is not settled and he has said nothing."""
        return "waits" if self.state in {"breach", "unclear"} and not self.mine else self.state


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How the sitting is reviewed."""

    sample_percent: float = 2.0
    appeal_days: int = 10


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine noticed of an attempt."""

    score: float
    reasons: list[dict[str, Any]]
    left_out: int

    @property
    def lines(self) -> list[str]:
        """The reasons in words."""
        return why_lines(self.reasons)

    @property
    def flood(self) -> str:
        """That more events came than are kept; empty: no more came."""
        return flood_line(self.left_out)


def conditions(wanted: Wanted) -> tuple[str, list[object]]:
    """The filters as a condition, with parameters from $6 on."""
    parts: list[str] = ["true"]
    given: list[object] = []

    def add(condition: str, value: object) -> None:
        given.append(value)
        parts.append(condition.format(f"${len(given) + 5}"))

    if wanted.state == "waiting":
        add("state = any({})", WAITING)
    elif wanted.state:
        add("state = {}", wanted.state)
    if wanted.region:
        add("region = {}", wanted.region)
    if wanted.school:
        add("school_id = {}", wanted.school)
    if wanted.device:
        add("device = {}", wanted.device)
    if wanted.event:
        add(
            "exists (select from watch_event e where e.sitting_id = $1 and e.attempt_id = attempt and e.kind = {})",
            wanted.event,
        )
    return " and ".join(parts), given


async def rows(
    db: Connection, sitting_id: int, scope: Scope, staff_id: int, wanted: Wanted, *, sort: str, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of the review."""
    where, given = conditions(wanted)
    known = (sitting_id, *scope.parameters, staff_id, *given)
    total = await db.fetchval(f"{ROWS} select count(*) from found where {where}", *known)
    columns = ", ".join(Row.__struct_fields__)
    found = await db.fetch(
        f"{ROWS} select {columns} from found where {where} order by {SORTS[sort]} limit {limit} offset {offset}", *known
    )
    return [Row(**row) for row in found], total


async def counts(db: Connection, sitting_id: int, scope: Scope, staff_id: int) -> dict[str, int]:
    """How many there are of each state."""
    found = await db.fetch(
        f"{ROWS} select state, count(*)::int as many from found group by state",
        *(sitting_id, *scope.parameters, staff_id),
    )
    return {row["state"]: row["many"] for row in found}


async def schools(db: Connection, sitting_id: int, scope: Scope, region: str) -> list[tuple[int, dict[str, str]]]:
    """Schools of the sitting in a region, for the filter."""
    found = await db.fetch(
        """
        select sc.id, jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as name
        from school sc
        join district d on d.id = sc.district_id
        where d.region_code = $5 and ($2 or d.region_code = any($3) or sc.id = any($4))
            and exists (select from participant p where p.sitting_id = $1 and p.school_id = sc.id)
        order by kk(sc.name_kk), sc.id
        limit 500
        """,
        *(sitting_id, *scope.parameters, region),
    )
    return [(row["id"], row["name"]) for row in found]


async def next_one(db: Connection, sitting_id: int, scope: Scope, actor: Actor) -> int | None:
    """The attempt that is in his hand, else the first of the queue that nobody has: two are never given the same."""
    await db.execute(f"delete from watch_review_hand where taken_at < now() - interval '{IN_HAND}'")
    held = await db.fetchval(
        "select attempt_id from watch_review_hand where staff_id = $1 and sitting_id = $2", actor.staff_id, sitting_id
    )
    if held is not None:
        return held
    return await db.fetchval(
        f"""
        {ROWS}, free as (
            select p.id
            from found f
            join participant p on p.id = f.attempt
            where f.state = any($6) and not f.mine
                and not exists (select from watch_review_hand h where h.attempt_id = f.attempt)
                and not exists (
                    select from watch_hand h where h.attempt_id = f.attempt and h.seen_at > now() - interval '{GONE}')
            order by array_position($6, f.state),
                     case when f.state = 'sample' then 0 else f.score end desc, md5(f.attempt::text)
            limit 1
            for no key update of p skip locked
        )
        insert into watch_review_hand (attempt_id, sitting_id, staff_id)
        select id, $1, $5 from free
        on conflict do nothing
        returning attempt_id
        """,
        *(sitting_id, *scope.parameters, actor.staff_id, WAITING),
    )


async def give_back(db: Connection, attempt: int, staff_id: int) -> None:
    """Out of his hand: he has said his, or leaves it to another."""
    await db.execute("delete from watch_review_hand where attempt_id = $1 and staff_id = $2", attempt, staff_id)


async def open_one(db: Connection, sitting_id: int, attempt: int, staff_id: int, reason: str) -> None:
    """Beyond the queue, with a reason."""
    await db.execute(
        "insert into watch_opening (attempt_id, sitting_id, staff_id, reason) values ($1, $2, $3, $4)",
        *(attempt, sitting_id, staff_id, reason),
    )


async def looked(db: Connection, attempt: int) -> Looked:
    """Score and reasons, and whether more events came than are kept."""
    row = await db.fetchrow("select score::float as score, reasons from watch_score where attempt_id = $1", attempt)
    left_out = await queries.left_out(db, attempt)
    return Looked(**row, left_out=left_out) if row else Looked(score=0.0, reasons=[], left_out=left_out)


async def rules(db: Connection, sitting_id: int) -> Rules:
    """As the sitting's row says, else the defaults."""
    row = await db.fetchrow(
        "select sample_percent::float as sample_percent, appeal_days from sitting_review where sitting_id = $1",
        sitting_id,
    )
    return Rules(**row) if row else Rules()


async def set_rules(db: Connection, sitting_id: int, rules: Rules) -> None:
    """The seed stays: a smaller share is a part of the larger."""
    await db.execute(
        "update sitting_review set sample_percent = $2, appeal_days = $3 where sitting_id = $1",
        *(sitting_id, rules.sample_percent, rules.appeal_days),
    )
