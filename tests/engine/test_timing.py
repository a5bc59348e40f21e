"""The time rules as partitions of the line: at each border and just around it, exactly one phase holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.timing import AttemptClock, Phase, Restart, SittingClock, deadline_ms, last_possible_end_ms, phase

MINUTE = 60_000
NEVER = AttemptClock()
P = Phase


def at(clock: str) -> int:
    """«09:30» as milliseconds of the day."""
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE


SITTING = SittingClock(
    waiting_opens_ms=at("09:00"), starts_ms=at("10:00"), last_entry_ms=at("10:15"), duration_s=3600, grace_s=120
)
FIXED_END = SittingClock(
    waiting_opens_ms=at("09:00"),
    starts_ms=at("10:00"),
    last_entry_ms=at("10:15"),
    duration_s=3600,
    ends_ms=at("11:00"),
    grace_s=120,
)


def started(clock: str, **more: int | Restart | None) -> AttemptClock:
    """An attempt whose key was released then."""
    return AttemptClock(started_ms=at(clock), **more)


CASES: dict[str, tuple[SittingClock, AttemptClock, list[tuple[str, Phase]]]] = {
    "never came": (
        SITTING,
        NEVER,
        [("00:00", P.CLOSED), ("09:00", P.WAITING), ("10:00", P.OPEN), ("10:15", P.ENTRY_CLOSED)],
    ),
    "on time": (SITTING, started("10:00"), [("10:00", P.RUNNING), ("11:00", P.GRACE), ("11:02", P.OVER)]),
    "at the last entry": (SITTING, started("10:14"), [("10:14", P.RUNNING), ("11:14", P.GRACE), ("11:16", P.OVER)]),
    "extra time": (
        SITTING,
        started("10:00", extra_s=600),
        [("10:00", P.RUNNING), ("11:00", P.EXTRA), ("11:10", P.GRACE), ("11:12", P.OVER)],
    ),
    "was paused for five minutes": (
        SITTING,
        started("10:00", paused_s=300),
        [("10:00", P.RUNNING), ("11:00", P.EXTRA), ("11:05", P.GRACE), ("11:07", P.OVER)],
    ),
    "paused and not resumed": (
        SITTING,
        started("10:00", paused_since_ms=at("10:30")),
        [("10:00", P.RUNNING), ("10:30", P.PAUSED)],
    ),
    "a pause after the end changes nothing": (
        SITTING,
        started("10:00", paused_since_ms=at("11:01")),
        [("10:00", P.RUNNING), ("11:00", P.GRACE), ("11:02", P.OVER)],
    ),
    "stopped, goes on in the afternoon": (
        SITTING,
        AttemptClock(restart=Restart(at("15:00"), at("15:20"))),
        [("00:00", P.CLOSED), ("14:00", P.WAITING), ("15:00", P.OPEN), ("15:20", P.ENTRY_CLOSED)],
    ),
    "stopped, gone on, started": (
        SITTING,
        started("15:05", restart=Restart(at("15:00"), at("15:20"))),
        [("15:05", P.RUNNING), ("16:05", P.GRACE), ("16:07", P.OVER)],
    ),
    "a fixed end moves with the restart": (
        FIXED_END,
        started("15:05", restart=Restart(at("15:00"), at("15:20"))),
        [("15:05", P.RUNNING), ("16:00", P.GRACE), ("16:02", P.OVER)],
    ),
    "ended by a person": (
        SITTING,
        started("10:00", ended_ms=at("10:40")),
        [("10:00", P.RUNNING), ("10:40", P.GRACE), ("10:42", P.OVER)],
    ),
    "an end later than the own end moves nothing": (
        SITTING,
        started("10:00", ended_ms=at("11:30")),
        [("10:00", P.RUNNING), ("11:00", P.GRACE), ("11:02", P.OVER)],
    ),
    "fixed end for all": (FIXED_END, started("10:14"), [("10:14", P.RUNNING), ("11:00", P.GRACE), ("11:02", P.OVER)]),
    "fixed end and extra time": (
        FIXED_END,
        started("10:14", extra_s=1200),
        [("10:14", P.RUNNING), ("11:00", P.EXTRA), ("11:20", P.GRACE), ("11:22", P.OVER)],
    ),
    "held back before the start": (
        SITTING,
        AttemptClock(paused_since_ms=at("10:05")),
        [("09:00", P.WAITING), ("10:00", P.OPEN), ("10:05", P.PAUSED)],
    ),
    "held back for ten minutes: entry is open for ten minutes more": (
        SITTING,
        AttemptClock(paused_s=600),
        [("10:00", P.OPEN), ("10:25", P.ENTRY_CLOSED)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_moment_has_the_phase_that_the_partition_says(name: str) -> None:
    sitting, attempt, partition = CASES[name]
    ends = [at(clock) for clock, _ in partition[1:]] + [at(partition[-1][0]) + 24 * 60 * MINUTE]
    for (clock, expected), end in zip(partition, ends, strict=True):
        begin = at(clock)
        for now in (begin, begin + 1, (begin + end) // 2, end - 1):
            moment = phase(now, sitting, attempt)
            assert moment.phase is expected, f"{name}: {now - begin} ms after {clock}"
            assert moment.since_ms is None or moment.since_ms <= now
            assert moment.until_ms is None or now < moment.until_ms


times = st.integers(min_value=0, max_value=10**9)


@given(times, times, st.integers(0, 7200), st.integers(0, 7200))
def test_extra_time_and_pauses_never_take_time_away(start: int, wait: int, extra: int, paused: int) -> None:
    """Whatever staff give, nobody's deadline comes earlier."""
    sitting = SittingClock(waiting_opens_ms=0, starts_ms=start, last_entry_ms=start + wait, duration_s=3600)
    plain = deadline_ms(sitting, AttemptClock(started_ms=start))
    given_more = deadline_ms(sitting, AttemptClock(started_ms=start, extra_s=extra, paused_s=paused))
    assert plain is not None
    assert given_more is not None
    assert given_more - plain == 1000 * (extra + paused)


@given(times, st.integers(1, 3600), st.integers(0, 3600), st.integers(0, 600))
def test_nobody_is_over_after_the_last_possible_end(start: int, entry_s: int, extra: int, grace: int) -> None:
    """The moment from which key-dependent figures may show is after everybody's own."""
    sitting = SittingClock(
        waiting_opens_ms=0, starts_ms=start, last_entry_ms=start + 1000 * entry_s, duration_s=3600, grace_s=grace
    )
    latest = AttemptClock(started_ms=sitting.last_entry_ms - 1, extra_s=extra)
    assert phase(last_possible_end_ms(sitting, extra), sitting, latest).phase is Phase.OVER
