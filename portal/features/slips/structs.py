"""What a slip shows, and the list of schools to print for."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SchoolLine(msgspec.Struct, frozen=True, kw_only=True):
    """A school of the sitting and how many of its pupils have a slip."""

    id: int
    name: dict[str, str]
    district: dict[str, str]
    region_code: str
    pupils: int
    with_code: int


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil on paper: no IIN, no birth date, not the whole last name."""

    participant_id: int
    school_id: int
    first_name: str
    initial: str
    grade: int
    class_letter: str
    language: str
    school: dict[str, str]


class SlipSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on every slip of a file."""

    title: dict[str, str]
    starts_at: datetime
    player_url: str
    help_name: str
    help_phone: str
    printed_by: str
    printed_at: str
