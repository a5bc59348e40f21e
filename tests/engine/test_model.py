"""The model searched exhaustively: with the rules nothing is lost, and each rule that is dropped loses an answer."""

from __future__ import annotations

import pytest

from tests.engine.model import Rules, search


def test_one_answer_is_safe_in_every_state_that_can_be_reached() -> None:
    """Not to a depth: the search ends because there is no further state."""
    found = search(Rules(), events=1, depth=60, most_failures=1)
    assert found.way is None
    assert found.depth < 60


@pytest.mark.parametrize(("events", "depth", "failures"), [(1, 13, 2), (2, 9, 1)])
def test_more_answers_and_failures_are_safe_as_deep_as_was_searched(events: int, depth: int, failures: int) -> None:
    assert search(Rules(), events=events, depth=depth, most_failures=failures).way is None


@pytest.mark.parametrize(
    "dropped", ["new_stream_after_loss", "guarded_position", "events_with_position", "durable_by_own_stream"]
)
def test_each_rule_is_needed(dropped: str) -> None:
    """Without it the search finds the way to the loss; the model is not blind."""
    found = search(Rules(**{dropped: False}), events=2, depth=8, most_failures=1)
    assert found.way is not None
    assert len(found.way) <= 6
