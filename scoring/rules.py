"""The rules by which a response earns points, as they lie in keys.item_key.rule.

A rule is a JSON object with a `type`; new fields come last and have defaults, so old rows stay readable.
Codes in a rule are authored option codes, never the wire ids of one packing.
"""

from __future__ import annotations

import msgspec


class ChoiceRule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="choice",
):
    """One option is chosen; any of `right` earns all points."""

    right: tuple[str, ...]


class ChoicesRule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="choices",
):
    """Several options are chosen.

    Whole rule: exactly the set `right` earns all points, anything else none. Partial rule: points · max(0,
    right chosen − wrong chosen) / |right|, so marking everything earns nothing extra.
    """

    right: tuple[str, ...]
    partial: bool = False


class GapsRule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="gaps",
):
    """One option in each gap. Partial: points · right gaps / gaps; whole: all gaps or nothing."""

    right: dict[str, str]
    partial: bool = False


class NumericRule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="numeric",
):
    """A number within `tolerance` of `value`, both decimal strings, so that 0.1 stays 0.1."""

    value: str
    tolerance: str = "0"


class TextRule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="text",
):
    """A short text equal to one of `accept` after folding (scoring.folding).

    Every language's variants stand together.
    """

    accept: tuple[str, ...]
    fold_case: bool = True


Rule = ChoiceRule | ChoicesRule | GapsRule | NumericRule | TextRule
decode_rule = msgspec.json.Decoder(Rule).decode
