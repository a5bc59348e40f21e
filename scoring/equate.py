"""Points of a reserve form on the scale of the sitting's main form (SAFETY D1: «equated, marked»).

The constants come from a study that this run does not make (common items, or groups that were drawn at random); a
person gives them with their source. Who was stopped is no random group, so they are never taken from the run itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scoring.moments import hundredths

if TYPE_CHECKING:
    from scoring.structs import Equating


def equated(scores: pl.LazyFrame, constants: tuple[Equating, ...], main_form: int) -> pl.LazyFrame:
    """Add each attempt's points on the main form's scale.

    In      a row a scored attempt: form_id i32, centi, max_centi i64; constants: slope and intercept (points) a form.
    Out     the same rows and order; equated_centi, equated_max_centi i64, equated f64 (points): slope · points +
            intercept, half a hundredth rounds away from zero, kept within 0 and the main form's maximum.
            Without constants a form keeps its own points and maximum, and `unequated` is true for it.
    Source  Kolen & Brennan (2014), Test Equating, Scaling, and Linking, 3rd ed., ch. 2 (linear equating).
    """
    slope = {one.form_id: one.slope for one in constants}
    shift = {one.form_id: 100 * one.intercept for one in constants}
    form = pl.col("form_id")
    has = form.is_in(list(slope)) if slope else pl.lit(value=False)
    main_max = pl.col("max_centi").filter(form == main_form).max()
    maximum = pl.when(has).then(pl.coalesce(main_max, pl.col("max_centi"))).otherwise(pl.col("max_centi"))
    moved = (
        pl.col("centi") * form.replace_strict(slope, default=1.0, return_dtype=pl.Float64)
        + form.replace_strict(shift, default=0.0, return_dtype=pl.Float64)
    ).round(0)
    return (
        scores.with_columns(equated_max_centi=maximum)
        .with_columns(
            equated_centi=pl.when(has)
            .then(moved.cast(pl.Int64).clip(0, pl.col("equated_max_centi")))
            .otherwise(pl.col("centi")),
            unequated=(form != main_form) & ~has,
        )
        .with_columns(equated=hundredths(pl.col("equated_centi")))
    )
