"""Who is attached to whom: rows, filters and words."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from portal.core.i18n import N_

KINDS: dict[str, str] = {
    "teacher": N_("teacher"),
    "tutor": N_("tutor"),
    "assistant": N_("assistant"),
    "specialist": N_("Qabilet specialist"),
    "coordinator": N_("coordinator"),
    "parent": N_("parent"),
    "guardian": N_("guardian"),
}
# These two are of the family and of no project; a grant of own pupils does not mean them.
FAMILY = frozenset({"parent", "guardian"})
STATES: dict[str, str] = {"now": N_("attached now"), "over": N_("no longer attached"), "all": N_("at any time")}


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the list is narrowed to."""

    words: str = ""
    kind: str = ""
    project: str = ""
    state: str = "now"


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """A person who is attached to the card's person."""

    id: int
    person_id: int
    name: str
    grade: int | None
    class_letter: str
    school: dict[str, str] | None
    kind: str
    project: dict[str, str] | None
    since: date
    until: date | None
    ended_at: datetime | None
    holds: bool

    @property
    def class_name(self) -> str:
        """«5Ә»; empty if there is none."""
        return f"{'' if self.grade is None else self.grade}{self.class_letter}"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a tie by name; contacts where the reader sees that person too."""

    id: int
    person_id: int
    name: str
    holds: bool
    kind: str
    project: dict[str, str] | None
    since: date
    until: date | None
    ended_at: datetime | None
    seen: bool
    phone: str
    email: str


class NewTie(msgspec.Struct, frozen=True, kw_only=True):
    """What the form says."""

    kind: str
    project: str | None
    since: date
    until: date | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be attached."""

    id: int
    name: str
    birth_date: date
    grade: int | None
    class_letter: str
    school: dict[str, str] | None
