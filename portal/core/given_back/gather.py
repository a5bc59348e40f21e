"""What the rule needs of one attempt, out of rows: its times without credit, its pauses, what persons gave."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from engine.controls import ControlBody, attempt_clock, decode_body, scopes_of
from engine.credit import Case, Outage, Span, Tried
from engine.timing import AttemptClock, SittingClock, deadline_ms, times_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Pupil(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt and where it belongs. Times are Unix milliseconds."""

    attempt: int
    sitting: int
    region: str
    school: int
    extra_s: int
    started_ms: int | None
    restarted_ms: int | None


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A row of control, but those of kind `credit`."""

    scope: str
    scope_id: str
    version: int
    kind: str
    body: str
    made_at: datetime


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt's times without any credit."""

    clock: AttemptClock
    leg: int
    starts_ms: int
    entry_ms: int
    deadline_ms: int | None
    fixed_end: bool


def times_of_pupil(sitting: SittingClock, pupil: Pupil, controls: list[Control]) -> Times:
    """The times as the controls of staff leave them."""
    mine = concerning(pupil, controls)
    clock = attempt_clock(mine, extra_s=pupil.extra_s, started_ms=None)
    started = pupil.restarted_ms if clock.leg else pupil.started_ms
    clock = attempt_clock(mine, extra_s=pupil.extra_s, started_ms=started)
    plain = times_of(sitting, clock)
    # With a fixed end the clock runs for who has not started too.
    runs = msgspec.structs.replace(clock, started_ms=clock.started_ms or (plain.starts_ms if plain.ends_ms else None))
    return Times(
        clock=clock,
        leg=clock.leg,
        starts_ms=plain.starts_ms,
        entry_ms=plain.last_entry_ms + 1000 * clock.paused_s,
        deadline_ms=deadline_ms(sitting, runs),
        fixed_end=plain.ends_ms is not None,
    )


def case_of(
    pupil: Pupil,
    times: Times,
    controls: list[Control],
    tried: list[Tried],
    outages: list[Outage],
    worked_ms: list[int],
    cap_s: int,
) -> Case:
    """The attempt as the rule judges it."""
    mine = _of_this_leg(concerning(pupil, controls))
    own = [one for one in outages if any(_meets(one.span, other.span) for other in tried)]
    first_ms = max(times.starts_ms, min((one.span.from_ms for one in own), default=times.starts_ms))
    return Case(
        tried=tried,
        outages=own,
        worked_ms=worked_ms,
        paused=pauses(mine),
        starts_ms=times.starts_ms,
        entry_ms=times.entry_ms,
        started_ms=times.clock.started_ms,
        deadline_ms=times.deadline_ms,
        fixed_end=times.fixed_end,
        by_hand_s=given_since(mine, first_ms),
        cap_s=cap_s,
    )


def concerning(pupil: Pupil, controls: Iterable[Control]) -> list[Control]:
    """By ascending version."""
    scopes = set(scopes_of(pupil.sitting, pupil.region, pupil.school, pupil.attempt))
    return sorted((one for one in controls if (one.scope, one.scope_id) in scopes), key=lambda one: one.version)


def pauses(controls: Iterable[Control]) -> list[Span]:
    """When the clock stood still by a person's word, and runs again."""
    since: dict[str, int] = {}
    spans: list[Span] = []
    for control in controls:
        if control.kind == "pause":
            since[control.scope] = _body(control).since_ms
        elif control.kind == "resume" and control.scope in since:
            spans.append(Span(since.pop(control.scope), _ms(control.made_at)))
    # One that lasts holds the clock by itself.
    spans += [Span(from_ms, 2**62) for from_ms in since.values()]
    return spans


def given_since(controls: Iterable[Control], from_ms: int) -> int:
    """Seconds of extra time that persons gave since a moment, over all scopes."""
    before: dict[str, int] = {}
    now: dict[str, int] = {}
    for control in controls:
        if control.kind != "extra":
            continue
        now[control.scope] = _body(control).extra_s
        if _ms(control.made_at) < from_ms:
            before[control.scope] = now[control.scope]
    return max(0, sum(now.values()) - sum(before.values()))


def _of_this_leg(controls: list[Control]) -> list[Control]:
    """What was told before a restart was the stopped form's."""
    last = max((place for place, one in enumerate(controls) if one.kind == "restart"), default=-1)
    return controls[last + 1 :]


def _meets(left: Span, right: Span) -> bool:
    return left.from_ms < right.until_ms and right.from_ms < left.until_ms


def _body(control: Control) -> ControlBody:
    return decode_body(control.body)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
