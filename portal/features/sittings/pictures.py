"""The rehearsed clock as a drawing: figures for the template's SVG, no markup here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_, clock
from portal.core.i18n.times import ASTANA
from portal.features.sittings.watching import watch_values

if TYPE_CHECKING:
    from portal.features.sittings.structs import Course, Draft

WIDTH, LEFT, RIGHT, TOP, LINE = 960, 210, 20, 44, 40
TONES = {"waiting": "soft", "open": "soft", "running": "sky", "extra": "sun", "grace": "grey"}
PHASES = {
    "waiting": N_("Waiting room"),
    "open": N_("Entry is open, not entered yet"),
    "running": N_("Writing"),
    "extra": N_("Extra time"),
    "grace": N_("Grace for what is on its way"),
}
TICKS_AT_MOST = 9


class Bar(msgspec.Struct, frozen=True):
    """A rectangle of one phase."""

    x: float
    width: float
    tone: str
    phase: str
    since: str
    until: str


class Lane(msgspec.Struct, frozen=True):
    """A course as a line of the drawing."""

    y: float
    course: Course
    bars: list[Bar]


class Tick(msgspec.Struct, frozen=True):
    """A time below the lanes."""

    x: float
    text: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """All that the template draws."""

    width: int
    height: int
    left: int
    lanes: list[Lane]
    ticks: list[Tick]
    start_x: float
    last_entry_x: float
    phases: dict[str, tuple[str, str]]


def time_line(sitting: Draft, courses: list[Course]) -> Drawing:
    """Lanes for each course on one scale."""
    # A waiting room of many hours would squeeze the exam itself to nothing.
    first = max(sitting.waiting_opens_at, sitting.starts_at - timedelta(minutes=45))
    last = max(course.over for course in courses)
    span = (last - first).total_seconds()

    def x(moment: datetime) -> float:
        share = (moment - first).total_seconds() / span
        return round(LEFT + max(0.0, share) * (WIDTH - LEFT - RIGHT), 1)

    lanes = [
        Lane(
            TOP + LINE * number,
            course,
            [
                Bar(
                    x(part.since),
                    round(max(1.5, x(part.until) - x(part.since)), 1),
                    TONES[part.phase],
                    PHASES[part.phase],
                    clock(part.since),
                    clock(part.until),
                )
                for part in course.stretches
            ],
        )
        for number, course in enumerate(courses)
    ]
    return Drawing(
        width=WIDTH,
        height=TOP + LINE * len(lanes) + 34,
        left=LEFT,
        lanes=lanes,
        ticks=[Tick(x(moment), clock(moment)) for moment in _ticks(first, last)],
        start_x=x(sitting.starts_at),
        last_entry_x=x(sitting.last_entry_at),
        phases={name: (TONES[name], text) for name, text in PHASES.items()},
    )


def _ticks(first: datetime, last: datetime) -> list[datetime]:
    """Round times, as many as stand side by side."""
    span = (last - first).total_seconds() / 60
    step = next((minutes for minutes in (5, 10, 15, 30, 60, 120, 240) if span / minutes <= TICKS_AT_MOST), 480)
    start = first.astimezone(ASTANA)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (start - midnight).total_seconds() / 60
    at = midnight + timedelta(minutes=step * -(-passed // step))
    found: list[datetime] = []
    while at <= last:
        found.append(at)
        at += timedelta(minutes=step)
    return found


def form_values(sitting: Draft) -> dict[str, str]:
    """A draft as the form shows it."""
    moment = "%Y-%m-%dT%H:%M"
    return {
        **{f"title_{language}": sitting.title.get(language, "") for language in ("kk", "ru", "en")},
        "form_id": str(sitting.form_id),
        "reserve_form_id": str(sitting.reserve_form_id or ""),
        "place": sitting.place,
        "waiting_opens_at": sitting.waiting_opens_at.astimezone(ASTANA).strftime(moment),
        "starts_at": sitting.starts_at.astimezone(ASTANA).strftime(moment),
        "last_entry_at": sitting.last_entry_at.astimezone(ASTANA).strftime(moment),
        "duration_min": str(sitting.duration_s // 60),
        "ends_at": sitting.ends_at.astimezone(ASTANA).strftime(moment) if sitting.ends_at else "",
        "grace_min": str(sitting.grace_s // 60),
        "spread_s": str(sitting.spread_s),
        "late_policy": sitting.late_policy,
        "help_name": sitting.help_name,
        "help_phone": sitting.help_phone,
        **watch_values(sitting.watch),
    }
