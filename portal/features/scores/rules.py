"""What may be decided after a sitting, and how a form's fields become a rule of scoring. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from portal.core.i18n import N_, number
from scoring.rules import ChoiceRule, ChoicesRule, GapsRule, NumericRule, TextRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.forms import Form
    from scoring.rules import Rule

# The codes stand in the run's parameters and in scoring/words.toml; 0022 lists them.
EXCLUDED_FOR = {
    "other-person": N_("Somebody else sat for the pupil"),
    "outside-help": N_("Help from outside"),
    "saw-questions": N_("Saw the questions beforehand"),
    "not-entitled": N_("Not entitled to take part"),
    "own-wish": N_("At the pupil's own wish"),
    "trial": N_("A trial entry"),
}
TIES = {
    "all": N_("All who share the last place are on the list; it may be longer than the quota"),
    "none": N_("None of them is on the list; a person decides on the places left"),
}
RULINGS = {
    "void": N_("Voided: it counts for nobody"),
    "key": N_("Another key"),
    "as-packed": N_("As it was sat"),
}
# Parameters of a run as the page of differences names them.
PARAMETERS = {
    "late_policy": N_("Answers that came late"),
    "superseded": N_("Answers of a replaced device"),
    "decisions": N_("Decisions on late answers"),
    "excluded": N_("Excluded pupils"),
    "hard_share": N_("Share of hardest questions that parts equal points"),
    "quota": N_("Quota places"),
    "tie_at_line": N_("Equal points at the quota line"),
    "home_quota_agreed": N_("Who agreed to a list from home"),
    "visit_cap_ms": N_("Longest look that counts, ms"),
    "corrections": N_("Voided questions and corrected keys"),
}
MOST_PLACES = 100_000
MOST_ACCEPTED = 50


def read_places(form: Form, regions: list[str]) -> dict[str, int]:
    """Places of each region; a region without a number gets none."""
    given = {code: form.integer(f"places_{code}", least=0, most=MOST_PLACES, default=0) for code in regions}
    return {code: places for code, places in given.items() if places}


def read_rule(form: Form, kind: str, content: Mapping[str, Any]) -> Rule | None:
    """The new key of a question of this kind; None when `form.errors` says why not."""
    codes = [option["code"] for option in content.get("options", [])]
    match kind:
        case "single" | "picture" | "multiple":
            right = tuple(form.choices("right", codes))
            if not right:
                form.miss("right", N_("Tick at least one right answer."))
                return None
            return ChoicesRule(right, form.ticked("partial")) if kind == "multiple" else ChoiceRule(right)
        case "dropdown":
            gaps = content.get("gaps", [])
            chosen = {
                gap["code"]: form.choice(f"gap_{gap['code']}", [option["code"] for option in gap["options"]])
                for gap in gaps
            }
            return None if form.errors else GapsRule(chosen, form.ticked("partial"))
        case "numeric":
            value, tolerance = _decimal(form, "value"), _decimal(form, "tolerance", default="0")
            return None if form.errors else NumericRule(value, tolerance)
        case _:
            lines = form.text("accept", most=2000).splitlines()
            accept = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
            if not 0 < len(accept) <= MOST_ACCEPTED:
                form.miss("accept", N_("One accepted answer a line, at most {most} lines."), most=MOST_ACCEPTED)
            return None if form.errors else TextRule(accept)


def said_rule(rule: Rule) -> str:
    """A key in a line, by the author's codes."""
    match rule:
        case ChoiceRule() | ChoicesRule():
            return ", ".join(rule.right)
        case GapsRule():
            return ", ".join(f"{gap} = {code}" for gap, code in rule.right.items())
        case NumericRule():
            return rule.value if rule.tolerance == "0" else f"{rule.value} ± {rule.tolerance}"
        case TextRule():
            return " · ".join(rule.accept)


def said_parameter(name: str, value: Any) -> str:
    """What a run was told, short enough for a line; the whole is in the run's record."""
    if not value:
        return "—"
    match name, value:
        case "quota", dict():
            return number(sum(value.values()))
        case (("decisions" | "excluded"), list()):
            return ", ".join(f"№ {one['attempt_id']}" for one in value[:10]) + (" …" if len(value) > 10 else "")
        case "corrections", list():
            return ", ".join(one["code"] for one in value)
        case _, list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _decimal(form: Form, name: str, default: str = "") -> str:
    typed = form.values.get(name, "").strip().replace(",", ".") or default
    try:
        number = Decimal(typed)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(typed) > 20 or (name == "tolerance" and number < 0):
        form.miss(name, N_("A number is needed, such as 3.5; we saw «{seen}»."), seen=typed[:20])
        return "0"
    return format(number, "f")
