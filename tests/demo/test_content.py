"""The authored forms are whole, follow one blueprint, and the loader refuses what it promises to refuse."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from portal.demo.content import CONTENT, FORMS, ContentError, load_form
from portal.demo.markup import MarkupError, check_html, check_svg
from portal.demo.structs import Form
from scoring.rules import ChoiceRule, decode_rule


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    return {name: load_form(name) for name in FORMS}


def test_main_form_covers_the_kinds(forms: dict[str, Form]) -> None:
    """Thirty items, of every kind that the player has."""
    kinds = Counter(item.content.kind for item in forms["main"].items)
    expected = {"single": 16, "multiple": 2, "picture": 5, "dropdown": 2, "numeric": 3, "short_text": 2}
    assert kinds == expected


def test_reserve_form_follows_the_blueprint_of_the_main_form(forms: dict[str, Form]) -> None:
    """Place for place the same section, kind, topic, skill and points: either form is a fair sitting."""

    def blueprint(form: Form) -> list[tuple[object, ...]]:
        return [(i.position, i.section, i.content.kind, i.topic, i.skill, i.points) for i in form.items]

    assert blueprint(forms["reserve"]) == blueprint(forms["main"])


def test_forms_share_no_question(forms: dict[str, Form]) -> None:
    """Reserve means other questions.

    No prompt together with its stimulus, and no picture in a question, is in both forms.
    """
    main, reserve = forms["main"], forms["reserve"]
    for language in ("kk", "ru", "en"):
        asked = [
            {
                (
                    str(getattr(i.content.stimulus, language, "")),
                    getattr(i.content.prompt, language),
                    *_shown(i.content),
                )
                for i in form.items
            }
            for form in (main, reserve)
        ]
        assert not asked[0] & asked[1]
    shown = [{form.media[p] for i in form.items for p in i.content.pictures} for form in (main, reserve)]
    assert not shown[0] & shown[1]


def _shown(content: object) -> tuple[str, ...]:
    return tuple(option.picture or option.text.kk for option in content.options)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["main", "reserve"])
def test_place_of_the_right_option_says_nothing(forms: dict[str, Form], name: str) -> None:
    """No letter is right in more than two of five single-choice items, and each letter is right somewhere."""
    right = Counter(item.rule.right[0] for item in forms[name].items if isinstance(item.rule, ChoiceRule))
    assert set(right) == set("ABCD")
    assert max(right.values()) <= 0.4 * right.total()


@pytest.mark.parametrize("name", ["main", "reserve"])
@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_length_of_the_right_option_says_nothing(forms: dict[str, Form], name: str, language: str) -> None:
    """Choosing always the longest option of a text item must not beat half of the items."""
    longest = []
    for item in forms[name].items:
        if item.content.kind == "single" and isinstance(item.rule, ChoiceRule):
            lengths = {option.code: len(getattr(option.text, language)) for option in item.content.options}
            if len(set(lengths.values())) > 1:
                longest.append(max(lengths, key=lambda code: lengths[code]) in item.rule.right)
    assert sum(longest) <= 0.5 * len(longest)


def test_rules_survive_the_database(forms: dict[str, Form]) -> None:
    """What is stored as jsonb is read back as the same rule."""
    for form in forms.values():
        for item in form.items:
            assert decode_rule(msgspec.json.encode(item.rule)) == item.rule


def test_content_holds_nothing_of_the_key(forms: dict[str, Form]) -> None:
    """No field of rule, points or right answer is in what goes to the bundle."""
    for form in forms.values():
        for item in form.items:
            names = set(msgspec.to_builtins(item.content))
            assert not names & {"rule", "right", "points", "accept", "value", "tolerance", "partial"}


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("01-logic.toml", 'right = ["A"]', 'right = ["E"]', "M01: the key"),
        ("01-logic.toml", 'ru = "Сункар"', 'ru = "Курень"', "options in ru"),
        ("01-logic.toml", 'value = "9"', 'value = "nine"', "must be numbers"),
        ("01-logic.toml", 'data-gap=\\"g1\\"', 'data-gap=\\"g3\\"', "has gaps"),
        ("01-logic.toml", "<p>Четыре", "<script>Четыре", "not allowed"),
        ("01-logic.toml", 'code = "M02"', 'code = "M01"', "without a gap"),
        ("01-logic.toml", 'kind = "numeric"', 'kind = "single"', "don't fit together"),
        ("02-spatial.toml", 'picture = "m09-a.svg"', 'picture = "m09-x.svg"', "missing"),
        ("02-spatial.toml", "m12.svg", "m13.svg", "different pictures"),
        ("06-notice.toml", '"school", ', '"school", "School.", ', "differ after folding"),
        ("form.toml", 'ru = "Логика"', "", "form.toml"),
    ],
)
def test_loader_refuses(tmp_path: Path, file: str, old: str, new: str, complaint: str) -> None:
    """A fault in a file is named by file and field, not served."""
    shutil.copytree(CONTENT / "main", tmp_path / "main")
    path = tmp_path / "main" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ContentError, match=complaint):
        load_form("main", tmp_path)


@pytest.mark.parametrize(
    "html",
    [
        "<p>a",
        "<a href='x'>a</a>",
        "<p onclick='x'>a</p>",
        "<img src='x' alt='y'>",
        "a</p>",
        "<!-- key: B -->",
        "<img data-media='x.svg' alt=''>",
        "<p style='color:red'>a</p>",
        "<svg></svg>",
    ],
)
def test_html_outside_the_allow_list_is_refused(html: str) -> None:
    """Everything that could run, fetch, style or betray."""
    with pytest.raises(MarkupError):
        check_html(html)


@pytest.mark.parametrize(
    "inside",
    [
        "<script/>",
        "<text>а</text>",
        "<image href='x'/>",
        "<rect onload='x'/>",
        "<rect fill='url(#x)'/>",
        "<!-- B -->",
        "<foreignObject/>",
        "<g>words</g>",
        "<use href='#x'/>",
        "<rect style='fill:red'/>",
    ],
)
def test_svg_outside_the_allow_list_is_refused(inside: str) -> None:
    """Pictures hold shapes: nothing that runs, fetches or speaks a language."""
    with pytest.raises(MarkupError):
        check_svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{inside}</svg>'.encode())
