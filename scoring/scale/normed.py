"""Scales by the place among all who sat the same form."""

from __future__ import annotations

import polars as pl

from scoring.moments import spread

# Share of a normal distribution below the lower edge of stanines 2 … 9, in percent.
STANINE_EDGES = (4, 11, 23, 40, 60, 77, 89, 96)


def z_score(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add the distance from the mean in standard deviations.

    In      a row a scored attempt: form_id, centi i64.
    Out     the same rows and order; z f64; null where all scores of the form are equal.
    Source  Crocker & Algina (1986), ch. 19. The cohort is the population, so the deviation divides by n.
    """
    n = pl.len().over("form_id").cast(pl.Float64)
    total = pl.col("centi").sum().over("form_id")
    deviation = spread(pl.col("centi"), pl.col("centi")).over("form_id").sqrt()
    # (x − Σx/n) / (√(n·Σx² − (Σx)²)/n) = (n·x − Σx) / √(…): the numerator is a whole number.
    distance = n * pl.col("centi") - total
    return scores.with_columns(z=pl.when(deviation > 0).then(distance / deviation))


def t_score(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add T = 50 + 10 z, to 0.1.

    In      the result of z_score. Out: the same rows and order; t f64; null where z is null.
    Source  McCall (1922), How to Measure in Education; linear, not normalised.
    """
    return scores.with_columns(t=(50 + 10 * pl.col("z")).round(1))


def percentile_rank(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add each attempt's percentile rank within its form.

    In      a row a scored attempt: form_id, centi i64.
    Out     the same rows and order; percentile_rank f64 in percent, 0 < p < 100.
    Ties    share a rank: 100 · (below + ½ · equal) / n, n = scored attempts of the form (mid-rank
            definition).
    Source  Kolen & Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 2.
    """
    rank = pl.col("centi").rank("average").over("form_id")
    return scores.with_columns(percentile_rank=100 * (rank - 0.5) / pl.len().over("form_id"))


def stanine(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add the stanine, 1…9, from the percentile rank.

    In      the result of percentile_rank. Out: the same rows and order; stanine i8.
    Ties    equal scores have equal percentile ranks, so equal stanines. A rank on an edge belongs to the
            upper one.
    Source  Crocker & Algina (1986), ch. 19: 4, 7, 12, 17, 20, 17, 12, 7, 4 percent.
    """
    above = pl.sum_horizontal([(pl.col("percentile_rank") >= edge).cast(pl.Int8) for edge in STANINE_EDGES])
    return scores.with_columns(stanine=(1 + above).cast(pl.Int8))
