"""What the demo hands to the database: authored forms and drawn people.

Field names are those of the tables.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from scoring.rules import Rule

LANGUAGES = ("kk", "ru", "en")
Kind = Literal["single", "multiple", "picture", "dropdown", "numeric", "short_text"]
Topic = Literal["logic", "spatial", "literacy", "reading"]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same text in the three languages; HTML where the field says so."""

    kk: str
    ru: str
    en: str


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to choose: a text or a picture with its alternative text.

    `code` names it for authors and keys.
    """

    code: str
    text: Text | None = None
    picture: str | None = None
    alt: Text | None = None


class Gap(msgspec.Struct, frozen=True):
    """A drop-down in the prompt, placed by `<span data-gap="code">`."""

    code: str
    options: tuple[Option, ...]


class ItemContent(msgspec.Struct, frozen=True, kw_only=True):
    """form_item.content: all a pupil sees, nothing of the key."""

    stimulus: Text | None
    stimulus_id: str | None
    prompt: Text
    kind: Kind
    options: tuple[Option, ...] = ()
    gaps: tuple[Gap, ...] = ()
    max_choices: int | None = None
    fixed_order: bool = False
    unit: Text | None = None
    pictures: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A row of form_item and its row of keys.item_key."""

    code: str
    section: int
    position: int
    topic: Topic
    skill: str
    content: ItemContent
    points: int
    rule: Rule


class Section(msgspec.Struct, frozen=True):
    """A row of form_section."""

    number: int
    title: Text


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A whole authored form; `media` maps a picture's name to its bytes (all SVG)."""

    name: str
    title: Text
    sections: tuple[Section, ...]
    items: tuple[Item, ...]
    media: dict[str, bytes]


class Region(msgspec.Struct, frozen=True):
    """A row of region; code is ISO 3166-2."""

    code: str
    name_kk: str
    name_ru: str
    name_en: str


class District(msgspec.Struct, frozen=True, kw_only=True):
    """A row of district; `key` stands for its id until the database gives one."""

    key: str
    region_code: str
    name_kk: str
    name_ru: str
    name_en: str


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A row of school; `district` is its district's key."""

    code: str
    district: str
    name_kk: str
    name_ru: str
    name_en: str
    contact_name: str
    contact_phone: str


class Pupil(msgspec.Struct, frozen=True, kw_only=True):
    """A row of participant, without sitting and sign-in code; `school` is the school's code, `room` "" at home."""

    external_id: str
    school: str
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    gender: Literal["f", "m"]
    grade: int
    class_letter: str
    room: str
    language: Literal["kk", "ru", "en"]
    extra_minutes: int


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody of the demo, in a stable order."""

    regions: tuple[Region, ...]
    districts: tuple[District, ...]
    schools: tuple[School, ...]
    pupils: tuple[Pupil, ...]
