"""The shape of the authors' TOML files; docs in portal/demo/content/README.md."""

from __future__ import annotations

import msgspec

from portal.demo.structs import Kind, Text, Topic
from scoring.rules import Rule


class AuthoredOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An option: its text in three languages, or with `picture` the picture's alternative text."""

    kk: str
    ru: str
    en: str
    picture: str | None = None


class AuthoredStimulus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text or table that all items of its file share."""

    id: str
    kk: str
    ru: str
    en: str


class AuthoredItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[items]]` table.

    An option given as a plain string is the same in all languages, such as a number.
    """

    code: str
    section: int
    topic: Topic
    skill: str
    kind: Kind
    points: int
    prompt: Text
    rule: Rule
    options: dict[str, str | AuthoredOption] = msgspec.field(default_factory=dict)
    gaps: dict[str, dict[str, str | AuthoredOption]] = msgspec.field(default_factory=dict)
    max_choices: int | None = None
    fixed_order: bool = False
    unit: Text | None = None


class AuthoredFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of items, with their shared stimulus if they have one."""

    items: tuple[AuthoredItem, ...]
    stimulus: AuthoredStimulus | None = None


class AuthoredSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `[[sections]]` table of form.toml."""

    number: int
    kk: str
    ru: str
    en: str


class AuthoredForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """form.toml."""

    name: str
    item_prefix: str
    title: Text
    sections: tuple[AuthoredSection, ...]
