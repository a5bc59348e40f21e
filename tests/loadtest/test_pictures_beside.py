"""Pictures beside answers: paced as phones come, and every acknowledged one is looked up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench import both
from loadtest.bench.picture_phones import Pace, picture_of

if TYPE_CHECKING:
    from loadtest.bench.figures import Figure


@given(rate=st.floats(1, 10_000), ramp_s=st.sampled_from([0.0, 1.0, 80.0]), number=st.integers(0, 100_000))
def test_a_picture_is_due_when_its_time_has_come_and_not_before(rate: float, ramp_s: float, number: int) -> None:
    pace = Pace(rate, ramp_s)
    # The first is due at once, so as many as its number are due before it.
    assert pace.due_by(pace.due_at(number)) in {number - 1, number}


def test_within_a_ramp_fewer_are_due() -> None:
    assert Pace(100, 10).due_by(10) == 500
    assert Pace(100, 0).due_by(10) == 1000


def test_every_candidate_sends_in_turn() -> None:
    assert [picture_of(turn, 3) for turn in range(5)] == [(0, 1), (1, 1), (2, 1), (0, 2), (1, 2)]


@pytest.mark.wide
def test_answers_are_measured_beside_pictures_that_are_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Figure] = []
    monkeypatch.setattr(both, "write", written.append)
    asyncio.run(both.growth(candidates=300, rounds=1, seconds=4))
    (figure,) = written
    assert figure.metric == "answers_p99_growth"
    assert "80 of 80 pictures acknowledged, refused {}, 0 lost, 0 doubled" in figure.basis
