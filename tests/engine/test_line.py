"""The line before the final receipts: nobody falls out of it, and who lacks events holds up nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.flusher.line import AGAIN_FIRST_S, AGAIN_LAST_S, Line

ATTEMPTS = st.integers(1, 6)
TURN = st.one_of(
    st.tuples(st.just("join"), ATTEMPTS),
    st.tuples(st.just("find"), ATTEMPTS),
    st.tuples(st.just("came"), ATTEMPTS),
    st.tuples(st.sampled_from(["sealed", "lack", "failed"]), st.integers(1, 3)),
)


@given(st.lists(st.tuples(TURN, TURN | st.none()), max_size=40))
def test_whoever_handed_in_stays_in_line_until_his_receipt_is_made(turns: list[tuple[tuple[str, int], object]]) -> None:
    """Also when things happen while others are being looked at."""
    line, owed, now = Line(), set[int](), 0.0

    def happens(what: str, number: int) -> None:
        if what == "join" or (what == "find" and number not in owed):
            owed.add(number)
        if what in {"join", "find"}:
            getattr(line, what)([number], now)
        elif what == "came":
            line.events_came([number])

    for (what, number), meanwhile in turns:
        now += 1
        if what in {"join", "find", "came"}:
            happens(what, number)
            continue
        taken = line.take(number, now)
        owed -= set(taken)
        if isinstance(meanwhile, tuple):
            happens(*meanwhile)
        if what == "failed":
            line.put_back(taken)
        else:
            line.lack(taken if what == "lack" else {}, now)
        owed |= set(taken) if what != "sealed" else set()
        assert len(line) == len(owed)
    assert set(line.take(10, now + AGAIN_LAST_S)) == owed


def test_who_lacks_events_lets_others_pass_and_comes_back_when_some_came() -> None:
    line = Line()
    line.join([1, 2], 0)
    line.lack({1: line.take(1, 0)[1]}, 0)
    assert set(line.take(9, 0)) == {2}
    line.lack({}, 0)
    assert not line.take(9, AGAIN_FIRST_S / 2)
    line.events_came([1])
    assert set(line.take(9, AGAIN_FIRST_S / 2)) == {1}


def test_events_that_come_during_the_look_are_not_overlooked() -> None:
    line = Line()
    line.join([1], 0)
    turns = line.take(1, 0)
    line.events_came([1])
    line.lack(turns, 0)
    assert set(line.take(1, 0)) == {1}


def test_without_news_he_is_looked_at_ever_later() -> None:
    line = Line()
    line.join([1], 0)
    now, waits = 0.0, list[float]()
    for _ in range(9):
        turns = line.take(1, now)
        line.lack(turns, now)
        asked = now
        while 1 not in (found := line.take(1, now)):
            now += 0.25
        line.put_back(found)
        waits.append(now - asked)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (AGAIN_FIRST_S, AGAIN_LAST_S)
