"""Deadlines out of controls: what persons gave, what the rule gave back, what an end, a stop or a restart make of it."""

from __future__ import annotations

import json

import pytest

from engine.timing import Phase, SittingClock, phase
from scoring.deadlines import Control, Controls, Place

T0 = 1_800_000_000_000
MIN = 60_000
SITTING = SittingClock(waiting_opens_ms=T0 - 30 * MIN, starts_ms=T0, last_entry_ms=T0 + 15 * MIN, duration_s=3600)
PLACE = Place(sitting_id=1, region_code="KZ-10", school_id=5, attempt_id=7, extra_s=0)
STARTED = T0 + MIN


def controls(*orders: tuple[str, str, dict[str, int]]) -> Controls:
    """(scope, kind, body) in the order of their versions; scopes are those of PLACE, or of a neighbour."""
    ids = {"sitting": "1", "region": "KZ-10", "school": "5", "attempt": "7", "neighbour": "8"}
    return Controls(
        [
            Control("attempt" if scope == "neighbour" else scope, ids[scope], version, kind, json.dumps(body))
            for version, (scope, kind, body) in enumerate(orders, 1)
        ]
    )


CREDIT = ("attempt", "credit", {"credit_s": 300, "entry_s": 0})


@pytest.mark.parametrize(
    ("orders", "minutes"),
    [
        ([CREDIT], 65),
        ([("neighbour", "credit", {"credit_s": 300, "entry_s": 0})], 60),
        # Absolute: the newest stands; beside what persons gave.
        ([CREDIT, ("attempt", "credit", {"credit_s": 480, "entry_s": 0})], 68),
        ([CREDIT, ("attempt", "extra", {"extra_s": 600}), ("region", "extra", {"extra_s": 60})], 76),
        ([("school", "pause", {"since_ms": T0 + 5 * MIN}), ("school", "resume", {"paused_s": 120}), CREDIT], 67),
        ([CREDIT, ("region", "end", {"at_ms": STARTED + 30 * MIN})], 30),
        ([("region", "end", {"at_ms": STARTED + 30 * MIN}), CREDIT, ("region", "reopen", {"at_ms": T0})], 65),
    ],
)
def test_time_given_back_moves_the_deadline(orders: list[tuple[str, str, dict[str, int]]], minutes: int) -> None:
    assert controls(*orders).deadline(SITTING, PLACE, STARTED) == STARTED + minutes * MIN


def test_an_answer_in_the_time_given_back_is_in_time_and_the_sitting_ends_later() -> None:
    """No key-dependent figure shows before the last attempt with its credit is over."""
    known = controls(("attempt", "credit", {"credit_s": 300, "entry_s": 420}))
    assert known.last_end(SITTING, 0) == controls().last_end(SITTING, 0) + 720_000
    clock = known.clock(PLACE, STARTED)
    assert phase(STARTED + 63 * MIN, SITTING, clock).phase is Phase.EXTRA
    # Who has not started may enter that much longer.
    late = known.clock(PLACE, None)
    assert phase(T0 + 21 * MIN, SITTING, late).phase is Phase.OPEN
    assert phase(T0 + 23 * MIN, SITTING, late).phase is Phase.ENTRY_CLOSED


def test_a_restart_begins_without_what_the_stopped_form_got_back() -> None:
    starts = T0 + 1440 * MIN
    body = {"starts_ms": starts, "last_entry_ms": starts + 15 * MIN}
    stopped = [CREDIT, ("region", "stop", {"at_ms": T0 + 20 * MIN}), ("region", "restart", body)]
    assert controls(*stopped).deadline(SITTING, PLACE, starts + MIN) == starts + 61 * MIN
    assert controls(*stopped, CREDIT).deadline(SITTING, PLACE, starts + MIN) == starts + 66 * MIN
