"""What every room of a sitting needs of it: its head, found within the actor's territory, its clock and its tabs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from engine.timing import SittingClock
from portal.core.i18n import N_
from portal.core.problems import NotThere
from portal.core.projects import project

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor, Scope
    from portal.core.db import Connection

STATES = {
    "draft": N_("Draft"),
    "published": N_("Published"),
    "closed": N_("Closed"),
    "archived": N_("Archived"),
}


# Which pupils of a sitting somebody reaches, by `Scope.of_pupils`: all of a territory, or a class and own pupils. An
# own pupil is known by his row of the registry, one of a class by the list as well, for not each child is linked.
REACHED = """
    ($1 or d.region_code = any($2) or sc.id = any($3) or p.person_id = any($4)
     or (sc.id, p.grade || upper(p.class_letter)) in (select * from unnest($5::int[], $6::text[])))
"""


class SittingHead(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as its rooms know it."""

    id: int
    title: dict[str, str]
    state: str
    test_id: int
    form_id: int
    place: str
    starts_at: datetime
    waiting_opens_at: datetime
    last_entry_at: datetime
    duration_s: int
    ends_at: datetime | None
    grace_s: int
    control_version: int
    demo_speed: float
    demo_reference: datetime | None
    regions: list[str]

    @property
    def clock(self) -> SittingClock:
        """For the rules of engine.timing."""
        return SittingClock(
            waiting_opens_ms=to_ms(self.waiting_opens_at),
            starts_ms=to_ms(self.starts_at),
            last_entry_ms=to_ms(self.last_entry_at),
            duration_s=self.duration_s,
            ends_ms=to_ms(self.ends_at) if self.ends_at else None,
            grace_s=self.grace_s,
        )

    def now(self, real: datetime | None = None) -> datetime:
        """The sitting's own time: the real one, but for a sitting that the demo plays faster."""
        real = real or datetime.now(UTC)
        if self.demo_speed == 1 or self.demo_reference is None:
            return real
        return self.demo_reference + (real - self.demo_reference) * self.demo_speed

    @property
    def silent_after(self) -> timedelta:
        """Three missed saves, in the sitting's time."""
        return timedelta(seconds=90 * self.demo_speed)


async def find_head(db: Connection, sitting_id: int, scope: Scope, *, lock: bool = False) -> SittingHead:
    """A sitting of which at least a part lies in the scope; otherwise it is not there."""
    row = await db.fetchrow(
        """
        select s.id, s.title, s.state, s.test_id, s.form_id, s.place, s.starts_at, s.waiting_opens_at,
               s.last_entry_at, s.duration_s, s.ends_at, s.grace_s, s.control_version, s.demo_speed,
               s.demo_reference,
               array(select region_code from sitting_region where sitting_id = s.id order by 1) as regions
        from sitting s
        where s.id = $4 and s.project = $5
            and ($1 or exists (
                select 1
                from sitting_region sr
                left join district d on d.region_code = sr.region_code
                left join school sc on sc.district_id = d.id
                where sr.sitting_id = s.id and (sr.region_code = any($2) or sc.id = any($3))))
        """
        # The row lock orders those who change one sitting: versions of controls, publication, import.
        + ("for update of s" if lock else ""),
        *scope.parameters,
        sitting_id,
        project(),
    )
    if row is None:
        raise NotThere
    return SittingHead(**row)


async def find_head_of_pupils(db: Connection, actor: Actor, sitting_id: int, scope: Scope) -> SittingHead:
    """A sitting for its pages of pupils: one that he may see anyhow, or one that his class or own pupils sit."""
    seen = actor.scope("sitting.view")
    own: list[int] = []
    if scope.parts:
        own = await db.fetchval(
            f"""
            select coalesce(array_agg(distinct p.school_id), '{{}}')
            from participant p
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            where p.sitting_id = $7 and {REACHED}
            """,
            *scope.of_pupils,
            sitting_id,
        )
    wide = msgspec.structs.replace(
        scope,
        country=scope.country or seen.country,
        regions=(*scope.regions, *seen.regions),
        schools=(*scope.schools, *seen.schools, *own),
    )
    return await find_head(db, sitting_id, wide)


def require_whole(head: SittingHead, scope: Scope) -> None:
    """What changes the sitting itself needs all of its regions."""
    if not scope.country and not set(head.regions) <= set(scope.regions):
        raise NotThere


def tabs(actor: Actor, head: SittingHead) -> list[tuple[str, str]]:
    """The rooms of a sitting that the person may open."""
    base = f"/sittings/{head.id}"
    rooms = [
        (base, N_("Overview"), "sitting.view"),
        (f"{base}/clock", N_("Clock"), "sitting.view"),
        (f"{base}/participants", N_("Pupils"), "participant.view"),
        (f"{base}/slips", N_("Sign-in slips"), "slip.print"),
        (f"{base}/room-codes", N_("Room codes"), "room.code"),
        (f"{base}/live", N_("Live"), "live.view"),
        (f"{base}/wall", N_("Wall"), "watch.view"),
        (f"{base}/verdicts", N_("Verdicts"), "watch.review"),
        (f"{base}/appeals", N_("Appeals"), "watch.appeal"),
        (f"{base}/pictures", N_("Pictures"), "watch.erase"),
        (f"{base}/rescue", N_("Rescue files"), "rescue.take"),
        (f"{base}/scores", N_("Results"), "score.view"),
        (f"{base}/history", N_("History"), "sitting.view"),
    ]
    # Who reaches a sitting by his class alone has its page of pupils, and no other of it.
    seen = actor.scope("sitting.view")
    all_of_it = any(seen.parameters)
    return [
        (path, text)
        for path, text, permission in rooms
        if actor.may(permission) and (all_of_it or permission == "participant.view")
    ]


def to_ms(moment: datetime) -> int:
    """Unix milliseconds."""
    return int(moment.timestamp() * 1000)
