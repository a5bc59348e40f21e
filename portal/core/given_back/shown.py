"""Time given back as the administrator sees it: by outage on the live page, and on a pupil's page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_
from portal.core.i18n.times import from_ms

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.db import Connection

STEPS = {
    "page": N_("The page did not open"),
    "sign-in": N_("Sign-in did not work"),
    "key": N_("The test could not be opened"),
    "resume": N_("Nobody could come back into the test"),
    "save": N_("Answers did not reach the server"),
    "results": N_("The pages of results did not open"),
}


class OutageLine(msgspec.Struct, frozen=True, kw_only=True):
    """An outage, and what this sitting's pupils got back for it."""

    id: int
    step: str
    began_ms: int
    ended_ms: int
    is_over: bool
    pupils: int
    lost_ms: int

    @property
    def text(self) -> str:
        """What did not work, untranslated."""
        return STEPS[self.step]

    @property
    def began(self) -> datetime:
        """Its first moment."""
        return from_ms(self.began_ms)

    @property
    def ended(self) -> datetime:
        """Its last."""
        return from_ms(self.ended_ms)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt got."""

    leg: int
    clock_s: int
    entry_s: int
    lost_s: int
    by_hand_s: int
    capped: bool
    given_at: datetime
    seen_ms: int | None
    outages: list[OutageLine]


class PupilLine(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil who got time back."""

    id: int
    name: str
    school: dict[str, str]
    clock_s: int
    entry_s: int
    lost_s: int
    by_hand_s: int
    capped: bool
    outages: list[int]
    given_at: datetime


SHOWN = 1000
OUTAGES = """
    select o.id, o.step, o.began_ms, o.ended_ms, o.is_over, count(c.attempt_id)::int as pupils,
           coalesce(sum((c.parts ->> o.id::text)::bigint), 0)::bigint as lost_ms
    from outage o
"""


async def of_sitting(db: Connection, sitting_id: int, scope: Scope) -> list[OutageLine]:
    """Outages in the time of a sitting, newest first, with the pupils of the scope who lost time in each."""
    rows = await db.fetch(
        f"""
        {OUTAGES}
        left join (
            select c.attempt_id, c.parts
            from credit c
            join participant p on p.id = c.attempt_id
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            where c.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
        ) c on c.parts ? o.id::text
        join sitting s on s.id = $4
        where (o.ended_ms > extract(epoch from s.waiting_opens_at) * 1000
               and o.began_ms < extract(epoch from coalesce(s.ends_at, s.last_entry_at + s.duration_s * interval '1 second')) * 1000)
            or c.attempt_id is not null
        group by o.id
        order by o.began_ms desc, o.id desc
        limit 12
        """,
        *(*scope.parameters, sitting_id),
    )
    return [OutageLine(**row) for row in rows]


async def given_to(db: Connection, attempt_id: int) -> list[Given]:
    """What one attempt got, on each form that it sat."""
    rows = await db.fetch(
        """
        select c.leg, c.clock_s, c.entry_s, c.lost_s, c.by_hand_s, c.capped, c.given_at, c.parts, cs.seen_ms
        from credit c
        left join control_seen cs on cs.attempt_id = c.attempt_id and cs.version = c.version
        where c.attempt_id = $1
        order by c.leg
        """,
        attempt_id,
    )
    given: list[Given] = []
    for row in rows:
        facts = dict(row)
        parts: dict[str, int] = facts.pop("parts")
        outages = await db.fetch(
            f"""
            {OUTAGES}
            join credit c on c.attempt_id = $1 and c.leg = $2 and c.parts ? o.id::text
            where o.id = any($3::bigint[])
            group by o.id
            order by o.began_ms, o.id
            """,
            *(attempt_id, row["leg"], [int(outage) for outage in parts]),
        )
        given.append(Given(**facts, outages=[OutageLine(**one) for one in outages]))
    return given


async def pupils_of(db: Connection, sitting_id: int, scope: Scope) -> list[PupilLine]:
    """Pupils of the scope who got time back, those with the most first."""
    rows = await db.fetch(
        """
        select p.id, concat_ws(' ', p.last_name, p.first_name) as name,
               jsonb_build_object('kk', sc.name_kk, 'ru', sc.name_ru, 'en', sc.name_en) as school,
               c.clock_s, c.entry_s, c.lost_s, c.by_hand_s, c.capped, c.given_at,
               array(select key::bigint from jsonb_object_keys(c.parts) as key order by 1) as outages
        from credit c
        join participant p on p.id = c.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where c.sitting_id = $4 and ($1 or d.region_code = any($2) or sc.id = any($3))
        order by c.clock_s desc, c.entry_s desc, p.sort_name, p.id, c.leg
        limit $5
        """,
        *(*scope.parameters, sitting_id, SHOWN),
    )
    return [PupilLine(**row) for row in rows]
