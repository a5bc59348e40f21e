"""Classical test theory: item analysis and reliability, a statistic a function.

Points are hundredths (`centi`).
"""

from __future__ import annotations

import polars as pl

from scoring.moments import correlation, hundredths, mean, spread, variance, whole_spread

# Typed answers have thousands of wrong spellings; the table keeps those that say something.
MOST_RESPONSES = 12


def with_totals(cells: pl.LazyFrame) -> pl.LazyFrame:
    """Add each attempt's total: total_centi i64. In, out: cells (raw.cells), voided items left out."""
    return cells.filter(pl.col("state") != "voided").with_columns(
        total_centi=pl.col("centi").sum().over("attempt_id", "form_id")
    )


def item_statistics(cells: pl.LazyFrame) -> pl.LazyFrame:
    """The item table.

    In      cells (raw.cells).
    Out     a row an item that isn't voided, sorted by form and position: form_id, item, code, position, n u32
            (scored attempts), mean_points f64, max_points f64, facility f64 (mean / max, 0…1, the p value;
            high is easy), right_share, partial_share, wrong_share, omitted_share, unreadable_share f64 (0…1,
            sum 1), sd_points f64 (n − 1), discrimination f64 (corrected point-biserial: r of the item with
            the rest of the test, −1…1; null when the item or the rest doesn't vary).
    Nulls   omitted counts as 0 points. Ties play no part.
    Source  Crocker & Algina (1986), Introduction to Classical and Modern Test Theory, ch. 14; the correction
            for overlap is Henrysson (1963), Psychometrika 28, 211–218.
    """
    rest = pl.col("total_centi") - pl.col("centi")
    shares = {
        f"{state}_share": mean((pl.col("state") == state).cast(pl.Int64))
        for state in ("right", "partial", "wrong", "omitted", "unreadable")
    }
    return (
        with_totals(cells)
        .group_by("form_id", "item", "code", "position")
        .agg(
            n=pl.len().cast(pl.UInt32),
            mean_points=mean(pl.col("centi"), unit=100),
            max_points=hundredths(pl.col("max_centi").max()),
            **shares,
            sd_points=hundredths(variance(pl.col("centi"), ddof=1).sqrt()),
            discrimination=correlation(pl.col("centi"), rest),
        )
        .with_columns(facility=pl.col("mean_points") / pl.col("max_points"))
        .sort("form_id", "position", "item")
    )


def test_statistics(cells: pl.LazyFrame) -> pl.LazyFrame:
    """The test as a whole, a row a form.

    In      cells (raw.cells).
    Out     form_id, n u32, items u32, max_points f64, mean, sd (n − 1), median, lowest, highest f64 (points),
            alpha f64 (Cronbach; null for fewer than 2 items or a total that doesn't vary), sem f64 (points).
    Source  Cronbach (1951), Psychometrika 16, 297–334: α = k/(k−1) · (1 − Σ s²ᵢ / s²ₜ). SEM = s · √(1 − α)
            (Lord & Novick 1968, ch. 3); a negative α, which small samples can give, is shown, and then SEM >
            s.
    """
    totalled = with_totals(cells)
    by_item = (
        totalled.group_by("form_id", "item")
        .agg(within=whole_spread(pl.col("centi"), pl.col("centi")), max_centi=pl.col("max_centi").max())
        .group_by("form_id")
        .agg(
            items=pl.len().cast(pl.UInt32),
            max_points=hundredths(pl.col("max_centi").sum()),
            within=pl.col("within").sum().cast(pl.Float64),
        )
    )
    total = pl.col("total_centi")
    by_form = (
        totalled.unique(["attempt_id", "form_id"])
        .group_by("form_id")
        .agg(
            n=pl.len().cast(pl.UInt32),
            mean=mean(total, unit=100),
            total_variance=variance(total, ddof=1),
            across=spread(total, total),
            median=hundredths(total.median()),
            lowest=hundredths(total.min()),
            highest=hundredths(total.max()),
        )
    )
    k = pl.col("items").cast(pl.Float64)
    # Both variances have the same divisor n(n − 1), for every scored attempt has a cell for every item.
    alpha = pl.when((pl.col("items") > 1) & (pl.col("across") > 0)).then(
        k / (k - 1) * (1 - pl.col("within") / pl.col("across"))
    )
    return (
        by_form.join(by_item, on="form_id")
        .with_columns(sd=hundredths(pl.col("total_variance").sqrt()), alpha=alpha)
        .with_columns(sem=pl.col("sd") * (1 - pl.col("alpha")).sqrt())
        .select("form_id", "n", "items", "max_points", "mean", "sd", "median", "lowest", "highest", "alpha", "sem")
        .sort("form_id")
    )


def response_counts(cells: pl.LazyFrame, options: pl.LazyFrame) -> pl.LazyFrame:
    """How often each response was given, and how able those were who gave it.

    In      cells; options (raw.py).
    Out     form_id, item, code, position, response str (authored codes, a number, a folded text), state, n
            u32, share f64 (of scored attempts), mean_total f64? (points of those who gave it; null for
            nobody). Options nobody chose stand with n = 0; typed responses beyond the 12 most frequent are
            left out. Sorted by form, position, then options by code and typed responses by frequency.
    Read    a wrong option that the able prefer is a wrong key or an unclear question.
    """
    totalled = with_totals(cells)
    given = (
        totalled.filter(pl.col("chosen").is_not_null())
        .group_by("form_id", "item", "chosen")
        .agg(
            state=pl.col("state").first(),
            n=pl.len().cast(pl.UInt32),
            mean_total=mean(pl.col("total_centi"), unit=100),
        )
        .sort("form_id", "item", "n", "chosen", descending=[False, False, True, False])
        .filter(pl.int_range(pl.len()).over("form_id", "item") < MOST_RESPONSES)
        .rename({"chosen": "response"})
    )
    asked = totalled.group_by("form_id", "item", "code", "position").agg(scored=pl.len())
    single = options.filter(pl.col("gap") == "").select("form_id", "item", response="option")
    every = pl.concat([given.select("form_id", "item", "response"), single]).unique()
    return (
        every.join(asked, on=["form_id", "item"], how="inner")
        .join(given, on=["form_id", "item", "response"], how="left")
        .select(
            "form_id",
            "item",
            "code",
            "position",
            "response",
            pl.col("state").fill_null("wrong"),
            pl.col("n").fill_null(0),
            share=pl.col("n").fill_null(0) / pl.col("scored"),
            mean_total="mean_total",
        )
        .sort("form_id", "position", "item", "response")
    )
