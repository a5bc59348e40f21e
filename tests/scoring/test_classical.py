"""Item analysis and reliability against figures worked by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.classical import item_statistics, response_counts
from scoring.classical import test_statistics as form_statistics

Matrix = list[list[int]]
# Five pupils, four items of one point. Rows are pupils.
WORKED: Matrix = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def table(matrix: Matrix, points: int = 100) -> pl.LazyFrame:
    rows = [
        (
            pupil,
            1,
            item,
            f"M{item:02d}",
            item,
            "B" if got else "A",
            "right" if got else "wrong",
            got * points,
            points,
        )
        for pupil, got_of in enumerate(matrix, 1)
        for item, got in enumerate(got_of, 1)
    ]
    schema = {
        "attempt_id": pl.Int64,
        "form_id": pl.Int32,
        "item": pl.Int32,
        "code": pl.String,
        "position": pl.Int16,
        "chosen": pl.String,
        "state": pl.String,
        "centi": pl.Int64,
        "max_centi": pl.Int64,
    }
    return pl.LazyFrame(rows, schema=schema, orient="row")


def test_facility_is_the_share_of_points_earned() -> None:
    """4, 3, 2 and 1 of 5 pupils."""
    assert item_statistics(table(WORKED)).collect()["facility"].to_list() == [0.8, 0.6, 0.4, 0.2]


def test_alpha_and_sem_by_hand() -> None:
    """Totals 4 3 2 1 0: variance 2.5. Item variances p(1−p)·5/4: .20 .30 .30 .20, sum 1.0. α = 4/3 · (1 − 1/2.5) = .8.

    SEM = √2.5 · √.2 = .7071.
    """
    (row,) = form_statistics(table(WORKED)).collect().to_dicts()
    assert row["mean"] == 2.0
    assert row["sd"] == pytest.approx(math.sqrt(2.5), abs=1e-12)
    assert row["alpha"] == pytest.approx(0.8, abs=1e-12)
    assert row["sem"] == pytest.approx(math.sqrt(0.5), abs=1e-12)
    assert (row["n"], row["items"], row["max_points"], row["median"], row["lowest"], row["highest"]) == (
        5,
        4,
        4.0,
        2.0,
        0.0,
        4.0,
    )


def test_discrimination_leaves_the_item_out_of_the_total() -> None:
    """Item 1: x = 1 1 1 1 0, rest = 3 2 1 0 0. Sxy = 5·6 − 4·6 = 6; Sxx = 5·4 − 16 = 4; Syy = 5·14 − 36 = 34.

    r = 6 / √(4·34) = .5145.
    """
    found = item_statistics(table(WORKED)).collect()["discrimination"].to_list()
    assert found[0] == pytest.approx(6 / math.sqrt(4 * 34), abs=1e-12)


def test_an_item_that_everybody_solves_discriminates_nobody() -> None:
    """No variance, no correlation: null, not zero and not NaN."""
    assert item_statistics(table([[1, 1], [1, 0]])).collect()["discrimination"].to_list() == [None, None]


def test_omissions_are_counted_apart_from_wrong_answers() -> None:
    """Shares of a state add up to one."""
    omitted = table(WORKED).with_columns(
        state=pl.when((pl.col("attempt_id") == 5) & (pl.col("item") == 1)).then(pl.lit("omitted")).otherwise("state")
    )
    first = item_statistics(omitted).collect().row(0, named=True)
    assert (first["right_share"], first["wrong_share"], first["omitted_share"]) == (0.8, 0.0, 0.2)


def test_options_nobody_chose_are_listed() -> None:
    """An empty distractor is a finding."""
    options = pl.LazyFrame(
        {
            "form_id": [1] * 3,
            "item": [1] * 3,
            "gap": [""] * 3,
            "option": ["A", "B", "C"],
            "option_id": [1, 2, 3],
        },
        schema={
            "form_id": pl.Int32,
            "item": pl.Int32,
            "gap": pl.String,
            "option": pl.String,
            "option_id": pl.Int32,
        },
    )
    counts = response_counts(table(WORKED), options).filter(pl.col("item") == 1).collect()
    assert counts["response"].to_list() == ["A", "B", "C"]
    assert counts["n"].to_list() == [1, 4, 0]
    assert counts["mean_total"].to_list() == [0.0, 2.5, None]


matrices = st.integers(2, 5).flatmap(
    lambda wide: st.lists(st.lists(st.integers(0, 1), min_size=wide, max_size=wide), min_size=2, max_size=12)
)


@given(matrices, st.randoms())
def test_order_of_pupils_changes_not_one_bit(matrix: Matrix, random: object) -> None:
    """Equal, not nearly equal: sums are whole numbers."""
    shuffled = table(matrix).collect().sample(fraction=1, shuffle=True, seed=random.randrange(10**6))  # type: ignore[attr-defined]
    assert item_statistics(shuffled.lazy()).collect().equals(item_statistics(table(matrix)).collect())
    assert form_statistics(shuffled.lazy()).collect().equals(form_statistics(table(matrix)).collect())


@given(matrices)
def test_bounds(matrix: Matrix) -> None:
    """Facility lies in 0…1, discrimination in −1…1, alpha at most 1."""
    items = item_statistics(table(matrix)).collect()
    assert items["facility"].is_between(0, 1).all()
    assert all(-1 - 1e-9 <= r <= 1 + 1e-9 for r in items["discrimination"].drop_nulls())
    alpha = form_statistics(table(matrix)).collect()["alpha"][0]
    assert alpha is None or alpha <= 1 + 1e-9


@given(matrices, st.integers(2, 9))
def test_points_of_another_size_change_no_coefficient(matrix: Matrix, factor: int) -> None:
    """Facility, discrimination and alpha have no unit."""
    one, other = (
        item_statistics(table(matrix)).collect(),
        item_statistics(table(matrix, 100 * factor)).collect(),
    )
    assert one["facility"].to_list() == pytest.approx(other["facility"].to_list())
    for a, b in zip(one["discrimination"], other["discrimination"], strict=True):
        assert (a is None and b is None) or a == pytest.approx(b)
