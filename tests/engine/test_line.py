"""The line before the final receipts: nobody falls out of it, and who lacks events or floods it holds up nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.flusher.line import AGAIN_FIRST_S, AGAIN_LAST_S, FREE_LOOKS, REST_LAST_S, Line, settled

ATTEMPTS = st.integers(1, 6)
MEANWHILE = st.tuples(st.sampled_from(["join", "find", "came"]), ATTEMPTS)
LOOK = st.tuples(st.sampled_from(["sealed", "lack", "failed"]), st.integers(1, 3))


@given(st.lists(st.tuples(MEANWHILE | LOOK, MEANWHILE | st.none(), st.sampled_from([0.1, 1, 30])), max_size=60))
def test_whoever_handed_in_stays_in_line_until_his_receipt_is_made(
    turns: list[tuple[tuple[str, int], tuple[str, int] | None, float]],
) -> None:
    """Also when things happen while others are being looked at."""
    line, owed, now = Line(), set[int](), 0.0

    def happens(what: str, number: int) -> None:
        if what in {"join", "find"}:
            owed.add(number)
            getattr(line, what)([number], now)
        else:
            line.events_came([number], now)

    for (what, number), meanwhile, passed in turns:
        now += passed
        if what in {"join", "find", "came"}:
            happens(what, number)
            continue
        taken = set(line.take(number, now))
        assert taken <= owed
        touched = set[int]()
        if meanwhile is not None:
            happens(*meanwhile)
            # He is found, but he is just being looked at: that look is the one that counts.
            touched = {meanwhile[1]} & taken if meanwhile[0] != "find" else set()
        if what == "failed":
            line.put_back()
        else:
            line.done(taken if what == "lack" else set(), now)
        if what == "sealed":
            owed -= taken - touched
        assert len(line) == len(owed)
    assert set(line.take(10, now + REST_LAST_S)) == owed


def test_who_lacks_events_lets_others_pass_and_comes_back_when_some_came() -> None:
    line = Line()
    line.join([1, 2], 0)
    assert set(line.take(1, 0)) == {1}
    line.done({1}, 0)
    assert set(line.take(9, 0)) == {2}
    line.done(set(), 0)
    assert not line.take(9, AGAIN_FIRST_S / 2)
    line.events_came([1], AGAIN_FIRST_S / 2)
    assert set(line.take(9, AGAIN_FIRST_S / 2)) == {1}


def test_events_that_come_during_the_look_are_not_overlooked() -> None:
    line = Line()
    line.join([1], 0)
    line.take(1, 0)
    line.events_came([1], 0)
    line.done({1}, 0)
    assert set(line.take(1, 0)) == {1}


def test_without_news_he_is_looked_at_ever_later() -> None:
    line = Line()
    line.join([1], 0)
    now, waits = 0.0, list[float]()
    line.take(1, now)
    for _ in range(FREE_LOOKS):
        line.done({1}, now)
        looked = now
        while not line.take(1, now):
            now += 0.25
        waits.append(now - looked)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (AGAIN_FIRST_S, AGAIN_LAST_S)


def test_who_hands_in_again_and_again_costs_a_look_a_minute_and_the_others_nothing() -> None:
    """Each look hashes his log, and twenty thousand events are a long one."""
    line, looks = Line(), 0
    for second in range(600):
        line.join([1], second)
        line.events_came([1], second)
        if line.take(1, second):
            looks += 1
            line.done({1} if second % 2 else set(), second)
    assert looks <= FREE_LOOKS + 6 + 600 / REST_LAST_S
    line.join([2], 600)
    assert 2 in line.take(9, 600)


def test_a_pupil_who_takes_his_hand_in_back_twice_waits_for_nothing() -> None:
    line = Line()
    for second in range(3):
        line.join([1], second)
        assert set(line.take(1, second)) == {1}
        line.done(set(), second)


def test_nothing_is_called_missing_while_it_may_be_on_its_way() -> None:
    line = Line()
    line.join([1], 10)
    turns = line.take(1, 11)
    assert not settled(turns, 10)
    assert settled(turns, 10.5) == {1}
