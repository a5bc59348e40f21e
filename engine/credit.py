"""Time that an outage took from a pupil, as one pure function: intervals in, seconds out (docs/decisions/0033).

What a phone says that it tried in vain counts only where the system knows of an outage of that very step itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

# Steps that a pupil can be kept from. An outage of saving alone takes nothing: a working player goes on.
STEPS = ("page", "sign-in", "key", "resume")
# Who was kept from entering in the last seconds of the entry must still have time to come in.
ENTRY_MARGIN_S = 300


class Span(msgspec.Struct, frozen=True, order=True):
    """From … until, Unix milliseconds."""

    from_ms: int
    until_ms: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A device tried a step in vain from … until it worked."""

    step: str
    span: Span


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """The system's own word that a step did not work."""

    id: int
    step: str
    span: Span


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides about one attempt on one form.

    worked_ms    when the pupil answered, looked, marked: an event's own time.
    paused       the clock stood still by a person's word: that time is given back already.
    starts_ms    T0; before it nobody loses anything.
    entry_ms     the last entry, moved by pauses.
    started_ms   first release of the key; None: not yet.
    deadline_ms  without any credit; None: not started and no fixed end.
    fixed_end    the clock runs from T0 for all, not from the own start.
    by_hand_s    extra time that persons gave since the first of these outages.
    """

    tried: Sequence[Tried]
    outages: Sequence[Outage]
    worked_ms: Sequence[int]
    paused: Sequence[Span] = ()
    starts_ms: int
    entry_ms: int
    started_ms: int | None
    deadline_ms: int | None
    fixed_end: bool
    by_hand_s: int = 0
    cap_s: int


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """What is given back: seconds for the clock and for the entry, and how they came about.

    `lost_s` is what the clock lost before cap and subtraction; `parts`: outage → milliseconds of it (of two outages
    at one time the earlier has them).
    """

    clock_s: int = 0
    entry_s: int = 0
    lost_s: int = 0
    by_hand_s: int = 0
    capped: bool = False
    parts: dict[int, int] = {}


NOTHING = Credit()


def credit(case: Case) -> Credit:
    """Time to be given back to an attempt, in whole seconds."""
    lost = lost_spans(case)
    if not lost:
        return NOTHING
    counted: list[Span] = []
    clock_ms = 0
    base_ms = case.starts_ms if case.fixed_end else case.started_ms
    if base_ms is not None and case.deadline_ms is not None:
        counted = _standing_still(_cut(lost, base_ms), case.deadline_ms)
        clock_ms = _length(counted)
    entry_s = 0
    if case.started_ms is None:
        kept_out = _standing_still(lost, case.entry_ms)
        counted = union([*counted, *kept_out])
        entry_s = _seconds(_length(kept_out))
        entry_s += ENTRY_MARGIN_S if entry_s else 0
    lost_s = _seconds(clock_ms)
    return Credit(
        clock_s=max(0, min(lost_s, case.cap_s) - case.by_hand_s),
        entry_s=min(entry_s, case.cap_s + ENTRY_MARGIN_S),
        lost_s=lost_s,
        by_hand_s=min(case.by_hand_s, lost_s),
        capped=max(lost_s, entry_s - ENTRY_MARGIN_S) > case.cap_s,
        parts=_parts(counted, [out for out in case.outages if any(one.step == out.step for one in case.tried)]),
    )


def lost_spans(case: Case) -> list[Span]:
    """When this attempt was kept out: tried in vain, an outage of that step, its own silence, no pause, after T0."""
    kept_out: list[Span] = []
    for one in case.tried:
        # Whoever worked at a moment was not kept out before it.
        worked = max((ms for ms in case.worked_ms if ms <= one.span.until_ms), default=one.span.from_ms)
        span = Span(max(one.span.from_ms, worked), one.span.until_ms)
        kept_out += common([span], union(out.span for out in case.outages if out.step == one.step))
    return _cut(without(union(kept_out), union(case.paused)), case.starts_ms)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, ascending; empty spans fall out."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.from_ms < span.until_ms):
        if merged and span.from_ms <= merged[-1].until_ms:
            merged[-1] = Span(merged[-1].from_ms, max(merged[-1].until_ms, span.until_ms))
        else:
            merged.append(span)
    return merged


def common(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """Time that is in both."""
    right = list(right)
    return union(
        Span(max(one.from_ms, other.from_ms), min(one.until_ms, other.until_ms)) for one in left for other in right
    )


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Time of the first that is not in the second."""
    rest = list(spans)
    for hole in holes:
        rest = [
            part
            for span in rest
            for part in (
                Span(span.from_ms, min(span.until_ms, hole.from_ms)),
                Span(max(span.from_ms, hole.until_ms), span.until_ms),
            )
        ]
    return union(rest)


def _cut(spans: Iterable[Span], from_ms: int) -> list[Span]:
    return union(Span(max(span.from_ms, from_ms), span.until_ms) for span in spans)


def _standing_still(spans: Iterable[Span], end_ms: int) -> list[Span]:
    """The spans that count for a clock which stands still in each of them: one that began after its end does not."""
    counted: list[Span] = []
    for span in spans:
        if span.from_ms >= end_ms:
            break
        counted.append(span)
        end_ms += span.until_ms - span.from_ms
    return counted


def _length(spans: Iterable[Span]) -> int:
    return sum(span.until_ms - span.from_ms for span in spans)


def _parts(counted: list[Span], outages: Iterable[Outage]) -> dict[int, int]:
    parts: dict[int, int] = {}
    rest = counted
    for outage in sorted(outages, key=lambda outage: (outage.span, outage.id)):
        share = _length(common(rest, [outage.span]))
        if share:
            parts[outage.id] = share
            rest = without(rest, [outage.span])
    return parts


def _seconds(ms: int) -> int:
    return (ms + 500) // 1000
