"""All SQL of appeals."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_, Language
from portal.features.proctoring.reaching import NOT_TIED

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor, Scope
    from portal.core.db import Connection

STATES: dict[str, str] = {"open": N_("open"), "upheld": N_("upheld"), "rejected": N_("rejected")}
CHANNELS: dict[str, str] = {
    "phone": N_("by telephone"),
    "paper": N_("on paper"),
    "visit": N_("in person"),
}


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """A family says that the verdict is wrong."""

    id: int
    attempt: int
    number: int
    sitting_id: int
    title: dict[str, str]
    channel: str
    told_by: str
    words: str
    language: Language
    made_by: str
    made_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    # Whom the family can ask: the sitting's own helper.
    help_name: str
    help_phone: str


APPEAL = """
    select a.id, a.attempt_id as attempt, (a.attempt_id % 100000)::int as number, a.sitting_id, s.title, a.channel, a.told_by,
           a.words, a.language, m.full_name as made_by, a.made_at, a.state, o.full_name as decided_by, a.decided_at, a.reason,
           coalesce(s.help_name, '') as help_name, coalesce(s.help_phone, '') as help_phone
    from watch_appeal a
    join sitting s on s.id = a.sitting_id
    join staff m on m.id = a.made_by
    left join staff o on o.id = a.decided_by
"""


async def of_attempt(db: Connection, attempt: int) -> list[Appeal]:
    """In order."""
    rows = await db.fetch(f"{APPEAL} where a.attempt_id = $1 order by a.id", attempt)
    return [Appeal(**row) for row in rows]


async def find(db: Connection, appeal_id: int) -> Appeal | None:
    """One."""
    row = await db.fetchrow(f"{APPEAL} where a.id = $1", appeal_id)
    return Appeal(**row) if row else None


async def listed(
    db: Connection, sitting_id: int, scope: Scope, actor: Actor, state: str, *, limit: int, offset: int
) -> tuple[list[Appeal], int]:
    """A page of a sitting's appeals within a territory, not of one's own district, child or pupil, the oldest first."""
    where = f"""
        {APPEAL}
        join participant p on p.id = a.attempt_id
        join school sc on sc.id = p.school_id
        join district d on d.id = sc.district_id
        where a.sitting_id = $1 and ($2 or d.region_code = any($3) or p.school_id = any($4)) and a.state = $5
            and not exists (select from school own where own.id = $6 and own.district_id = sc.district_id)
            and {NOT_TIED.format(staff="$7")}
    """
    known = (sitting_id, *scope.parameters, state, actor.own_school_id, actor.staff_id)
    total = await db.fetchval(f"select count(*) from ({where}) as found", *known)
    rows = await db.fetch(f"{where} order by a.id limit $8 offset $9", *known, limit, offset)
    return [Appeal(**row) for row in rows], total


async def make(
    db: Connection,
    attempt: int,
    sitting_id: int,
    *,
    channel: str,
    told_by: str,
    words: str,
    language: str,
    staff_id: int,
) -> int | None:
    """Write one down and hold the pictures for it; None: one is open."""
    appeal_id = await db.fetchval(
        """
        insert into watch_appeal (attempt_id, sitting_id, channel, told_by, words, language, made_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (attempt_id) where state = 'open' do nothing
        returning id
        """,
        *(attempt, sitting_id, channel, told_by, words, language, staff_id),
    )
    if appeal_id is not None:
        await db.execute(
            "insert into picture_hold (attempt_id, sitting_id, reason, held_by) values ($1, $2, 'appeal', $3::int::text)",
            *(attempt, sitting_id, staff_id),
        )
    return appeal_id


async def spoke_before(db: Connection, attempt: int, staff_id: int) -> bool:
    """Whether he said a verdict of this attempt, or decided an appeal: somebody else decides."""
    return await db.fetchval(
        """
        select exists (select from watch_verdict where attempt_id = $1 and made_by = $2)
            or exists (select from watch_appeal where attempt_id = $1 and decided_by = $2)
        """,
        *(attempt, staff_id),
    )


async def decide(db: Connection, one: Appeal, staff_id: int, state: str, reason: str) -> bool:
    """Uphold or reject, once; upheld, a new ruling stands beside the old. The pictures are held no more for it."""
    done = await db.fetchval(
        """
        update watch_appeal set state = $2, decided_by = $3, decided_at = now(), reason = $4
        where id = $1 and state = 'open'
        returning id
        """,
        *(one.id, state, staff_id, reason),
    )
    if done is None:
        return False
    await db.execute(
        """
        update picture_hold set released_at = now()
        where attempt_id = $1 and released_at is null and (reason = 'appeal' or ($2 = 'upheld' and reason = 'case'))
        """,
        *(one.attempt, state),
    )
    if state == "upheld":
        await db.execute(
            "insert into watch_ruling (attempt_id, sitting_id, kind, appeal_id) values ($1, $2, 'fine', $3)",
            *(one.attempt, one.sitting_id, one.id),
        )
    return True


async def release_over(db: Connection) -> int:
    """Cases of a breach whose term of appeals is over hold their pictures no more; how many those are."""
    done = await db.execute(
        """
        update picture_hold h set released_at = now()
        where h.reason = 'case' and h.released_at is null
            and exists (
                select from watch_ruling r
                left join sitting_review v on v.sitting_id = r.sitting_id
                where r.attempt_id = h.attempt_id
                group by r.attempt_id
                having min(r.made_at) + make_interval(days => coalesce(max(v.appeal_days), 10)) < now())
            and not exists (select from watch_appeal a where a.attempt_id = h.attempt_id and a.state = 'open')
        """
    )
    return int(done.rsplit(" ", 1)[1])
