"""Decisions about sittings: what a draft must hold, how its clock runs, what stands against publishing. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from engine.timing import AttemptClock, Phase, SittingClock, deadline_ms, last_possible_end_ms, phase
from portal.core.i18n import N_, clock, of, when
from portal.core.sittings import to_ms
from portal.features.sittings.structs import Check, Course, Draft, Facts, Sitting, Stretch
from portal.features.sittings.watching import USUAL_DAYS, read_watch

if TYPE_CHECKING:
    from collections.abc import Collection

    from portal.core.forms import Form

LATE_POLICIES = {
    "person": N_("A person decides"),
    "count": N_("They count"),
    "refuse": N_("They do not count"),
}
PLACES = {"home": N_("At home"), "hall": N_("In a supervised hall")}
# With one end for all, a spread start takes time from those who are drawn late.
MOST_SPREAD_FIXED_END_S = 10
# Extra minutes that are rehearsed even when nobody has them yet.
USUAL_EXTRA = (0, 15, 30)
LONGEST_WAITING = timedelta(hours=24)

# The check of the term of pictures.
KEPT = "kept"


def read_draft(form: Form, allowed_forms: Collection[int], allowed_regions: Collection[str]) -> Draft | None:
    """The draft a person filled in; None when `form.errors` says why not."""
    title = form.texts("title")
    form_id = form.optional_id("form_id")
    reserve = form.optional_id("reserve_form_id")
    starts, opens = form.moment("starts_at"), form.moment("waiting_opens_at")
    last_entry, ends = form.moment("last_entry_at"), form.moment("ends_at", required=False)
    minutes = form.integer("duration_min", least=1, most=480)
    spread = form.integer("spread_s", least=0, most=90, default=60)
    if form_id not in allowed_forms:
        form.miss("form_id", N_("Please choose a form of the test."))
    if reserve is not None and reserve not in allowed_forms:
        form.miss("reserve_form_id", N_("Please choose one of the list."))
    if reserve is not None and reserve == form_id:
        form.miss("reserve_form_id", N_("The reserve form must be another one than the main form."))
    regions = form.choices("regions", list(allowed_regions))
    if not regions:
        form.miss("regions", N_("Please choose at least one region."))
    if starts and opens and last_entry:
        _order(form, opens, starts, last_entry, ends)
    if ends is not None and spread > MOST_SPREAD_FIXED_END_S:
        form.miss(
            "spread_s",
            N_("With one end for all the start may be spread over {most} seconds at most."),
            most=MOST_SPREAD_FIXED_END_S,
        )
    grace = form.integer("grace_min", least=0, most=60, default=2)
    place = form.choice("place", PLACES, "home")
    policy = form.choice("late_policy", LATE_POLICIES, "person")
    help_name = form.text("help_name", most=100)
    help_phone = form.text("help_phone", most=40)
    watch = read_watch(form)
    if form.errors or form_id is None or starts is None or opens is None or last_entry is None:
        return None
    return Draft(
        title=title,
        form_id=form_id,
        reserve_form_id=reserve,
        place=place,
        waiting_opens_at=opens,
        starts_at=starts,
        last_entry_at=last_entry,
        duration_s=60 * minutes,
        ends_at=ends,
        grace_s=60 * grace,
        spread_s=spread,
        late_policy=policy,
        help_name=help_name,
        help_phone=help_phone,
        regions=regions,
        watch=watch,
    )


def _order(form: Form, opens: datetime, starts: datetime, last_entry: datetime, ends: datetime | None) -> None:
    if opens > starts:
        form.miss(
            "waiting_opens_at",
            N_("The waiting room opens before the start, at {starts} at the latest."),
            starts=clock(starts),
        )
    elif starts - opens > LONGEST_WAITING:
        form.miss("waiting_opens_at", N_("The waiting room opens one day before the start at the earliest."))
    if last_entry <= starts:
        form.miss("last_entry_at", N_("The last entry is after the start at {starts}."), starts=clock(starts))
    if ends is not None and ends < last_entry:
        form.miss("ends_at", N_("The end for all is not before the last entry at {last}."), last=clock(last_entry))


def clock_of(sitting: Draft) -> SittingClock:
    """A sitting for the rules of engine.timing."""
    return SittingClock(
        waiting_opens_ms=to_ms(sitting.waiting_opens_at),
        starts_ms=to_ms(sitting.starts_at),
        last_entry_ms=to_ms(sitting.last_entry_at),
        duration_s=sitting.duration_s,
        ends_ms=to_ms(sitting.ends_at) if sitting.ends_at else None,
        grace_s=sitting.grace_s,
    )


def rehearse(sitting: Draft, extra_minutes: Collection[int]) -> list[Course]:
    """The whole time line, run by the very rules that the engine runs: each accommodation, first and last to enter."""
    extras = sorted({*USUAL_EXTRA, *extra_minutes})
    return [_course(clock_of(sitting), extra, late=late) for extra in extras for late in (False, True)]


def _course(times: SittingClock, extra: int, *, late: bool) -> Course:
    # The last to enter comes a second before the door closes.
    start = times.last_entry_ms - 1000 if late else times.starts_ms
    attempt = AttemptClock(extra_s=60 * extra)
    stretches: list[Stretch] = []
    now: int | None = times.waiting_opens_ms
    while now is not None and now < start:
        moment = phase(now, times, attempt)
        until = min(start, moment.until_ms if moment.until_ms is not None else start)
        stretches.append(Stretch(moment.phase.value, _at(now), _at(until)))
        now = until
    attempt = AttemptClock(started_ms=start, extra_s=60 * extra)
    now = start
    while now is not None:
        moment = phase(now, times, attempt)
        if moment.phase is Phase.OVER or moment.until_ms is None:
            break
        stretches.append(Stretch(moment.phase.value, _at(now), _at(moment.until_ms)))
        now = moment.until_ms
    deadline = deadline_ms(times, attempt)
    assert deadline is not None
    return Course(extra, late, _at(start), _at(deadline), _at(now or deadline), stretches)


def over_at(sitting: Draft, extra_minutes: Collection[int]) -> datetime:
    """When the last attempt can be over."""
    return _at(last_possible_end_ms(clock_of(sitting), 60 * max(extra_minutes, default=0)))


def checks(sitting: Sitting, facts: Facts, now: datetime) -> list[Check]:
    """What stands for and against publishing, in the order in which a person does it."""
    uses = [use for use in facts.other_uses if use.starts_at != sitting.starts_at]
    first = uses[0] if uses else None
    reserve = facts.reserve
    return [
        Check(
            code="form",
            fulfilled=facts.form.packed and facts.form.state == "sealed",
            text=N_("The main form is packed and sealed"),
            advice=N_(
                "The test developer packs it. A form whose key was released once is burnt and is never used again."
            ),
        ),
        Check(
            code="one-start",
            fulfilled=first is None,
            acceptable=True,
            text=N_("One form, one start"),
            advice=N_("The form is also in «{title}», {when}. Two starts of one form leak it from region to region."),
            values={"title": of(first.title), "when": when(first.starts_at)} if first else {},
        ),
        Check(
            code="reserve",
            fulfilled=reserve is not None and reserve.packed and reserve.state == "sealed",
            acceptable=True,
            text=N_("A reserve form is packed and sealed"),
            advice=N_("Without one a stopped sitting cannot be resumed."),
        ),
        Check(
            code="future",
            fulfilled=sitting.starts_at > now,
            text=N_("The start lies ahead"),
            advice=N_("Change the draft: the start has passed."),
        ),
        Check(
            code="pupils",
            fulfilled=sitting.participants > 0,
            text=N_("Pupils are imported"),
            advice=N_("Import the list of pupils."),
        ),
        Check(
            code="clock",
            fulfilled=sitting.rehearsed_at is not None,
            text=N_("The clock is rehearsed"),
            advice=N_("Look at the whole time line and confirm it. Any change of the draft asks for it again."),
        ),
        *_kept(sitting),
    ]


def _kept(sitting: Sitting) -> list[Check]:
    """Children's pictures are kept beyond the usual term by no one person's word."""
    if sitting.watch is None:
        return []
    days = sitting.watch.keep_days
    return [
        Check(
            code=KEPT,
            fulfilled=days <= USUAL_DAYS,
            acceptable=True,
            text=N_("Pictures are kept no longer than usual"),
            advice=N_("They would be kept {days} days in place of {usual}."),
            values={} if days <= USUAL_DAYS else {"days": str(days), "usual": str(USUAL_DAYS)},
        )
    ]


def minutes(delta: timedelta) -> int:
    """Whole minutes of a span."""
    return int(delta.total_seconds() // 60)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
