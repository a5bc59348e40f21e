"""Scales against worked examples, and what must hold for any scores."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.equate import equated
from scoring.scale import linear, percent_right, percentile_rank, stanine, t_score, z_score

points = st.lists(st.integers(0, 6000), min_size=1, max_size=40)


def scores(centi: list[int], maximum: int = 6000) -> pl.LazyFrame:
    table = pl.LazyFrame(
        {
            "attempt_id": range(len(centi)),
            "form_id": [1] * len(centi),
            "centi": centi,
            "max_centi": [maximum] * len(centi),
        },
        schema={"attempt_id": pl.Int64, "form_id": pl.Int32, "centi": pl.Int64, "max_centi": pl.Int64},
    )
    return equated(table, (), 1)


def all_scales(frame: pl.LazyFrame) -> pl.DataFrame:
    scaled = linear(linear(percent_right(frame), "scaled_0_100", 0, 100), "scaled_100_200", 100, 200)
    return stanine(percentile_rank(t_score(z_score(scaled)))).collect()


def test_percent_and_linear_scales() -> None:
    """37 of 60 points: 61.67 %, 62 and 162; half rounds up: 1 of 200 points is 0.5 → 1."""
    row = all_scales(scores([3700])).row(0, named=True)
    assert (row["percent"], row["scaled_0_100"], row["scaled_100_200"]) == (61.67, 62, 162)
    assert linear(scores([100], 20_000), "s", 0, 100).collect()["s"].to_list() == [1]
    assert linear(scores([0, 6000]), "s", 100, 200).collect()["s"].to_list() == [100, 200]


def test_z_and_t_by_hand() -> None:
    """2 4 4 4 5 5 7 9: mean 5, deviation of the population 2.

    So 9 is z = 2, T = 70, and 2 is z = −1.5, T = 35.
    """
    table = all_scales(scores([200, 400, 400, 400, 500, 500, 700, 900]))
    assert table["z"].to_list() == pytest.approx([-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2])
    assert table["t"].to_list() == [35.0, 45.0, 45.0, 45.0, 50.0, 50.0, 60.0, 70.0]


def test_percentile_rank_by_hand() -> None:
    """1 2 2 4: below + half of equal: .5, 2, 2, 3.5 of 4."""
    assert percentile_rank(scores([1, 2, 2, 4])).collect()["percentile_rank"].to_list() == [
        12.5,
        50.0,
        50.0,
        87.5,
    ]


def test_stanines_of_a_hundred() -> None:
    """A hundred different scores: 4, 7, 12, 17, 20, 17, 12, 7, 4 of them."""
    table = all_scales(scores(list(range(100))))
    assert table["stanine"].value_counts(sort=False).sort("stanine")["count"].to_list() == [
        4,
        7,
        12,
        17,
        20,
        17,
        12,
        7,
        4,
    ]


def test_equal_scores_have_no_z() -> None:
    """Nothing varies: null, and T is null too; the percentile rank is the middle."""
    table = all_scales(scores([300, 300, 300]))
    assert table["z"].to_list() == table["t"].to_list() == [None] * 3
    assert table["percentile_rank"].to_list() == [50.0] * 3


@given(points)
def test_every_scale_is_monotone_and_bounded(centi: list[int]) -> None:
    """More points never give less on any scale; equal points give equal scores."""
    table = all_scales(scores(centi)).sort("centi")
    for name in ("percent", "scaled_0_100", "scaled_100_200", "z", "t", "percentile_rank", "stanine"):
        values = table[name].drop_nulls().to_list()
        assert values == sorted(values)
    for _, group in table.group_by("centi"):
        assert group.drop("attempt_id").unique().height == 1
    assert table["percentile_rank"].is_between(0, 100, closed="none").all()
    assert table["stanine"].is_between(1, 9).all()


@given(points, st.integers(0, 10**6))
def test_order_of_rows_changes_nothing(centi: list[int], seed: int) -> None:
    """The same table, bit for bit, whatever the order of the attempts."""
    shuffled = scores(centi).collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
    assert all_scales(shuffled).sort("attempt_id").equals(all_scales(scores(centi)))
