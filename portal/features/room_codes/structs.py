"""Rows of the page of room codes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.codes import show_code


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil whose device says that it opened the test before the start, or under another room's number."""

    id: int
    name: str
    early: bool


class RoomLine(msgspec.Struct, frozen=True, kw_only=True):
    """A room. `has_code`: a sealed one is there; `code`: in clear, from T0 on; `closed_at`: its newest closed one."""

    id: int
    name: str
    school: dict[str, str]
    school_code: str
    district: dict[str, str]
    contact_name: str
    contact_phone: str
    pupils: int
    has_code: bool
    code: str | None
    closed_at: datetime | None
    suspects: list[Suspect]

    @property
    def shown(self) -> str:
        """The code in groups of four, as it is read out."""
        return show_code(self.code or "")


class RoomCounts(msgspec.Struct, frozen=True, kw_only=True):
    """All rooms of a sitting within a scope."""

    rooms: int
    without_code: int
    open: int
    closed: int
