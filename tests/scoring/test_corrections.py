"""Voided questions and corrected keys: a parameter of the run, checked against the question."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scoring.report import about
from scoring.rules import ChoiceRule, NumericRule
from scoring.run import compute
from scoring.structs import Correction, Parameters, SnapshotError


def points(sitting: SimpleNamespace, *corrections: Correction) -> dict[int, float]:
    """Attempt → points."""
    run = compute(sitting.snapshot(), Parameters(corrections=corrections))
    return dict(run.tables()["scores"].select("attempt_id", "raw").iter_rows())


def test_a_voided_question_earns_nobody_anything(sitting: SimpleNamespace) -> None:
    """Nor does it count in the most that can be reached."""
    assert points(sitting) == {1: 6, 2: 3, 3: 3, 4: 0}
    assert points(sitting, Correction(1, "M03")) == {1: 3, 2: 3, 3: 0, 4: 0}
    run = compute(sitting.snapshot(), Parameters(corrections=(Correction(1, "M03"),)))
    assert set(run.tables()["scores"]["max_points"]) == {3.0}


def test_another_key_marks_everybody_anew(sitting: SimpleNamespace) -> None:
    """And the report says that it was corrected."""
    correction = Correction(1, "M01", ChoiceRule(("A", "B")))
    assert points(sitting, correction) == {1: 6, 2: 3, 3: 4, 4: 1}
    run = compute(sitting.snapshot(), Parameters(corrections=(correction,)))
    assert any("M01" in line for line in about(run, "kk"))


@pytest.mark.parametrize(
    "correction",
    [
        Correction(1, "M09"),
        Correction(2, "M01"),
        Correction(1, "M01", ChoiceRule(("E",))),
        Correction(1, "M03", NumericRule("1")),
    ],
    ids=["no such question", "another form", "no such option", "another kind"],
)
def test_a_correction_that_does_not_fit_is_refused(sitting: SimpleNamespace, correction: Correction) -> None:
    """With a sentence, before any figure is made."""
    with pytest.raises(SnapshotError):
        points(sitting, correction)
