"""Questions that two persons voided, or whose key they corrected, after the form was sat.

The packed key stays what it was; a correction is a parameter of the run, so the run before and the run after can both
be computed again, and the difference between them is the correction's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, TextRule
from scoring.structs import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.rules import Rule
    from scoring.snapshot import Snapshot
    from scoring.structs import Correction

RULE_OF_KIND: Mapping[str, type[Rule]] = {
    "single": ChoiceRule,
    "picture": ChoiceRule,
    "multiple": ChoicesRule,
    "dropdown": GapsRule,
    "numeric": NumericRule,
    "short_text": TextRule,
}


def corrected_keys(snapshot: Snapshot, corrections: tuple[Correction, ...]) -> pl.DataFrame:
    """The snapshot's keys with the corrections in them; the last for a question stands.

    In      keys of the snapshot: form_id, item, points, voided, rule.
    Out     the same rows and order. Raises SnapshotError for a question that the sitting's forms don't have, and for
            a rule of another kind of question or over options that it doesn't have.
    """
    keys = snapshot.tables["keys"]
    if not corrections:
        return keys
    kinds = {(form, code): (item, kind) for form, code, item, kind in _described(snapshot)}
    by_item: dict[tuple[int, int], Correction] = {}
    for correction in corrections:
        found = kinds.get((correction.form_id, correction.code))
        if found is None:
            what = f"Question {correction.code} is on no form that was sat here."
            raise SnapshotError(what, "Take the correction back; the item table of an earlier run has all codes.")
        if correction.rule is not None:
            _require_fit(snapshot, correction, *found)
        by_item[correction.form_id, found[0]] = correction
    rows = [_corrected(row, by_item) for row in keys.iter_rows()]
    return pl.DataFrame(rows, schema=keys.schema, orient="row")


def _described(snapshot: Snapshot) -> list[tuple[int, str, int, str]]:
    return snapshot.tables["items"].select("form_id", "code", "item", "kind").rows()


def _corrected(
    row: tuple[int, int, int, bool, str], by_item: Mapping[tuple[int, int], Correction]
) -> tuple[int, int, int, bool, str]:
    form, item, points, _, rule = row
    correction = by_item.get((form, item))
    if correction is None:
        return row
    if correction.rule is None:
        return form, item, points, True, rule
    return form, item, points, False, msgspec.json.encode(correction.rule).decode()


def _require_fit(snapshot: Snapshot, correction: Correction, item: int, kind: str) -> None:
    rule = correction.rule
    if not isinstance(rule, RULE_OF_KIND.get(kind, object)):
        what = f"The new key of {correction.code} is not one of a question of the kind {kind}."
        raise SnapshotError(what, "Correct it with the form of that question.")
    options = snapshot.tables["options"].filter((pl.col("form_id") == correction.form_id) & (pl.col("item") == item))
    known = set(options.select("gap", "option").rows())
    match rule:
        case ChoiceRule() | ChoicesRule():
            named = {("", code) for code in rule.right}
        case GapsRule():
            named = set(rule.right.items())
        case _:
            named = known
    if not named or named - known:
        what = f"The new key of {correction.code} names no option, or one that the question does not have."
        raise SnapshotError(what, "Correct it with the form of that question.")
