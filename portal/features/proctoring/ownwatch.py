"""What a child is told of its own proctored sittings: of its own row of the registry alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting that was watched. Opinions that do not settle anything are not told: nothing is decided by them."""

    title: dict[str, str]
    pictures: int
    kept_until: datetime
    outcome: str | None
    reasons: list[str]
    open: bool
    first_ruled_at: datetime | None
    appeal_days: int
    appeal: str | None
    answer: str
    answer_language: str
    help_name: str
    help_phone: str

    @property
    def appeal_until(self) -> datetime | None:
        """The last moment for an appeal."""
        return self.first_ruled_at + timedelta(days=self.appeal_days) if self.first_ruled_at else None


async def of_person(db: Connection, person_id: int) -> list[Own]:
    """His watched sittings, the newest first."""
    rows = await db.fetch(
        """
        select s.title, coalesce(o.pictures, 0) as pictures, n.kind as outcome,
               coalesce(s.ends_at, s.last_entry_at + make_interval(secs => s.duration_s)) + make_interval(days => w.keep_days)
                   as kept_until,
               array(
                   select v.reason
                   from watch_verdict v
                   where v.attempt_id = p.id and v.kind = 'breach'
                   group by v.reason
                   order by count(*) desc, min(v.id)) as reasons,
               c.attempt_id is not null and n.kind is null as open, f.made_at as first_ruled_at,
               coalesce(r.appeal_days, 10) as appeal_days, a.state as appeal, coalesce(a.reason, '') as answer,
               coalesce(a.language, 'kk') as answer_language,
               coalesce(s.help_name, '') as help_name, coalesce(s.help_phone, '') as help_phone
        from participant p
        join sitting s on s.id = p.sitting_id
        join sitting_watch w on w.sitting_id = s.id
        left join sitting_review r on r.sitting_id = s.id
        left join watch_score o on o.attempt_id = p.id
        left join watch_case c on c.attempt_id = p.id
        left join lateral (
            select kind from watch_ruling where attempt_id = p.id order by id desc limit 1) n on true
        left join lateral (
            select made_at from watch_ruling where attempt_id = p.id order by id limit 1) f on true
        left join lateral (
            select state, reason, language from watch_appeal where attempt_id = p.id order by id desc limit 1) a on true
        where p.person_id = $1 and (o.attempt_id is not null or c.attempt_id is not null)
        order by s.starts_at desc, p.id
        limit 50
        """,
        person_id,
    )
    return [Own(**row) for row in rows]
