"""Runs and what their pages show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scoring run as recorded."""

    id: int
    sitting_id: int
    version: int
    parameters: dict[str, Any]
    snapshot_hash: str
    result_hash: str
    code_version: str
    summary: dict[str, Any]
    made_by_name: str | None
    made_at: datetime
    published_at: datetime | None


class Column(msgspec.Struct, frozen=True):
    """A bar of the distribution."""

    x: float
    y: float
    width: float
    height: float
    points: int
    n: int


class Mark(msgspec.Struct, frozen=True):
    """A number beside an axis."""

    at: float
    text: str


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of points as a drawing."""

    width: int
    height: int
    base: float
    left: float
    columns: list[Column]
    across: list[Mark]
    up: list[Mark]
    mean_x: float | None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind an attempt."""

    id: int
    name: str
    school: dict[str, str]
    region: dict[str, str]
    grade: int
    class_letter: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one run to another."""

    changed: int
    only_old: int
    only_new: int
    same: int
    largest: list[dict[str, Any]]
    parameters: list[tuple[str, str, str]]
    same_input: bool


class QuotaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Quota places of a sitting as two persons set them."""

    places: dict[str, int]
    tie_at_line: str
    from_home: bool
    reason: str
    asked_by: str
    agreed_by: str
    decided_at: datetime


class WaitingDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the waiting answers of an attempt count."""

    attempt_id: int
    counts: bool
    reason: str
    asked_by: str
    agreed_by: str
    decided_at: datetime


class ExclusionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was left out, or was taken in again."""

    attempt_id: int
    reason: str
    note: str
    excluded: bool
    asked_by: str
    agreed_by: str
    decided_at: datetime


class ItemRuling(msgspec.Struct, frozen=True, kw_only=True):
    """How a question counts instead of as packed."""

    form_id: int
    code: str
    ruling: str
    rule: dict[str, Any] | None
    reason: str
    asked_by: str
    agreed_by: str
    decided_at: datetime


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A question as authored, without its key."""

    form_id: int
    form_name: str
    code: str
    kind: str
    content: dict[str, Any]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Whose attempt it is, as far as a decision needs it."""

    id: int
    school_id: int
    begun: bool
