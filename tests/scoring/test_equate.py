"""Points of a reserve form on the main form's scale (SAFETY D1)."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import PlainError
from scoring.equate import equated
from scoring.rank import ranked
from scoring.structs import Equating

STUDY = "байқау сынағы, ортақ тапсырмалар"


def scores(rows: list[tuple[int, int, int, int]]) -> pl.LazyFrame:
    """(attempt, form, points in hundredths, maximum in hundredths)."""
    schema = {"attempt_id": pl.Int64, "form_id": pl.Int32, "centi": pl.Int64, "max_centi": pl.Int64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def test_a_worked_example() -> None:
    """Mean 20, sd 5 on the main form and mean 18, sd 4 on the reserve: slope 1.25, intercept −2.5; 22 points are 25."""
    constants = (Equating(2, 1.25, -2.5, STUDY),)
    rows = equated(scores([(1, 1, 2400, 4000), (2, 2, 2200, 3800)]), constants, 1).collect().to_dicts()
    assert [(row["equated"], row["equated_max_centi"], row["unequated"]) for row in rows] == [
        (24.0, 4000, False),
        (25.0, 4000, False),
    ]


def test_places_follow_the_equated_points() -> None:
    """22 points on the harder reserve are before 24 on the main form."""
    table = equated(scores([(1, 1, 2400, 4000), (2, 2, 2200, 3800)]), (Equating(2, 1.25, -2.5, STUDY),), 1)
    placed = ranked(table.with_columns(region_code=pl.lit("KZ-10"), hard_centi=pl.lit(0))).collect()
    assert placed["attempt_id"].to_list() == [2, 1]


def test_without_constants_another_form_is_marked() -> None:
    """Its own points stay, and everybody can see that they do not compare."""
    rows = equated(scores([(1, 1, 2400, 4000), (2, 2, 2200, 3800)]), (), 1).collect().to_dicts()
    assert [(row["equated"], row["equated_max_centi"], row["unequated"]) for row in rows] == [
        (24.0, 4000, False),
        (22.0, 3800, True),
    ]


@given(st.integers(0, 3800), st.integers(0, 3800), st.floats(0.1, 5), st.floats(-30, 30))
def test_equating_keeps_the_order_and_the_bounds(one: int, other: int, slope: float, intercept: float) -> None:
    """Who had more points on the reserve never has fewer on the main scale; nobody has less than none or more than all."""
    constants = (Equating(2, slope, intercept, STUDY),)
    table = equated(scores([(0, 1, 0, 4000), (1, 2, one, 3800), (2, 2, other, 3800)]), constants, 1).collect()
    first, second = table["equated_centi"].to_list()[1:]
    assert 0 <= first <= 4000
    assert (first - second) * (one - other) >= 0


@pytest.mark.parametrize(
    ("slope", "intercept", "source"), [(0, 0, STUDY), (-1, 0, STUDY), (1, 5000, STUDY), (1, 0, " ")]
)
def test_constants_that_mean_nothing_are_refused(slope: float, intercept: float, source: str) -> None:
    """And so are those without a source."""
    with pytest.raises(PlainError):
        Equating(2, slope, intercept, source)
