"""Time a question and second thoughts, by small stories."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from scoring.structs import Kind, Mark
from scoring.timing import item_times, median_times

CAP = 600_000
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


def story(*steps: tuple[int, Kind, int | None, str | None], epoch: int = 1) -> list[tuple[object, ...]]:
    """Steps as (second, kind, item, value) on one device; received a minute later."""
    return [
        (1, epoch, seq, kind, item, value, 1_000_000, second * 1000, 1_060_000 + second * 1000, 0)
        for seq, (second, kind, item, value) in enumerate(steps, 1)
    ]


def times(rows: list[tuple[object, ...]], cap: int = CAP) -> dict[int, tuple[int, int, int, int]]:
    table = item_times(pl.LazyFrame(rows, schema=SCHEMA, orient="row"), cap).collect()
    return {item: rest for _, item, *rest in table.iter_rows()}  # type: ignore[misc]


def test_time_goes_to_the_item_on_the_screen() -> None:
    """7 is open for 10 s, then 8 for 5 s, then 7 again for 20 s until the finish."""
    rows = story(
        (0, Kind.VIEW, 7, None),
        (10, Kind.VIEW, 8, None),
        (15, Kind.VIEW, 7, None),
        (35, Kind.FINISH, None, None),
    )
    assert times(rows) == {7: [30_000, 2, 0, 0], 8: [5_000, 1, 0, 0]}


def test_answers_and_changes() -> None:
    """A first answer is no change; the same again is none; another is one; clearing is one."""
    rows = story(
        (0, Kind.VIEW, 7, None),
        (1, Kind.ANSWER, 7, "1"),
        (2, Kind.ANSWER, 7, "1"),
        (3, Kind.ANSWER, 7, "2"),
        (4, Kind.ANSWER, 7, "null"),
        (5, Kind.FINISH, None, None),
    )
    assert times(rows) == {7: [5_000, 1, 3, 2]}


def test_time_away_from_the_page_counts_for_no_item() -> None:
    """A phone call of a minute in the middle."""
    rows = story(
        (0, Kind.VIEW, 7, None),
        (10, Kind.FOCUS_LOST, None, None),
        (70, Kind.FOCUS_BACK, None, None),
        (75, Kind.FINISH, None, None),
    )
    assert times(rows) == {7: [15_000, 1, 0, 0]}


def test_a_pupil_who_went_away_counts_the_cap() -> None:
    """An hour on one question says that nobody sat there."""
    assert times(story((0, Kind.VIEW, 7, None), (3600, Kind.FINISH, None, None))) == {7: [CAP, 1, 0, 0]}


def test_the_gap_between_two_devices_counts_for_neither() -> None:
    """The first phone died at second 10; the second took over at 300."""
    rows = story((0, Kind.VIEW, 7, None), (10, Kind.ANSWER, 7, "1"))
    rows += story((300, Kind.VIEW, 7, None), (304, Kind.FINISH, None, None), epoch=2)
    assert times(rows) == {7: [14_000, 2, 1, 0]}


def test_an_unproven_anchor_is_replaced_by_the_receipt() -> None:
    """A forged time can't stretch a look."""
    rows = [
        (1, 1, 1, Kind.VIEW, 7, None, 5, 0, 1_000, int(Mark.ANCHOR_UNVERIFIED)),
        (1, 1, 2, Kind.FINISH, None, None, 5, 0, 3_000, int(Mark.ANCHOR_UNVERIFIED)),
    ]
    assert times(rows) == {7: [2_000, 1, 0, 0]}


def test_median_time_of_an_item() -> None:
    """Of 1, 2 and 9 seconds: 2."""
    looked = pl.LazyFrame(
        {"attempt_id": [1, 2, 3], "item": [7, 7, 7], "time_ms": [1000, 2000, 9000]},
        schema={"attempt_id": pl.Int64, "item": pl.Int32, "time_ms": pl.Int64},
    )
    items = pl.LazyFrame({"item": [7], "form_id": [1]}, schema={"item": pl.Int32, "form_id": pl.Int32})
    assert median_times(looked, items).collect().rows() == [(1, 7, 2000.0, 3)]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from([1, 2, 5, 6, 10]), st.integers(1, 3)), max_size=25),
    st.integers(0, 10**6),
)
def test_time_is_never_negative_nor_more_than_the_sitting(steps: list[tuple[int, int, int]], seed: int) -> None:
    """Whatever a device says, and in whatever order the rows come."""
    rows = story(*[(second, Kind(kind), item, "1") for second, kind, item in steps])
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    found = item_times(table.lazy(), CAP).collect()
    assert (found["time_ms"] >= 0).all()
    assert found.equals(item_times(table.sample(fraction=1, shuffle=True, seed=seed).lazy(), CAP).collect())
