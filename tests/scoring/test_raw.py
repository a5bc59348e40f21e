"""Rules to points."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.raw import OptionCodes, cells, form_of_attempts, mark, marked_responses, raw_scores
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, Rule, TextRule

FOUR: OptionCodes = {"": {11: "A", 12: "B", 13: "C", 14: "D"}}
TWO_GAPS: OptionCodes = {"g1": {21: "A", 22: "B"}, "g2": {31: "A", 32: "B"}}
ONE = ChoiceRule(("B",))
SOME = ChoicesRule(("A", "C"), partial=True)
EXACT = ChoicesRule(("A", "C"))
GAPS = GapsRule({"g1": "B", "g2": "A"}, partial=True)
NUMBER = NumericRule("3.5", "0.1")
TEXT = TextRule(("мектеп", "school"))


@pytest.mark.parametrize(
    ("rule", "codes", "value", "chosen", "state", "credit"),
    [
        (ONE, FOUR, "12", "B", "right", "1"),
        (ONE, FOUR, "13", "C", "wrong", "0"),
        (ONE, FOUR, None, None, "omitted", "0"),
        (ONE, FOUR, "null", None, "omitted", "0"),
        (ONE, FOUR, "99", None, "unreadable", "0"),
        (ONE, FOUR, '"12"', None, "unreadable", "0"),
        (ONE, FOUR, "{bad", None, "unreadable", "0"),
        (SOME, FOUR, "[11,13]", "A+C", "right", "1"),
        (SOME, FOUR, "[13,11,13]", "A+C", "right", "1"),
        (SOME, FOUR, "[11]", "A", "partial", "0.5"),
        (SOME, FOUR, "[11,12]", "A+B", "wrong", "0"),
        (SOME, FOUR, "[11,12,13]", "A+B+C", "partial", "0.5"),
        (SOME, FOUR, "[11,12,13,14]", "A+B+C+D", "wrong", "0"),
        (SOME, FOUR, "[]", None, "omitted", "0"),
        (EXACT, FOUR, "[11]", "A", "wrong", "0"),
        (EXACT, FOUR, "[13,11]", "A+C", "right", "1"),
        (GAPS, TWO_GAPS, '{"g1":22,"g2":31}', "g1=B;g2=A", "right", "1"),
        (GAPS, TWO_GAPS, '{"g1":22}', "g1=B", "partial", "0.5"),
        (GAPS, TWO_GAPS, '{"g1":22,"g2":null}', "g1=B", "partial", "0.5"),
        (GAPS, TWO_GAPS, '{"g1":21,"g2":32}', "g1=A;g2=B", "wrong", "0"),
        (GAPS, TWO_GAPS, "{}", None, "omitted", "0"),
        (GAPS, TWO_GAPS, '{"g9":22}', None, "unreadable", "0"),
        (NUMBER, {}, '"3,5"', "3.5", "right", "1"),
        (NUMBER, {}, '"3,50"', "3.5", "right", "1"),
        (NUMBER, {}, '"3,6"', "3.6", "right", "1"),
        (NUMBER, {}, '"3,61"', "3.61", "wrong", "0"),
        (NUMBER, {}, "3.5", "3.5", "right", "1"),
        (NUMBER, {}, '"0,0"', "0", "wrong", "0"),
        (NUMBER, {}, '"үш"', "үш", "wrong", "0"),
        (NUMBER, {}, '"  "', None, "omitted", "0"),
        (TEXT, {}, '" Мектеп."', "мектеп", "right", "1"),
        (TEXT, {}, '"SCHOOL"', "school", "right", "1"),
        (TEXT, {}, '"бала"', "бала", "wrong", "0"),
        (TEXT, {}, '""', None, "omitted", "0"),
    ],
)
def test_marking(
    rule: Rule, codes: OptionCodes, value: str | None, chosen: str | None, state: str, credit: str
) -> None:
    """One response, one rule, one verdict."""
    marked = mark(rule, codes, value)
    assert (marked.chosen, marked.state, marked.credit) == (chosen, state, Decimal(credit))


@given(
    st.one_of(
        st.text(max_size=30),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ).map(lambda value: msgspec.json.encode(value).decode()),
    )
)
def test_no_value_breaks_a_run(value: str) -> None:
    """Whatever a hostile device sent, the mark is one of the states and the credit lies between 0 and 1."""
    for rule, codes in ((ONE, FOUR), (SOME, FOUR), (GAPS, TWO_GAPS), (NUMBER, {}), (TEXT, {})):
        assert 0 <= mark(rule, codes, value).credit <= 1


@given(st.sets(st.sampled_from([11, 12, 13, 14])), st.sampled_from([11, 12, 13, 14]))
def test_one_more_right_option_never_costs(marked: set[int], added: int) -> None:
    """Monotone: a further right option never lowers the credit, a further wrong one never raises it."""
    before = mark(SOME, FOUR, msgspec.json.encode(sorted(marked)).decode()).credit
    after = mark(SOME, FOUR, msgspec.json.encode(sorted(marked | {added})).decode()).credit
    if added in marked:
        assert after == before
    elif FOUR[""][added] in SOME.right:
        assert after >= before
    else:
        assert after <= before


ITEMS = pl.LazyFrame(
    [
        (1, 7, "M01", 1, 1, "single", "logic", "x", 300, False, msgspec.json.encode(ONE).decode()),
        (
            1,
            8,
            "M02",
            1,
            2,
            "multiple",
            "logic",
            "x",
            100,
            False,
            msgspec.json.encode(ChoicesRule(("A", "B", "C"), partial=True)).decode(),
        ),
        (1, 9, "M03", 1, 3, "numeric", "logic", "x", 200, True, msgspec.json.encode(NUMBER).decode()),
        (2, 17, "R01", 1, 1, "single", "logic", "x", 300, False, msgspec.json.encode(ONE).decode()),
    ],
    schema={
        "form_id": pl.Int32,
        "item": pl.Int32,
        "code": pl.String,
        "section": pl.Int16,
        "position": pl.Int16,
        "kind": pl.String,
        "topic": pl.String,
        "skill": pl.String,
        "points": pl.Int64,
        "voided": pl.Boolean,
        "rule": pl.String,
    },
    orient="row",
)
OPTIONS = pl.LazyFrame(
    [(1, item, "", code, 10 + n) for item in (7, 8) for n, code in enumerate("ABCD", 1)]
    + [(2, 17, "", code, 50 + n) for n, code in enumerate("ABCD", 1)],
    schema={
        "form_id": pl.Int32,
        "item": pl.Int32,
        "gap": pl.String,
        "option": pl.String,
        "option_id": pl.Int32,
    },
    orient="row",
)


def final(rows: list[tuple[int, int, str | None]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema={"attempt_id": pl.Int64, "item": pl.Int32, "value": pl.String}, orient="row")


def scores(rows: list[tuple[int, int, str | None]], attempts: list[int]) -> list[dict[str, object]]:
    of_attempts = pl.LazyFrame({"attempt_id": attempts}, schema={"attempt_id": pl.Int64})
    responses = final(rows)
    scored = form_of_attempts(of_attempts, responses, ITEMS, main_form=1)
    table = cells(scored, marked_responses(responses, ITEMS, OPTIONS), ITEMS)
    return raw_scores(table).collect().to_dicts()


def test_points_of_an_attempt() -> None:
    """3 points for M01; 2/3 of one point for two of three in M02; the voided M03 is in no total."""
    (row,) = scores([(5, 7, "12"), (5, 8, "[11,12]"), (5, 9, '"3,5"')], [5])
    assert (row["raw"], row["max_points"], row["items"]) == (3.67, 4.0, 2)
    assert (row["right"], row["partial"], row["wrong"], row["omitted"]) == (1, 1, 0, 0)


def test_an_attempt_without_answers_earns_zero_and_its_items_are_omitted() -> None:
    """Opened, but nothing answered: zero points, not absent."""
    (row,) = scores([], [5])
    assert (row["raw"], row["omitted"], row["max_points"]) == (0.0, 2, 4.0)


def test_an_attempt_on_the_reserve_form_is_scored_on_it() -> None:
    """The form is the one on which the pupil answered."""
    (row,) = scores([(5, 17, "52")], [5])
    assert (row["form_id"], row["raw"], row["max_points"]) == (2, 3.0, 3.0)


def test_answers_on_two_forms_are_marked_as_mixed() -> None:
    """Resumed on the reserve after a stop: a person must see it."""
    responses = final([(5, 7, "12"), (5, 8, "[11]"), (5, 17, "52")])
    (row,) = form_of_attempts(pl.LazyFrame({"attempt_id": [5]}), responses, ITEMS, 1).collect().to_dicts()
    assert row == {"attempt_id": 5, "form_id": 1, "mixed": True}


def test_who_went_on_with_the_reserve_is_scored_on_it_whatever_he_had_answered_before() -> None:
    """Two answers on the stopped form, none yet on the reserve: zero points there, not two here (SAFETY D1)."""
    responses = final([(5, 7, "12"), (5, 8, "[11]"), (6, 7, "12")])
    attempts = pl.LazyFrame({"attempt_id": [5, 6]})
    rows = form_of_attempts(attempts, responses, ITEMS, 1, (2, pl.Series([5]))).collect().to_dicts()
    assert [(row["attempt_id"], row["form_id"]) for row in rows] == [(5, 2), (6, 1)]
