"""Scales by the points alone: what others scored plays no part."""

from __future__ import annotations

import polars as pl

from scoring.moments import hundredths


def percent_right(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add the share of points in percent.

    In      a row an attempt: centi i64, max_centi i64.
    Out     the same rows and order; percent f64, 0…100, to 0.01; null where the form has no points.
    """
    maximum = pl.col("max_centi")
    return scores.with_columns(
        percent=pl.when(maximum > 0).then(hundredths(_rounded(pl.col("centi") * 10_000, maximum)))
    )


def linear(scores: pl.LazyFrame, name: str, low: int, high: int) -> pl.LazyFrame:
    """Add a whole-number scale on which no point is `low` and all points are `high`.

    In      a row an attempt: equated_centi, equated_max_centi i64 (scoring/equate.py; its own points on the main form).
    Out     the same rows and order; column `name` i32: low + (high − low) · points / maximum, half rounds up;
            null where the form has no points.
    Ties    equal points give equal scaled scores; different points may share one where the scale is coarser.
    Source  Kolen & Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 9 (linear
            transformations).
    """
    maximum = pl.col("equated_max_centi")
    scaled = low + _rounded(pl.col("equated_centi") * (high - low), maximum)
    return scores.with_columns(pl.when(maximum > 0).then(scaled).cast(pl.Int32).alias(name))


def _rounded(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Whole-number division, half up; both not negative. Exact where a float would sit on the edge."""
    return (2 * numerator + denominator) // (2 * denominator)
