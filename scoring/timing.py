"""How a pupil spent the test: time a question, looks at it, and second thoughts (SPEC T7).

Times are estimates on the server's clock: the newest signed server time that the device had seen plus the
monotonic milliseconds since; where the signature didn't hold, the time of receipt. They describe; they decide
nothing.
"""

from __future__ import annotations

import polars as pl

from scoring.final import ORDER, has_mark
from scoring.structs import Kind, Mark


def clocked(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add at_ms i64: when an event happened, as well as can be known. In: events (final.py).

    Same rows, in ORDER.
    """
    proven = pl.col("anchor_ms").is_not_null() & ~has_mark(Mark.ANCHOR_UNVERIFIED)
    happened = pl.col("anchor_ms") + pl.col("since_ms").fill_null(0)
    # Nothing happened after it was received, whatever a device measured.
    at = pl.when(proven).then(pl.min_horizontal(happened, pl.col("received_ms"))).otherwise(pl.col("received_ms"))
    return events.with_columns(at_ms=at).sort(ORDER)


def item_times(events: pl.LazyFrame, cap_ms: int) -> pl.LazyFrame:
    """Time and changes of each attempt and item.

    In      events (final.py); cap_ms: the longest that one stretch may count.
    Out     a row an attempt and item that was opened or answered, sorted by them: attempt_id, item, time_ms
            i64 (from opening it, or coming back to the page, to the next event; not while the page was away),
            looks u32 (times it was opened), answers u32 (taps that gave an answer), changes u32 (answers that
            differ from the one before on the item; clearing one is a change).
    Nulls   none. A stretch between two devices counts for neither.
    """
    ordered = clocked(events).with_columns(
        # The item on the screen: that of the last opening or answer on the same device.
        shown=pl.when(pl.col("kind").is_in([Kind.VIEW, Kind.ANSWER])).then(pl.col("item"))
        .forward_fill().over("attempt_id", "epoch"),
        # On the page unless the focus was lost and has not come back.
        away=pl.when(pl.col("kind") == Kind.FOCUS_LOST).then(1)
        .when(pl.col("kind").is_in([Kind.FOCUS_BACK, Kind.VIEW, Kind.ANSWER])).then(0)
        .forward_fill().over("attempt_id", "epoch").fill_null(0),
        stretch=(pl.col("at_ms").shift(-1).over("attempt_id", "epoch") - pl.col("at_ms")),
    )  # fmt: skip
    on_page = (pl.col("away") == 0) & (pl.col("kind") != Kind.FINISH)
    spent = (
        ordered.filter(pl.col("shown").is_not_null())
        .group_by("attempt_id", item=pl.col("shown"))
        .agg(
            time_ms=pl.col("stretch").filter(on_page).fill_null(0).clip(0, cap_ms).sum(),
            looks=((pl.col("kind") == Kind.VIEW) & (pl.col("item") == pl.col("shown"))).sum().cast(pl.UInt32),
        )
    )
    given = ordered.filter((pl.col("kind") == Kind.ANSWER) & pl.col("item").is_not_null())
    before = pl.col("value").shift(1).over("attempt_id", "item")
    second = pl.int_range(pl.len()).over("attempt_id", "item") > 0
    thoughts = (
        given.with_columns(changed=second & pl.col("value").ne_missing(before))
        .group_by("attempt_id", "item")
        .agg(
            answers=((pl.col("value") != "null") & pl.col("value").is_not_null()).sum().cast(pl.UInt32),
            changes=pl.col("changed").sum().cast(pl.UInt32),
        )
    )
    return (
        spent.join(thoughts, on=["attempt_id", "item"], how="left")
        .with_columns(pl.col("answers", "changes").fill_null(0))
        .select("attempt_id", "item", "time_ms", "looks", "answers", "changes")
        .sort("attempt_id", "item")
    )


def median_times(times: pl.LazyFrame, items: pl.LazyFrame) -> pl.LazyFrame:
    """The median time of those who looked at an item: form_id, item, median_time_ms f64, looked u32."""
    return (
        times.join(items.select("item", "form_id"), on="item", how="inner")
        .group_by("form_id", "item")
        .agg(median_time_ms=pl.col("time_ms").median(), looked=pl.len().cast(pl.UInt32))
        .sort("form_id", "item")
    )
