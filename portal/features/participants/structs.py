"""Rows and pages of pupils."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from portal.core.files.rows import RowError


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """A checked row of an import."""

    school_id: int
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    gender: str | None
    grade: int
    class_letter: str
    # "": at home.
    room: str
    language: str
    extra_minutes: int
    external_id: str


class Checked(msgspec.Struct, frozen=True):
    """The outcome of a check: all rows, or all errors. `unusual` names are taken as they stand; a person looks at them."""

    rows: list[NewParticipant]
    errors: list[RowError]
    unusual: list[RowError]


class ParticipantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list."""

    id: int
    name: str
    grade: int
    class_letter: str
    room: str | None
    language: str
    extra_minutes: int
    school: dict[str, str]
    school_id: int
    region_code: str
    has_code: bool
    locked: bool
    signed_in_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil whole, with his attempt."""

    id: int
    sitting_id: int
    school_id: int
    region_code: str
    last_name: str
    first_name: str
    middle_name: str
    grade: int
    class_letter: str
    room: str | None
    language: str
    extra_minutes: int
    external_id: str
    has_code: bool
    code_version: int
    birth_misses: int
    locked_at: datetime | None
    school: dict[str, str]
    district: dict[str, str]
    contact_name: str
    contact_phone: str
    signed_in_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    reopened_at: datetime | None
    last_received_ms: int | None
    answered: int | None
    sealed_at: datetime | None
    seal_code: str | None
    conflicts: int
    held_tries: int | None
    held_newest_ms: int | None
    held_agent: str | None
    devices_freed_at: datetime | None
    # Linked to a row of the registry; its camera consent holds; the sitting is proctored.
    known: bool
    camera: bool
    watched: bool
    # Sat, and no picture of him came.
    unseen: bool
    # Which bounds of one pupil were crossed (SAFETY M2) → how often he was refused for it.
    limits: dict[str, int]

    @property
    def is_held(self) -> bool:
        """Whether a device was held back and nobody has decided about it yet."""
        if self.held_newest_ms is None:
            return False
        return self.devices_freed_at is None or self.devices_freed_at.timestamp() * 1000 < self.held_newest_ms

    @property
    def name(self) -> str:
        """As on a class list."""
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part)


class OtherAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil whose attempt lay on the same phone at the same time."""

    id: int
    name: str


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the attempt."""

    epoch: int
    first_seen_ms: int
    agent: str
    events: int
    same_phone_as: int | None
    others: list[OtherAttempt]


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """An event without its content."""

    kind: int
    received_ms: int
    marks: int
    epoch: int | None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of «why isn't he in»: what is so, and what to do."""

    tone: str
    text: str
    advice: str = ""
    values: dict[str, str] = {}
