"""A control before it is one: for whom, what holds there now, what is wished, what is ordered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a control is: a scope, its name, and what it touches."""

    scope: str
    scope_id: str
    name: dict[str, str]
    regions: list[str]
    schools: list[int]
    pupils: int
    ended: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The values that hold for a target now."""

    extra_s: int
    paused_s: int
    paused_since_ms: int | None
    stopped_ms: int | None = None
    restart_ms: int | None = None


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """The form on which a stopped sitting goes on. `starts`: the T0s that it has already, here and in other sittings."""

    name: str
    manifest: str
    sealed: bool
    starts: list[datetime]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for."""

    kind: str
    minutes: int = 0
    text: dict[str, str] = {}
    item: int | None = None
    item_name: str = ""
    starts_at: datetime | None = None
    entry_minutes: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A control ready to be written, with its words for the second person."""

    kind: str
    body: dict[str, Any]
    two_persons: bool
    before: dict[str, Any]
    after: dict[str, Any]
