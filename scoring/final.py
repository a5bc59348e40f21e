"""From events to the one response that stands for each attempt and item (DESIGN §1, rules 7 to 9).

Everything is LazyFrame → LazyFrame. The order of an attempt's events is (epoch, seq): the number that the
server gave the device, then the device's own count. Receive times take no part in it.

Frames
events    a row an event: attempt_id i64, epoch i16 (the device's number), seq i32, kind i16, item i32?, value
          str?, anchor_ms i64?, since_ms i32?, received_ms i64, marks i16
attempts  a row an attempt: attempt_id i64, deadline_ms i64?, reopened_ms i64? (Unix ms)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scoring.structs import Kind, LatePolicy, Mark, SupersededPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scoring.structs import Decision

ORDER = ("attempt_id", "epoch", "seq")
IN_TIME, LATE, UNDECIDED, AFTER_FINISH = "in_time", "late", "undecided", "after_finish"


def has_mark(mark: Mark) -> pl.Expr:
    """Whether response_event.marks carries a bit."""
    return (pl.col("marks") & pl.lit(int(mark), pl.Int16)) != 0


def judged(events: pl.LazyFrame, attempts: pl.LazyFrame, grace_ms: int) -> pl.LazyFrame:
    """Add to each event its `standing` and, where the line was silent around the end, for how long.

    In      events, attempts as above; grace_ms of the sitting.
    Out     the events in ORDER with standing str (in_time, late, undecided, after_finish) and silence_ms i64
            (received − what the device could prove; null where it proves nothing or nothing is asked).
    Rules   after_finish: a finish precedes it in the attempt's order, and the hand-in was not taken back
            before it came.
            late: its verified anchor is after the deadline. in_time: received up to deadline + grace, or no
            deadline.
            undecided: everything else; the phone's clock alone never decides.
    """
    # (epoch, seq) as one number: seq is below 2³¹.
    order = pl.col("epoch").cast(pl.Int64) * 2**32 + pl.col("seq")
    finished_before = (pl.col("kind") == Kind.FINISH).cum_sum().over("attempt_id") - (pl.col("kind") == Kind.FINISH)
    anchor = pl.when(~has_mark(Mark.ANCHOR_UNVERIFIED)).then(pl.col("anchor_ms"))
    reopened = pl.col("reopened_ms").is_not_null() & (pl.col("received_ms") >= pl.col("reopened_ms"))
    last_finish = order.filter(pl.col("kind") == Kind.FINISH).max().over("attempt_id")
    # A hand-in that was taken back and made again: what lies between the two belongs to the attempt.
    between = pl.col("reopened_ms").is_not_null() & (order <= last_finish)
    standing = (
        pl.when((finished_before > 0) & ~reopened & ~between)
        .then(pl.lit(AFTER_FINISH))
        .when(anchor > pl.col("deadline_ms"))
        .then(pl.lit(LATE))
        .when(pl.col("deadline_ms").is_null() | (pl.col("received_ms") <= pl.col("deadline_ms") + grace_ms))
        .then(pl.lit(IN_TIME))
        .otherwise(pl.lit(UNDECIDED))
    )
    clocks = attempts.select("attempt_id", "deadline_ms", "reopened_ms")
    return (
        events.join(clocks, on="attempt_id", how="left")
        .sort(ORDER)
        .with_columns(standing=standing)
        .with_columns(
            silence_ms=pl.when(pl.col("standing") == UNDECIDED).then(
                pl.col("received_ms") - anchor - pl.col("since_ms")
            )
        )
        .drop("deadline_ms", "reopened_ms")
    )


def counted(
    judged_events: pl.LazyFrame, late: LatePolicy, superseded: SupersededPolicy, decisions: Iterable[Decision]
) -> pl.LazyFrame:
    """Add `counts`: whether an event may make a response.

    In      the result of `judged`.
    Out     the same rows and order; counts bool.
    Rules   in_time counts. Everything else by the late policy: count, refuse, or person, where only a
            decision to count lets it in (the last decision of an attempt stands). With `ignore`, what a
            replaced device sent after its replacement never counts; with `fill` the order alone lets it fill
            what no later device answered. An answer to an item that the form doesn't have never counts.
    """
    verdicts = {decision.attempt_id: decision.count for decision in decisions}
    agreed = [attempt for attempt, count in verdicts.items() if count]
    refused = [attempt for attempt, count in verdicts.items() if not count]
    attempt = pl.col("attempt_id")
    allowed = {
        LatePolicy.COUNT: ~attempt.is_in(refused),
        LatePolicy.REFUSE: pl.lit(value=False),
        LatePolicy.PERSON: attempt.is_in(agreed),
    }[late]
    counts = ((pl.col("standing") == IN_TIME) | allowed) & ~has_mark(Mark.UNKNOWN_ITEM)
    if superseded is SupersededPolicy.IGNORE:
        counts &= ~has_mark(Mark.SUPERSEDED)
    return judged_events.with_columns(counts=counts)


def final_responses(counted_events: pl.LazyFrame) -> pl.LazyFrame:
    """The last counting answer of each attempt and item.

    In      the result of `counted`.
    Out     a row an attempt and item that was ever answered, sorted by them: attempt_id, item, value str?
            (null: the pupil cleared the answer), epoch, seq.
    Ties    none: (attempt, epoch, seq) is unique, for one device has one epoch.
    """
    return (
        counted_events.filter((pl.col("kind") == Kind.ANSWER) & pl.col("item").is_not_null() & pl.col("counts"))
        .sort("attempt_id", "item", "epoch", "seq")
        .group_by("attempt_id", "item", maintain_order=True)
        .agg(pl.col("value", "epoch", "seq").last())
        .with_columns(value=pl.when(pl.col("value") != "null").then(pl.col("value")))
    )


def waiting(judged_events: pl.LazyFrame, superseded: SupersededPolicy, decisions: Iterable[Decision]) -> pl.LazyFrame:
    """What a person has to decide, or has decided: one row an attempt with answers that are not in time.

    In      the result of `judged`.
    Out     attempt_id, answers u32 (events), late u32, undecided u32, after_finish u32, would_change u32
            (items whose response differs if they count), longest_silence_ms i64?, decision str? (count,
            refuse; null: open).
    """
    decided = {decision.attempt_id: "count" if decision.count else "refuse" for decision in decisions}
    without = final_responses(counted(judged_events, LatePolicy.REFUSE, superseded, ()))
    with_all = final_responses(counted(judged_events, LatePolicy.COUNT, superseded, ()))
    changed = (
        with_all.join(without, on=["attempt_id", "item"], how="left", suffix="_before")
        .filter(~pl.col("value").eq_missing(pl.col("value_before")))
        .group_by("attempt_id")
        .agg(would_change=pl.len())
    )
    answers = judged_events.filter((pl.col("kind") == Kind.ANSWER) & (pl.col("standing") != IN_TIME))
    return (
        answers.group_by("attempt_id")
        .agg(
            answers=pl.len(),
            late=(pl.col("standing") == LATE).sum(),
            undecided=(pl.col("standing") == UNDECIDED).sum(),
            after_finish=(pl.col("standing") == AFTER_FINISH).sum(),
            longest_silence_ms=pl.col("silence_ms").max(),
        )
        .join(changed, on="attempt_id", how="left")
        .select(
            "attempt_id",
            "answers",
            "late",
            "undecided",
            "after_finish",
            pl.col("would_change").fill_null(0),
            "longest_silence_ms",
            decision=pl.col("attempt_id").replace_strict(decided, default=None, return_dtype=pl.String),
        )
        .sort("attempt_id")
    )
