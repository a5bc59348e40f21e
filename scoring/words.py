"""The words of scoring's reports in three languages.

Whole sentences with placeholders, never glued from pieces.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

Language = Literal["kk", "ru", "en"]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in the three languages."""

    kk: str
    ru: str
    en: str

    def of(self, language: Language, **values: object) -> str:
        """The sentence in a language, its placeholders filled."""
        text: str = getattr(self, language)
        return text.format(**values) if values else text


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a result table: its type, the unit of its numbers, and what it means."""

    type: Literal["text", "whole", "number", "yes-no", "date"]
    unit: str
    kk: str
    ru: str
    en: str

    def of(self, language: Language) -> str:
        """What the column means, in a language."""
        meaning: str = getattr(self, language)
        return meaning


class Codebook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scoring/codebook.toml."""

    tables: dict[str, Words]
    columns: dict[str, Column]


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scoring/words.toml."""

    tie_rule: Words
    ties_in: Words
    ties_out: Words
    from_home: Words
    equated: Words
    unequated: Words
    title: Words
    run_line: Words
    took_part: Words
    excluded_for: Words
    voided: Words
    rekeyed: Words
    waiting: Words
    form_line: Words
    distribution_axes: Words
    read_items: Words
    page: Words
    made_for: Words
    yes: Words
    no: Words
    about: Words
    codebook_name: Words
    head_table: Words
    head_column: Words
    head_type: Words
    head_unit: Words
    head_meaning: Words
    values: dict[str, dict[str, Words]]

    def value(self, column: str, stored: str, language: Language) -> str:
        """What a stored value of a column is called; the value itself where it has no other name."""
        named = self.values.get(column, {}).get(stored)
        return stored if named is None else named.of(language)


HERE = Path(__file__).parent
CODEBOOK = msgspec.convert(tomllib.loads((HERE / "codebook.toml").read_text("utf-8")), Codebook)
SAY = msgspec.convert(tomllib.loads((HERE / "words.toml").read_text("utf-8")), Sentences)
