"""Every text is in three languages, and no page holds one that is not in the catalogue."""

from __future__ import annotations

import functools
import re
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import portal
from portal.core.audit import ACTS, KINDS
from portal.core.i18n.catalogue import LANGUAGES, LOCALES, catalogue
from portal.core.problems import Problem

ROOT = Path(portal.__file__).parent
METHODS = [("core/**.py", "python"), ("features/**.py", "python"), ("**/templates/**.html", "jinja2")]
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"<[^>]*>", re.DOTALL)
# Names that are the same in every language, and the alphabet that the style page shows.
SAME = re.compile(r"Excel|CSV|PDF|№|Әә Ғғ Ққ Ңң Өө Ұұ Үү Һһ Іі ₸")


@functools.cache
def used() -> set[str]:
    """Every text that the code marks; to look for them takes seconds."""
    found = extract_from_dir(str(ROOT), METHODS, keywords={"N_": None, "_": None})
    return {message for _, _, message, *_ in found if isinstance(message, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_this_language(language: str) -> None:
    """None is missing, and none is kept that nobody uses."""
    assert used() - set(catalogue(language)) == set()
    assert set(catalogue(language)) - used() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_places_for_values(language: str) -> None:
    """`{count}` here, `{count}` there."""
    for message, text in catalogue(language).items():
        assert fields(text) == fields(message), (message, text)


def fields(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_is_fuzzy(language: str) -> None:
    """A guess is no translation."""
    with (LOCALES / language / "LC_MESSAGES" / "portal.po").open("rb") as file:
        assert [message.id for message in read_po(file) if message.fuzzy] == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("**/templates/**/*.html")), ids=lambda file: file.name)
def test_a_template_holds_no_text_of_its_own(file: Path) -> None:
    """What a person reads comes from the catalogue (attributes too)."""
    source = JINJA.sub("", file.read_text())
    text = SAME.sub("", TAG.sub(" ", source))
    assert re.findall(r"[^\W\d_]{2,}", text) == [], file
    for attribute in re.findall(r'(?:placeholder|title|aria-label|alt)="([^"]+)"', source):
        assert not re.search(r"[^\W\d_]{4,}", attribute.replace("K7QM-2XW9", "")), (file, attribute)


def test_every_problem_and_act_has_its_sentences() -> None:
    """Codes are unique; title and advice are in the catalogue."""
    kinds: list[type[Problem]] = []
    stack: list[type[Problem]] = [Problem]
    while stack:
        kind = stack.pop()
        stack.extend(kind.__subclasses__())
        if kind is not Problem:
            kinds.append(kind)
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        for text in (kind.title, kind.advice):
            assert text in catalogue("kk"), (kind, text)
    for text in (*ACTS.values(), *KINDS.values()):
        assert text in catalogue("kk")
