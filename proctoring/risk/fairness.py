"""Whether the rules are fair: how often a child is flagged, by kind of device, by region and by light.

A group that is flagged more than the rest for what it cannot help (an old phone, a dark room) shows here, and the rule
that does it can be given less weight. Small groups are not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proctoring.risk.rules import FLAGGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.database import Db

LEAST = 20
LIGHT = ((40.0, "dark"), (90.0, "dim"))


class Child(msgspec.Struct, frozen=True):
    """What counts of one attempt. No name, no number."""

    score: float
    agent: str
    region: str
    light: float | None


class Share(msgspec.Struct, frozen=True):
    """A group: how many there are, which share is flagged (percent), and how many times the whole's share that is."""

    by: str
    group: str
    children: int
    flagged: float
    times: float | None


def device_class(agent: str) -> str:
    """Phone, tablet or computer by what a browser says of itself."""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    if "iPhone" in agent:
        return "iPhone"
    if "Android" in agent:
        return "Android phone"
    return "computer" if agent else "unknown"


def light_class(light: float | None) -> str:
    """Dark, dim or light by the mean level of grey of the checked pictures."""
    if light is None:
        return "not checked"
    return next((name for bound, name in LIGHT if light < bound), "light")


def shares(children: Iterable[Child], flagged: float = FLAGGED) -> list[Share]:
    """Shares by each question, all together first; groups below 20 are left out."""
    everybody = list(children)
    if not everybody:
        return []
    questions: tuple[tuple[str, Callable[[Child], str]], ...] = (
        ("device", lambda child: device_class(child.agent)),
        ("region", lambda child: child.region),
        ("light", lambda child: light_class(child.light)),
    )
    whole = _percent(everybody, flagged)
    found = [Share("all", "", len(everybody), round(whole, 2), 1.0 if whole else None)]
    for by, question in questions:
        groups: dict[str, list[Child]] = {}
        for child in everybody:
            groups.setdefault(question(child), []).append(child)
        for group, members in sorted(groups.items()):
            if len(members) < LEAST:
                continue
            own = _percent(members, flagged)
            found.append(Share(by, group, len(members), round(own, 2), round(own / whole, 2) if whole else None))
    return found


def _percent(children: list[Child], flagged: float) -> float:
    return 100 * sum(child.score >= flagged for child in children) / len(children)


async def children_of(db: Db, sitting: int) -> list[Child]:
    """The attempts of a sitting that were watched."""
    rows = await db.fetch(
        """
        select s.score, coalesce(d.agent, '') as agent, coalesce(r.code, '') as region, l.light
        from watch_score s
        join participant p on p.id = s.attempt_id
        join school o on o.id = p.school_id
        left join district t on t.id = o.district_id
        left join region r on r.code = t.region_code
        left join lateral (
            select agent from attempt_device where attempt_id = s.attempt_id order by epoch desc limit 1) d on true
        left join lateral (
            select avg((checks -> 'server' ->> 'light')::float8) as light from picture
            where sitting_id = s.sitting_id and attempt_id = s.attempt_id and checks ? 'server') l on true
        where s.sitting_id = $1
        order by s.attempt_id
        """,
        sitting,
    )
    return [Child(row["score"], row["agent"], row["region"], row["light"]) for row in rows]
