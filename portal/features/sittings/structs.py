"""Rows, forms and page contexts of sittings."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SittingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list."""

    id: int
    title: dict[str, str]
    state: str
    place: str
    starts_at: datetime
    last_entry_at: datetime
    test: dict[str, str]
    form: str
    participants: int
    regions: int


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """How a sitting is proctored: a small picture now and then, perhaps a photo of the face at the start, perhaps the screen."""

    every_s: int
    most_bytes: int = 12_288
    identity: bool
    screen: bool
    keep_days: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a person fills in."""

    title: dict[str, str]
    form_id: int
    reserve_form_id: int | None
    place: str
    waiting_opens_at: datetime
    starts_at: datetime
    last_entry_at: datetime
    duration_s: int
    ends_at: datetime | None
    grace_s: int
    spread_s: int
    late_policy: str
    help_name: str
    help_phone: str
    regions: list[str]
    # None: it is not proctored, and no byte of it is taken.
    watch: Watch | None = None


class Sitting(Draft, frozen=True, kw_only=True):
    """A sitting whole."""

    id: int
    test_id: int
    state: str
    test: dict[str, str]
    form: str
    reserve_form: str | None
    rehearsed_at: datetime | None
    published_at: datetime | None
    closed_at: datetime | None
    created_by_name: str | None
    participants: int
    without_code: int
    extra_minutes: list[int]


class FormChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A form to choose."""

    id: int
    test_id: int
    test: dict[str, str]
    name: str
    state: str
    packed: bool


class FormUse(msgspec.Struct, frozen=True, kw_only=True):
    """Where else a form is, or was, in use."""

    form_id: int
    sitting_id: int
    title: dict[str, str]
    starts_at: datetime


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing has to know beside the sitting."""

    form: FormChoice
    reserve: FormChoice | None
    other_uses: list[FormUse]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list before publishing. `acceptable`: two persons may accept it with a reason (SAFETY D1)."""

    code: str
    fulfilled: bool
    text: str
    advice: str = ""
    acceptable: bool = False
    values: dict[str, str] = {}


class Stretch(msgspec.Struct, frozen=True):
    """A piece of the rehearsed time line."""

    phase: str
    since: datetime
    until: datetime


class Course(msgspec.Struct, frozen=True):
    """How one pupil's time goes: who he is, when he starts, and his phases."""

    extra_minutes: int
    late: bool
    starts: datetime
    deadline: datetime
    over: datetime
    stretches: list[Stretch]


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """An act on this sitting."""

    at: datetime
    act: str
    name: str | None
    reason: str
