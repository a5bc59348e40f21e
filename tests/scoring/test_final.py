"""Which answer stands: rules 7 to 9 of DESIGN §1 as tables."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.final import counted, final_responses, judged, waiting
from scoring.structs import Decision, Kind, LatePolicy, Mark, SupersededPolicy

DEADLINE, GRACE = 100_000, 20_000
SCHEMA = {
    "attempt_id": pl.Int64,
    "epoch": pl.Int16,
    "seq": pl.Int32,
    "kind": pl.Int16,
    "item": pl.Int32,
    "value": pl.String,
    "anchor_ms": pl.Int64,
    "since_ms": pl.Int32,
    "received_ms": pl.Int64,
    "marks": pl.Int16,
}
Row = tuple[int, int, int, int, int | None, str | None, int | None, int | None, int, int]


def answer(
    value: str | None,
    *,
    item: int = 7,
    epoch: int = 1,
    seq: int = 1,
    anchor: int | None = 1000,
    since: int = 0,
    received: int = 50_000,
    marks: int = 0,
) -> Row:
    return (1, epoch, seq, Kind.ANSWER, item, value, anchor, since, received, marks)


def finish(*, epoch: int = 1, seq: int, received: int = 60_000) -> Row:
    return (1, epoch, seq, Kind.FINISH, None, None, 1000, 0, received, 0)


def frame(rows: list[Row]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


def attempts(reopened: int | None = None, deadline: int | None = DEADLINE) -> pl.LazyFrame:
    schema = {"attempt_id": pl.Int64, "deadline_ms": pl.Int64, "reopened_ms": pl.Int64}
    return pl.LazyFrame([(1, deadline, reopened)], schema=schema, orient="row")


def responses(
    rows: list[Row],
    late: LatePolicy = LatePolicy.PERSON,
    superseded: SupersededPolicy = SupersededPolicy.FILL,
    decisions: tuple[Decision, ...] = (),
    reopened: int | None = None,
) -> dict[int, str | None]:
    events = counted(judged(frame(rows), attempts(reopened), GRACE), late, superseded, decisions)
    return dict(final_responses(events).select("item", "value").collect().iter_rows())


def standings(rows: list[Row], reopened: int | None = None) -> list[str]:
    return judged(frame(rows), attempts(reopened), GRACE).collect()["standing"].to_list()


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("the last answer stands", [answer("1", seq=1), answer("2", seq=2)], {7: "2"}),
        (
            "order is seq, not receipt",
            [answer("2", seq=2, received=10), answer("1", seq=1, received=90)],
            {7: "2"},
        ),
        (
            "a later device stands over a higher seq",
            [answer("1", seq=9), answer("2", epoch=2, seq=1)],
            {7: "2"},
        ),
        ("a cleared answer is no answer", [answer("1", seq=1), answer("null", seq=2)], {7: None}),
        (
            "cleared on the later device stays cleared",
            [answer("1", seq=5), answer("null", epoch=2)],
            {7: None},
        ),
        ("each item for itself", [answer("1", item=7), answer("2", item=8, seq=2)], {7: "1", 8: "2"}),
        ("an unknown item is stored, not scored", [answer("1", marks=Mark.UNKNOWN_ITEM)], {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_last_answer(name: str, rows: list[Row], expected: dict[int, str | None]) -> None:
    """Order is (device epoch, seq); nothing else."""
    assert responses(rows) == expected, name


@pytest.mark.parametrize(
    ("anchor", "received", "marks", "expected"),
    [
        (DEADLINE, DEADLINE, 0, "in_time"),
        (DEADLINE, DEADLINE + GRACE, 0, "in_time"),
        (DEADLINE, DEADLINE + GRACE + 1, 0, "undecided"),
        (DEADLINE + 1, DEADLINE + 2, 0, "late"),
        (DEADLINE + 1, DEADLINE + GRACE + 1, 0, "late"),
        (None, DEADLINE + GRACE, 0, "in_time"),
        (None, DEADLINE + GRACE + 1, 0, "undecided"),
        (DEADLINE + 1, DEADLINE + 2, Mark.ANCHOR_UNVERIFIED, "in_time"),
        (DEADLINE + 1, DEADLINE + GRACE + 1, Mark.ANCHOR_UNVERIFIED, "undecided"),
    ],
)
def test_lateness_around_the_deadline(anchor: int | None, received: int, marks: int, expected: str) -> None:
    """Anchor after the deadline: late. Received up to deadline + grace: in time. Else undecided."""
    assert standings([answer("1", anchor=anchor, received=received, marks=marks)]) == [expected]


def test_without_a_deadline_nothing_is_late() -> None:
    """An attempt that never got its key has no deadline; what it sent is in time."""
    events = judged(frame([answer("1", received=10**12)]), attempts(deadline=None), GRACE)
    assert events.collect()["standing"].to_list() == ["in_time"]


def test_silence_is_what_the_device_cannot_prove() -> None:
    """Received 200 s, newest server time 40 s, 30 s measured since: 130 s of silence."""
    events = judged(frame([answer("1", anchor=40_000, since=30_000, received=200_000)]), attempts(), GRACE)
    assert events.collect()["silence_ms"].to_list() == [130_000]


@pytest.mark.parametrize(
    ("policy", "decisions", "expected"),
    [
        (LatePolicy.COUNT, (), "2"),
        (LatePolicy.COUNT, (Decision(1, count=False, reason="seen on the wall"),), "1"),
        (LatePolicy.REFUSE, (), "1"),
        (LatePolicy.REFUSE, (Decision(1, count=True, reason="dead line"),), "1"),
        (LatePolicy.PERSON, (), "1"),
        (LatePolicy.PERSON, (Decision(1, count=True, reason="dead line"),), "2"),
        (LatePolicy.PERSON, (Decision(2, count=True, reason="another pupil"),), "1"),
        (LatePolicy.PERSON, (Decision(1, count=True, reason="a"), Decision(1, count=False, reason="b")), "1"),
    ],
)
@pytest.mark.parametrize("received", [DEADLINE + GRACE + 5, 70_000])
def test_policy_decides_what_is_not_in_time(
    policy: LatePolicy, decisions: tuple[Decision, ...], expected: str, received: int
) -> None:
    """The same table for undecided events and for those after a finish."""
    rows = [answer("1", seq=1), answer("2", seq=3, received=received)]
    if received < DEADLINE:
        rows.append(finish(seq=2))
    assert responses(rows, late=policy, decisions=decisions) == {7: expected}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(SupersededPolicy.FILL, {7: "new", 8: "old"}), (SupersededPolicy.IGNORE, {7: "new"})],
)
def test_superseded_device_fills_only_what_no_later_device_answered(
    policy: SupersededPolicy, expected: dict[int, str]
) -> None:
    """The old phone's late answers: item 7 was answered on the new one, item 8 was not."""
    rows = [
        answer("old", item=7, epoch=1, seq=4, marks=Mark.SUPERSEDED),
        answer("old", item=8, epoch=1, seq=5, marks=Mark.SUPERSEDED),
        answer("new", item=7, epoch=2, seq=1),
    ]
    assert responses(rows, superseded=policy) == expected


def test_answers_made_before_the_finish_count_however_late_they_arrive_in_order() -> None:
    """A repeat that comes after the finish event was made before it: order decides, not receipt."""
    rows = [finish(seq=3, received=60_000), answer("1", seq=2, received=70_000, marks=Mark.AFTER_FINISH)]
    assert responses(rows) == {7: "1"}


@pytest.mark.parametrize(
    ("reopened", "received", "expected"), [(None, 80_000, "1"), (75_000, 80_000, "2"), (90_000, 80_000, "1")]
)
def test_a_hand_in_taken_back(reopened: int | None, received: int, expected: str) -> None:
    """After the hand-in was taken back answers count again; what came before that does not."""
    rows = [answer("1", seq=1), finish(seq=2), answer("2", seq=3, received=received)]
    assert responses(rows, reopened=reopened) == {7: expected}


def test_a_second_hand_in_keeps_what_lies_between() -> None:
    """Taken back, gone on, handed in again, and one more tap: only that tap is after the finish."""
    rows = [
        finish(seq=1),
        answer("1", seq=2, received=70_000),
        finish(seq=3, received=80_000),
        answer("2", seq=4, received=60_500),
    ]
    assert responses(rows, reopened=65_000) == {7: "1"}


def test_waiting_lists_what_a_person_must_know() -> None:
    """How many answers it would change, how long the silence was, and what was decided."""
    late = DEADLINE + GRACE + 10_000
    rows = [
        answer("1", item=7, seq=1),
        answer("1", item=7, seq=2, received=late, anchor=90_000),
        answer("5", item=8, seq=3, received=late, anchor=80_000, since=10_000),
    ]
    events = judged(frame(rows), attempts(), GRACE)
    decisions = [Decision(1, count=True, reason="the line was dead")]
    (row,) = waiting(events, SupersededPolicy.FILL, decisions).collect().to_dicts()
    assert row == {
        "attempt_id": 1,
        "answers": 2,
        "late": 0,
        "undecided": 2,
        "after_finish": 0,
        "would_change": 1,
        "longest_silence_ms": late - 90_000,
        "decision": "count",
    }


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(1, 3), st.sampled_from("1234")),
        max_size=30,
        unique_by=lambda e: e[:2],
    ),
    st.randoms(),
)
def test_order_of_rows_changes_nothing(drawn: list[tuple[int, int, int, str]], random: object) -> None:
    """Whatever order the database gives, the same responses stand."""
    rows = [answer(value, item=item, epoch=epoch, seq=seq) for epoch, seq, item, value in drawn]
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert responses(rows) == responses(shuffled)
