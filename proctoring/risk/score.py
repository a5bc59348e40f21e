"""From events to a score with its reasons: pure, the same for the same events in whatever order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proctoring.risk.rules import Rule

LONGEST_S = 3600.0


class Seen(msgspec.Struct, frozen=True):
    """An event as it counts: its kind, how long it lasted, and whether only the server saw it."""

    kind: str
    seconds: float = 0.0
    by_server: bool = False


class Reason(msgspec.Struct, frozen=True):
    """A part of a score: «left the window 4 times, 38 s in all»."""

    kind: str
    times: int
    seconds: float
    weight: float


def seconds_of(data: Mapping[str, object]) -> float:
    """How long an event lasted, by its `ms`; what is no sensible number is nothing."""
    ms = data.get("ms")
    if isinstance(ms, bool) or not isinstance(ms, int | float):
        return 0.0
    return min(max(float(ms) / 1000, 0.0), LONGEST_S)


def score(events: Iterable[Seen], rules: Mapping[str, Rule]) -> tuple[float, list[Reason]]:
    """The score and its reasons, the heaviest first.

    In      events of one attempt.
    Out     sum of the kinds' weights; a reason for each kind that was seen, also for those that weigh nothing.
    Bounds  0 ≤ weight of a kind ≤ its `most`; one more event never makes it less.
    """
    times: dict[str, int] = {}
    server: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for event in events:
        if event.kind not in rules:
            continue
        if event.by_server:
            server[event.kind] = server.get(event.kind, 0) + 1
        else:
            times[event.kind] = times.get(event.kind, 0) + 1
        seconds[event.kind] = seconds.get(event.kind, 0.0) + event.seconds
    reasons = [
        Reason(
            kind,
            times.get(kind, 0) + server.get(kind, 0),
            round(total_s, 1),
            round(_weight(rules[kind], times.get(kind, 0), server.get(kind, 0), total_s), 2),
        )
        for kind, total_s in seconds.items()
    ]
    reasons.sort(key=lambda reason: (-reason.weight, reason.kind))
    return round(sum(reason.weight for reason in reasons), 2), reasons


def _weight(rule: Rule, times: int, server: int, seconds: float) -> float:
    counted = max(0.0, times + server * rule.server - rule.free_times)
    return min(rule.most, max(0.0, counted * rule.weight + max(0.0, seconds - rule.free_s) * rule.per_s))
