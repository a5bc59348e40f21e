"""Time given back (DESIGN §2): worked examples by hand, and what must hold whatever happens."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.credit import ENTRY_MARGIN_S, NOTHING, STEPS, Case, Outage, Span, Tried, common, credit, union, without

MIN = 60_000
# T0 is minute 0; the plain scene: last entry at 15, an hour of one's own.


def tried(step: str, first: float, last: float) -> Tried:
    return Tried(step=step, span=Span(round(first * MIN), round(last * MIN)))


def outage(step: str, first: float, last: float, number: int = 1) -> Outage:
    return Outage(id=number, step=step, span=Span(round(first * MIN), round(last * MIN)))


def case(*facts: Tried | Outage, worked: tuple[float, ...] = (), started: float | None = 1, **more: object) -> Case:
    known: dict[str, object] = {
        "tried": [fact for fact in facts if isinstance(fact, Tried)],
        "outages": [fact for fact in facts if isinstance(fact, Outage)],
        "worked_ms": [round(minute * MIN) for minute in worked],
        "starts_ms": 0,
        "entry_ms": 15 * MIN,
        "started_ms": None if started is None else round(started * MIN),
        "deadline_ms": None if started is None else round((started + 60) * MIN),
        "fixed_end": False,
        "cap_s": 1800,
    }
    return Case(**(known | more))  # type: ignore[arg-type]


def test_who_could_not_come_back_gets_that_time() -> None:
    """The phone died at 10; from 12 he tried, until the outage of 11–20 was over."""
    given_back = credit(case(tried("resume", 12, 20), outage("resume", 11, 20), worked=(2, 10)))
    assert (given_back.clock_s, given_back.entry_s, given_back.parts) == (480, 0, {1: 8 * MIN})


def test_the_union_counts_once() -> None:
    """Sign-in and coming back failed in turn, two outages lie over each other: one time."""
    facts = (
        *(tried("sign-in", 12, 18), tried("resume", 16, 20)),
        *(outage("sign-in", 10, 18, 1), outage("resume", 10, 20, 2), outage("sign-in", 11, 17, 3)),
    )
    given_back = credit(case(*facts, worked=(9,)))
    assert given_back.clock_s == 480
    assert sum(given_back.parts.values()) == 8 * MIN


def test_a_working_player_gets_nothing() -> None:
    """He wrote until the end of the outage on another device; and saving alone costs nobody anything."""
    assert credit(case(tried("resume", 12, 20), outage("resume", 11, 20), worked=(12, 15, 20))).clock_s == 0
    assert credit(case(tried("resume", 12, 20), outage("resume", 11, 20), worked=(12, 19))).clock_s == 60
    assert credit(case(tried("resume", 12, 20), outage("save", 11, 20))) == NOTHING


@pytest.mark.parametrize(
    "facts",
    [
        (tried("resume", 12, 20),),
        (outage("resume", 12, 20),),
        (tried("resume", 12, 20), outage("sign-in", 12, 20)),
        (tried("resume", 12, 20), outage("resume", 20, 30)),
    ],
)
def test_neither_the_phone_nor_an_outage_alone_gives_time(facts: tuple[Tried | Outage, ...]) -> None:
    assert credit(case(*facts)) == NOTHING


def test_before_the_own_start_the_entry_stays_open_and_no_clock_ran() -> None:
    """An hour of one's own begins with the key: who got it late has lost the way in, not the hour."""
    kept_out = (tried("key", 1, 20), outage("key", 0, 20))
    waits = credit(case(*kept_out, started=None))
    assert (waits.clock_s, waits.entry_s) == (0, 19 * 60 + ENTRY_MARGIN_S)
    assert credit(case(*kept_out, started=20)).clock_s == 0


def test_with_one_end_for_all_the_clock_runs_from_t0() -> None:
    """Waiting at a sign-in that does not work costs time then, from T0 on."""
    one_end = {"fixed_end": True, "deadline_ms": 60 * MIN}
    given_back = credit(case(tried("sign-in", -5, 10), outage("sign-in", -8, 10), started=10, **one_end))
    assert (given_back.clock_s, given_back.entry_s) == (600, 0)


def test_a_clock_that_ran_out_in_the_outage_goes_on_where_it_stood() -> None:
    """11 minutes were left at 50 when it began; at 75, when it ended, 11 are left again."""
    given_back = credit(case(tried("resume", 50, 75), outage("resume", 40, 75), worked=(49,)))
    assert given_back.clock_s == 25 * 60
    # What begins after the end takes nothing.
    assert credit(case(tried("resume", 62, 75), outage("resume", 62, 75))) == NOTHING


def test_cap_pause_and_what_a_person_gave_are_taken_off() -> None:
    long = (tried("resume", 5, 55), outage("resume", 5, 55))
    assert (credit(case(*long)).clock_s, credit(case(*long)).capped) == (1800, True)
    assert credit(case(*long, by_hand_s=600)).clock_s == 1200
    assert credit(case(*long, by_hand_s=9000)).clock_s == 0
    paused = credit(case(tried("resume", 10, 20), outage("resume", 10, 20), paused=[Span(12 * MIN, 15 * MIN)]))
    assert paused.clock_s == 7 * 60


spans = st.tuples(st.integers(-20, 90), st.integers(1, 40)).map(lambda pair: Span(pair[0] * MIN, sum(pair) * MIN))
tries = st.lists(st.builds(Tried, step=st.sampled_from(STEPS), span=spans), max_size=5)
outages = st.lists(st.tuples(st.sampled_from([*STEPS, "save"]), spans), max_size=5).map(
    lambda found: [Outage(id=number, step=step, span=span) for number, (step, span) in enumerate(found, 1)]
)
cases = st.builds(
    Case,
    tried=tries,
    outages=outages,
    worked_ms=st.lists(st.integers(0, 90 * MIN), max_size=5),
    paused=st.lists(spans, max_size=2),
    starts_ms=st.just(0),
    entry_ms=st.just(15 * MIN),
    started_ms=st.none() | st.integers(0, 15 * MIN),
    deadline_ms=st.integers(60 * MIN, 75 * MIN),
    fixed_end=st.booleans(),
    by_hand_s=st.integers(0, 1200),
    cap_s=st.integers(0, 3600),
)


def minutes(found: list[Span]) -> int:
    return sum(span.until_ms - span.from_ms for span in found)


@given(cases)
def test_never_more_than_the_system_knows_nor_than_was_tried(one: Case) -> None:
    """A phone's word alone gives nothing, nor does an outage that it did not meet; nobody gains over the cap."""
    found = credit(one)
    known = union(out.span for out in one.outages if out.step in STEPS)
    most_ms = minutes(common(known, union(tries.span for tries in one.tried)))
    assert 0 <= found.clock_s <= min(one.cap_s, -(-most_ms // 1000))
    assert 0 <= found.entry_s <= -(-most_ms // 1000) + ENTRY_MARGIN_S
    assert sum(found.parts.values()) <= most_ms


@given(cases, st.randoms(use_true_random=False))
def test_repeats_and_order_change_nothing(one: Case, random) -> None:  # noqa: ANN001
    shuffled = [*one.tried, *one.tried]
    random.shuffle(shuffled)
    other = list(one.outages)
    random.shuffle(other)
    assert credit(msgspec.structs.replace(one, tried=shuffled, outages=other)) == credit(one)


@given(cases, spans, st.sampled_from(STEPS))
def test_one_outage_more_never_takes_time_away(one: Case, span: Span, step: str) -> None:
    more = msgspec.structs.replace(one, outages=[*one.outages, Outage(id=99, step=step, span=span)])
    assert credit(more).clock_s >= credit(one).clock_s
    assert credit(more).entry_s >= credit(one).entry_s


@given(cases)
def test_what_was_worked_or_paused_is_not_lost(one: Case) -> None:
    """Work at the very end of each try proves that he was in all the time."""
    ends = [tries.span.until_ms for tries in one.tried]
    assert credit(msgspec.structs.replace(one, worked_ms=ends)) == NOTHING
    assert credit(msgspec.structs.replace(one, paused=[Span(-(2**40), 2**40)])) == NOTHING


@given(st.lists(spans, max_size=6), st.lists(spans, max_size=6))
def test_time_is_what_is_common_and_what_is_not(left: list[Span], right: list[Span]) -> None:
    """The three operations agree with counting minute by minute."""

    def held(found: list[Span]) -> set[int]:
        return set(itertools.chain.from_iterable(range(s.from_ms // MIN, s.until_ms // MIN) for s in found))

    assert held(union(left)) == held(left)
    assert held(common(left, right)) == held(left) & held(right)
    assert held(without(left, union(right))) == held(left) - held(right)
