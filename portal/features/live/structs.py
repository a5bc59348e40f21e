"""Figures of the live view, and the controls it lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Count(msgspec.Struct, kw_only=True):
    """How many pupils are where. Written while sums are built, read only afterwards."""

    total: int = 0
    with_code: int = 0
    signed_in: int = 0
    started: int = 0
    answering: int = 0
    silent: int = 0
    finished: int = 0
    sealed: int = 0
    answered: int = 0

    def add(self, other: Count) -> None:
        """Sum into this one."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class SchoolCount(msgspec.Struct, frozen=True, kw_only=True):
    """One school of the sitting."""

    school_id: int
    name: dict[str, str]
    region_code: str
    count: Count


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the table: a region or a school."""

    key: str
    name: dict[str, str]
    count: Count


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must not be overlooked."""

    tone: str
    text: str
    advice: str
    values: dict[str, str]


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Failed sign-ins of one kind: this minute and the one before, of a sitting and of the whole country."""

    code: str
    here: tuple[int, int] | None
    country: tuple[int, int]


class ControlRow(msgspec.Struct, frozen=True, kw_only=True):
    """A control and how far it got."""

    id: int
    scope: str
    scope_id: str
    scope_name: dict[str, str] | None
    version: int
    kind: str
    body: dict[str, Any]
    made_by_name: str | None
    made_at: datetime
    relayed_at: datetime | None
    concerned: int
    seen: int
