"""Rows of registrations and class codes."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Part(msgspec.Struct, frozen=True):
    """What one can register as: a role of a project."""

    project: str
    project_name: dict[str, str]
    role: str
    role_name: dict[str, str]

    @property
    def code(self) -> str:
        """As a form sends it."""
        return f"{self.project}:{self.role}"


class School(msgspec.Struct, frozen=True):
    """A school to choose from, with its district."""

    id: int
    name: dict[str, str]
    district: dict[str, str]


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """What a form says of who registers."""

    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    language: str
    region_code: str
    school_id: int | None
    grade: int | None
    class_letter: str
    project: str
    role: str


class Registration(Applicant, frozen=True, kw_only=True):
    """A registration that waits."""

    id: int
    staff_id: int
    login: str
    way: str
    state: str
    name_key: str
    class_code_id: int | None
    person_id: int | None
    child_agreed_at: datetime | None
    made_at: datetime
    ends_at: datetime
    region: dict[str, str]
    school: dict[str, str] | None
    project_name: dict[str, str]
    role_name: dict[str, str]

    @property
    def name(self) -> str:
        """In full."""
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))

    @property
    def class_name(self) -> str:
        """As «5А»."""
        return f"{self.grade}{self.class_letter}" if self.grade is not None else ""


class ClassCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code of one class."""

    id: int
    school_id: int
    school: dict[str, str]
    grade: int
    class_letter: str
    project: str
    role: str
    role_name: dict[str, str]
    region_code: str
    seed: str
    uses: int
    most_uses: int
    made_by: int
    made_by_name: str
    ends_at: datetime
    ended_at: datetime | None
    open: bool

    @property
    def class_name(self) -> str:
        """As «5А»."""
        return f"{self.grade}{self.class_letter}"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the registry that may be who registers: the same folded name and birth date, in the same school."""

    id: int
    name: str
    birth_date: date
    class_name: str
    projects: list[str]
    has_login: bool
