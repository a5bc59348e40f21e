"""From final responses to points: each different response of an item is marked once, by the item's rule.

Points are counted in hundredths (`centi`, i64), so that sums are exact, ties are ties, and the order of rows
changes not one bit of any figure.

Frames
items    a row an item of a form: form_id i32, item i32 (wire id), code, section i16, position i16, kind,
         topic, skill, points i64 (centi), voided bool, rule str (JSON, scoring/rules.py)
options  a row an option: form_id i32, item i32, gap str ("" outside of gaps), option str (authored code),
         option_id i32
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec
import polars as pl

from scoring.folding import fold_text, parse_number
from scoring.moments import hundredths
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, Rule, TextRule, decode_rule

State = Literal["right", "partial", "wrong", "omitted", "unreadable"]
STATES = ("right", "partial", "wrong", "omitted", "unreadable", "voided")
# gap → wire id → authored code; the gap of an item without gaps is "".
OptionCodes = dict[str, dict[int, str]]
MARKED = {
    "item": pl.Int32,
    "value": pl.String,
    "chosen": pl.String,
    "state": pl.String,
    "credit_e4": pl.Int64,
}
# What an analyst sees of a typed answer; a hostile one may hold 4000 characters.
CHOSEN_LENGTH = 80

_decode_id = msgspec.json.Decoder(int).decode
_decode_ids = msgspec.json.Decoder(list[int]).decode
_decode_gaps = msgspec.json.Decoder(dict[str, int | None]).decode
_decode_typed = msgspec.json.Decoder(str | int | float).decode


class Marked(msgspec.Struct, frozen=True):
    """One response, marked: what was chosen in authored codes, and the share of the points that it earns."""

    chosen: str | None
    state: State
    credit: Decimal


OMITTED = Marked(None, "omitted", Decimal(0))
UNREADABLE = Marked(None, "unreadable", Decimal(0))


def mark(rule: Rule, codes: OptionCodes, value: str | None) -> Marked:
    """Mark one response.

    In      value: JSON as the device wrote it; null, an empty list, text or gap set is an omission.
    Out     credit between 0 and 1. What isn't of the rule's shape, or names an option that the item doesn't
            have, is unreadable: it earns nothing and is counted apart, for it is a fault of a device and not
            of a pupil.
    """
    if value is None or value == "null":
        return OMITTED
    try:
        match rule:
            case ChoiceRule():
                return _choice(rule, codes[""][_decode_id(value)])
            case ChoicesRule():
                return _choices(rule, [codes[""][chosen] for chosen in _decode_ids(value)])
            case GapsRule():
                filled = {gap: chosen for gap, chosen in _decode_gaps(value).items() if chosen is not None}
                return _gaps(rule, {gap: codes[gap][chosen] for gap, chosen in filled.items()})
            case NumericRule():
                return _numeric(rule, str(_decode_typed(value)))
            case TextRule():
                return _text(rule, str(_decode_typed(value)))
    except (msgspec.DecodeError, KeyError):
        return UNREADABLE


def marked_responses(final: pl.LazyFrame, items: pl.LazyFrame, options: pl.LazyFrame) -> pl.LazyFrame:
    """Mark the responses of all attempts.

    In      final: attempt_id, item, value (final.final_responses); items, options as above.
    Out     a row a response of an item of a form, sorted by attempt_id and item: attempt_id, form_id, item,
            chosen str?, state str, centi i64 (points in hundredths, half a hundredth is rounded up).
    Cost    the rules run once for each different value of an item, not for each pupil.
    """
    rules = items.select("form_id", "item", "points", "voided", "rule").collect()
    codes: dict[int, OptionCodes] = {}
    for item, gap, code, option_id in options.select("item", "gap", "option", "option_id").collect().iter_rows():
        codes.setdefault(item, {}).setdefault(gap, {})[option_id] = code
    rule_of = {item: decode_rule(rule) for item, rule in rules.select("item", "rule").iter_rows()}

    def mark_values(values: pl.DataFrame) -> pl.DataFrame:
        rows = [(item, value, mark(rule_of[item], codes.get(item, {}), value)) for item, value in values.iter_rows()]
        return pl.DataFrame(
            [(item, value, m.chosen, m.state, int(m.credit * 10_000)) for item, value, m in rows],
            schema=MARKED,
            orient="row",
        )

    known = final.join(rules.lazy().select("form_id", "item", "points", "voided"), on="item", how="inner")
    values = known.select("item", "value").unique().sort("item", "value").map_batches(mark_values, schema=MARKED)
    # Credit in ten-thousandths: (credit · points + half) // 10 000 rounds half up in whole numbers.
    centi = (pl.col("credit_e4") * pl.col("points") + 5_000) // 10_000
    return (
        known.join(values, on=["item", "value"], how="left", nulls_equal=True)
        .select(
            "attempt_id",
            "form_id",
            "item",
            "chosen",
            state=pl.when(pl.col("voided")).then(pl.lit("voided")).otherwise(pl.col("state")),
            centi=pl.when(pl.col("voided")).then(0).otherwise(centi),
        )
        .sort("attempt_id", "item")
    )


def form_of_attempts(
    attempts: pl.LazyFrame,
    final: pl.LazyFrame,
    items: pl.LazyFrame,
    main_form: int,
    reserve: tuple[int, pl.Series] | None = None,
) -> pl.LazyFrame:
    """Which form each attempt is scored on: where it answered most; the main form when equal or none.

    In      attempts: attempt_id of those to be scored; final responses; items; reserve: the reserve form and the
            attempt_ids that opened it after a restart: they are scored on it, whatever they had answered before.
    Out     attempt_id, form_id i32, mixed bool (it answered items of two forms: equated by a person, shown
            apart).
    """
    answered = (
        final.filter(pl.col("value").is_not_null())
        .join(items.select("item", "form_id"), on="item", how="inner")
        .group_by("attempt_id", "form_id")
        .len("answers")
        .sort("attempt_id", "answers", pl.col("form_id") == main_form, "form_id")
        .group_by("attempt_id", maintain_order=True)
        .agg(pl.col("form_id").last(), mixed=pl.len() > 1)
    )
    reserve_form, moved = reserve or (main_form, pl.Series(dtype=pl.Int64))
    return (
        attempts.select("attempt_id")
        .join(answered, on="attempt_id", how="left")
        .with_columns(
            form_id=pl.when(pl.col("attempt_id").is_in(moved.implode())).then(reserve_form).otherwise("form_id")
        )
        .with_columns(pl.col("form_id").fill_null(main_form).cast(pl.Int32), pl.col("mixed").fill_null(value=False))
        .sort("attempt_id")
    )


def cells(scored: pl.LazyFrame, marked: pl.LazyFrame, items: pl.LazyFrame) -> pl.LazyFrame:
    """Every scored attempt × every item of its form; what was never answered is an omission and earns 0.

    In      scored: attempt_id, form_id; marked: marked_responses; items.
    Out     attempt_id, form_id, item, code, position, chosen, state, centi i64, max_centi i64 (0 for a voided
            item), sorted by attempt_id and position. No nulls but in chosen.
    """
    voided = pl.col("voided")
    columns = items.select(
        "form_id",
        "item",
        "code",
        "position",
        "voided",
        max_centi=pl.when(voided).then(0).otherwise(pl.col("points")),
    )
    return (
        scored.select("attempt_id", "form_id")
        .join(columns, on="form_id", how="inner")
        .join(marked, on=["attempt_id", "form_id", "item"], how="left")
        .select(
            "attempt_id",
            "form_id",
            "item",
            "code",
            "position",
            "chosen",
            state=pl.when(voided).then(pl.lit("voided")).otherwise(pl.col("state").fill_null("omitted")),
            centi=pl.col("centi").fill_null(0),
            max_centi="max_centi",
        )
        .sort("attempt_id", "position", "item")
    )


def raw_scores(all_cells: pl.LazyFrame) -> pl.LazyFrame:
    """Points of each attempt.

    In      cells.
    Out     a row an attempt, sorted: attempt_id, form_id, centi i64, max_centi i64, raw f64 (points),
            max_points f64, items u32, right, partial, wrong, omitted, unreadable u32 (voided items are in
            none of them).
    """
    counts = {state: (pl.col("state") == state).sum().cast(pl.UInt32) for state in STATES if state != "voided"}
    return (
        all_cells.group_by("attempt_id", "form_id")
        .agg(
            pl.col("centi", "max_centi").sum(),
            items=(pl.col("state") != "voided").sum().cast(pl.UInt32),
            **counts,
        )
        .with_columns(raw=hundredths(pl.col("centi")), max_points=hundredths(pl.col("max_centi")))
        .sort("attempt_id")
    )


def _all_or_nothing(chosen: str, *, right: bool) -> Marked:
    return Marked(chosen, "right" if right else "wrong", Decimal(int(right)))


def _part(chosen: str, earned: int, whole: int, *, partial: bool) -> Marked:
    if earned == whole:
        return Marked(chosen, "right", Decimal(1))
    if earned <= 0 or not partial:
        return Marked(chosen, "wrong", Decimal(0))
    credit = (Decimal(earned) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return Marked(chosen, "partial", credit)


def _choice(rule: ChoiceRule, chosen: str) -> Marked:
    return _all_or_nothing(chosen, right=chosen in rule.right)


def _choices(rule: ChoicesRule, chosen: list[str]) -> Marked:
    if not chosen:
        return OMITTED
    marked, right = set(chosen), set(rule.right)
    earned = len(marked & right) - len(marked - right)
    return _part("+".join(sorted(marked)), earned, len(right), partial=rule.partial)


def _gaps(rule: GapsRule, filled: dict[str, str]) -> Marked:
    if not filled:
        return OMITTED
    shown = ";".join(f"{gap}={filled[gap]}" for gap in sorted(filled))
    earned = sum(filled.get(gap) == code for gap, code in rule.right.items())
    return _part(shown, earned, len(rule.right), partial=rule.partial)


def _numeric(rule: NumericRule, typed: str) -> Marked:
    if not typed.strip():
        return OMITTED
    number = parse_number(typed)
    if number is None:
        return Marked(" ".join(typed.split())[:CHOSEN_LENGTH], "wrong", Decimal(0))
    right = abs(number - Decimal(rule.value.replace(",", "."))) <= Decimal(rule.tolerance.replace(",", "."))
    # 3.50 and 3,5 are one answer in the table of responses.
    plain = format(number.normalize(), "f") if number else "0"
    return _all_or_nothing(plain, right=right)


def _text(rule: TextRule, typed: str) -> Marked:
    folded = fold_text(typed, fold_case=rule.fold_case)
    if not folded:
        return OMITTED
    accepted = {fold_text(text, fold_case=rule.fold_case) for text in rule.accept}
    return _all_or_nothing(folded[:CHOSEN_LENGTH], right=folded in accepted)
