"""Figures of groups: regions, languages, genders, grades.

Small groups are suppressed, for a mean of two is two children.
"""

from __future__ import annotations

import polars as pl

from scoring.moments import hundredths, mean, variance

SMALLEST_GROUP = 5
SPLITS = ("all", "region_code", "language", "gender", "grade")


def group_figures(participants: pl.LazyFrame, scores: pl.LazyFrame) -> pl.LazyFrame:
    """Who took part and how they did, for each value of each split.

    In      participants: attempt_id and the columns of SPLITS but `all`; scores: attempt_id, centi, percent.
    Out     split str, value str, participants u32, scored u32, suppressed bool (fewer than 5 were scored),
            and for others mean_points, sd_points (n − 1), median_points, mean_percent f64; null where
            suppressed. Sorted by split in the order above, then by value.
    Nulls   an unknown value (gender) is the group "".
    """
    joined = participants.join(scores.select("attempt_id", "centi", "percent"), on="attempt_id", how="left")
    parts: list[pl.LazyFrame] = []
    for place, split in enumerate(SPLITS):
        value = pl.lit("") if split == "all" else pl.col(split).cast(pl.String).fill_null("")
        labelled = joined.with_columns(order=pl.lit(place), split=pl.lit(split), value=value)
        sizes = labelled.group_by("order", "split", "value").agg(participants=pl.len().cast(pl.UInt32))
        figures = (
            labelled.filter(pl.col("centi").is_not_null())
            .with_columns(percent_centi=(pl.col("percent") * 100).round().cast(pl.Int64))
            .group_by("split", "value")
            .agg(
                scored=pl.len().cast(pl.UInt32),
                mean_points=mean(pl.col("centi"), unit=100),
                sd_points=hundredths(variance(pl.col("centi"), ddof=1).sqrt()),
                median_points=hundredths(pl.col("centi").median()),
                mean_percent=mean(pl.col("percent_centi"), unit=100),
            )
        )
        parts.append(sizes.join(figures, on=["split", "value"], how="left"))
    enough = pl.col("scored") >= SMALLEST_GROUP
    shown = [
        pl.when(enough).then(pl.col(name)).alias(name)
        for name in ("mean_points", "sd_points", "median_points", "mean_percent")
    ]
    return (
        pl.concat(parts)
        .with_columns(pl.col("scored").fill_null(0))
        .sort("order", "value")
        .select("split", "value", "participants", "scored", ~enough.alias("suppressed"), *shown)
    )


def distribution(scores: pl.LazyFrame) -> pl.LazyFrame:
    """How many attempts have how many points.

    Out     form_id, points i64 (lower edge of a bin of one point), n u32; bins without anybody are left out.
    """
    return (
        scores.group_by("form_id", points=pl.col("centi") // 100)
        .agg(n=pl.len().cast(pl.UInt32))
        .sort("form_id", "points")
    )
