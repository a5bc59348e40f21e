"""Places and the quota line."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.rank import hard_points, hardest_items, quota_list, ranked
from scoring.structs import TieAtLine

Row = tuple[int, str, int, int]


def frame(rows: list[Row]) -> pl.LazyFrame:
    schema = {"attempt_id": pl.Int64, "region_code": pl.String, "equated_centi": pl.Int64, "hard_centi": pl.Int64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def places(rows: list[Row], column: str = "rank_nation") -> dict[int, int]:
    return dict(ranked(frame(rows)).select("attempt_id", column).collect().iter_rows())


def test_equals_share_and_the_next_place_counts_them_all() -> None:
    """1, 2, 2, 4."""
    assert places([(1, "a", 900, 5), (2, "a", 800, 5), (3, "a", 800, 5), (4, "a", 700, 5)]) == {
        1: 1,
        2: 2,
        3: 2,
        4: 4,
    }


def test_harder_items_break_a_tie_and_never_more() -> None:
    """Equal points: the hard items decide. Fewer points: they don't help."""
    assert places([(1, "a", 800, 100), (2, "a", 800, 300), (3, "a", 700, 700)]) == {2: 1, 1: 2, 3: 3}


def test_a_region_is_ranked_by_itself() -> None:
    """The first of each region is first there."""
    rows = [(1, "a", 900, 0), (2, "b", 800, 0), (3, "a", 700, 0), (4, "b", 600, 0)]
    assert places(rows, "rank_region") == {1: 1, 2: 1, 3: 2, 4: 2}


QUOTA_ROWS: list[Row] = [
    (1, "a", 900, 0),
    (2, "a", 800, 0),
    (3, "a", 800, 0),
    (4, "a", 700, 0),
    (5, "b", 100, 0),
]


@pytest.mark.parametrize(
    ("quota", "ties", "expected"),
    [
        ({"a": 1}, TieAtLine.ALL, [1]),
        ({"a": 2}, TieAtLine.ALL, [1, 2, 3]),
        ({"a": 2}, TieAtLine.NONE, [1]),
        ({"a": 3}, TieAtLine.NONE, [1, 2, 3]),
        ({"a": 9, "b": 1}, TieAtLine.ALL, [1, 2, 3, 4, 5]),
        ({"a": 0}, TieAtLine.ALL, []),
        ({}, TieAtLine.ALL, []),
    ],
)
def test_the_quota_line(quota: dict[str, int], ties: TieAtLine, expected: list[int]) -> None:
    """Both who share the last place, or none of them."""
    chosen = quota_list(ranked(frame(QUOTA_ROWS)), quota, ties).collect()
    assert chosen["attempt_id"].to_list() == expected


def test_who_shares_the_line_is_marked() -> None:
    """The list says at whom a person must look."""
    chosen = quota_list(ranked(frame(QUOTA_ROWS)), {"a": 2}, TieAtLine.ALL).collect()
    assert dict(chosen.select("attempt_id", "at_line").iter_rows()) == {1: False, 2: True, 3: True}


def test_hardest_third() -> None:
    """Of four items two (⌈4/3⌉): the lowest facility; equal facility, the later in the test."""
    items = pl.LazyFrame(
        {
            "form_id": [1] * 4,
            "item": [1, 2, 3, 4],
            "position": [1, 2, 3, 4],
            "facility": [0.5, 0.2, 0.5, 0.9],
        },
        schema={"form_id": pl.Int32, "item": pl.Int32, "position": pl.Int16, "facility": pl.Float64},
    )
    hardest = hardest_items(items, 1 / 3)
    assert hardest.collect()["item"].to_list() == [2, 3]
    cells = pl.LazyFrame(
        {"attempt_id": [7] * 4, "form_id": [1] * 4, "item": [1, 2, 3, 4], "centi": [1, 10, 100, 1000]},
        schema={"attempt_id": pl.Int64, "form_id": pl.Int32, "item": pl.Int32, "centi": pl.Int64},
    )
    assert hard_points(cells, hardest).collect().rows() == [(7, 110)]


rows_of_pupils = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=30
).map(lambda drawn: [(n, region, centi, hard) for n, (region, centi, hard) in enumerate(drawn, 1)])


@given(rows_of_pupils)
def test_place_is_one_more_than_those_who_are_better(rows: list[Row]) -> None:
    """The definition itself, for everybody."""
    found = places(rows)
    for attempt, _, centi, hard in rows:
        assert found[attempt] == 1 + sum((c, h) > (centi, hard) for _, _, c, h in rows)


@given(rows_of_pupils, st.integers(0, 5), st.sampled_from(list(TieAtLine)))
def test_quota_is_fair(rows: list[Row], count: int, ties: TieAtLine) -> None:
    """Nobody outside is strictly better than somebody inside; equals are treated alike.

    The length is as ruled.
    """
    chosen = set(quota_list(ranked(frame(rows)), {"a": count}, ties).collect()["attempt_id"])
    inside = [(c, h) for n, r, c, h in rows if r == "a" and n in chosen]
    outside = [(c, h) for n, r, c, h in rows if r == "a" and n not in chosen]
    assert not inside or not outside or max(outside) < min(inside)
    assert len(chosen) <= count if ties is TieAtLine.NONE else len(chosen) >= min(count, len(inside) + len(outside))


@given(rows_of_pupils, st.integers(0, 10**6))
def test_order_of_rows_changes_nothing(rows: list[Row], seed: int) -> None:
    """The same list, whatever the order of the input."""
    shuffled = frame(rows).collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
    assert ranked(shuffled).collect().equals(ranked(frame(rows)).collect())
