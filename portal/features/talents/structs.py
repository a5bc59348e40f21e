"""Rows and filters of the talents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from portal.core.i18n import N_

KINDS: dict[str, str] = {
    "top": N_("the best of a sitting"),
    "often": N_("high in several sittings"),
}
PER: dict[str, str] = {"region": N_("of each region"), "country": N_("of the country")}
STATES: dict[str, str] = {"draft": N_("not in force yet"), "on": N_("in force"), "off": N_("switched off")}
LEFT: dict[str, str] = {
    "result": N_("a newer run or a voided result"),
    "rule": N_("the rule was switched off"),
    "consent": N_("the consent was withdrawn"),
    "renewed": N_("goes on with newer values"),
}


class NewRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a form says of a rule. A rule «top» has share and per, a rule «often» percentile and times."""

    project: str
    kind: str
    title: dict[str, str]
    sitting_id: int | None = None
    share: Decimal | None = None
    per: str | None = None
    percentile: Decimal | None = None
    times: int | None = None


class Rule(NewRule, frozen=True, kw_only=True):
    """A rule. `inside`: how many are in the talents by it now."""

    id: int
    state: str
    made_by: int
    made_by_name: str
    made_at: datetime
    agreed_by_name: str | None
    switched_at: datetime | None
    project_name: dict[str, str]
    sitting_title: dict[str, str] | None
    inside: int


class SittingChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting that a rule can name."""

    id: int
    title: dict[str, str]
    project: str


class PublishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The newest published run of a sitting, with the attempts that were voided since."""

    id: int
    sitting_id: int
    version: int
    title: dict[str, str]
    starts_at: datetime
    voided: list[int]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that meets a rule (or, of a rule «often», counts towards it), with the values that say so."""

    attempt_id: int
    run_id: int
    reason: dict[str, Any]


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Whose attempt it is, as the sitting's list names him."""

    id: int
    sitting_id: int
    school_id: int
    region_code: str
    external_id: str
    last_name: str
    first_name: str
    birth_date: date


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the list is narrowed to."""

    rule: int | None = None
    region: str = ""
    grade: int | None = None
    words: str = ""


class TalentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the section. Without a consent there is neither name nor school nor a way to the person."""

    named: bool
    person_id: int | None
    name: str | None
    school: dict[str, str] | None
    grade: int | None
    class_letter: str | None
    region: dict[str, str]
    rule_id: int
    rule: dict[str, str]
    kind: str
    reason: dict[str, Any]
    since: datetime

    @property
    def class_name(self) -> str:
        """«5Ә»; empty if there is none."""
        return f"{'' if self.grade is None else self.grade}{self.class_letter or ''}"


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A time in the talents by a rule, perhaps over."""

    rule: dict[str, str]
    kind: str
    reason: dict[str, Any]
    since: datetime
    left_at: datetime | None
    left_why: str | None


class Talent(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the section: the fields that are needed, and no others."""

    id: int
    name: str
    school: dict[str, str] | None
    grade: int | None
    class_letter: str
    region: dict[str, str]
    phone: str
    email: str

    @property
    def class_name(self) -> str:
        """«5Ә»; empty if there is none."""
        return f"{'' if self.grade is None else self.grade}{self.class_letter}"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A named person's access."""

    id: int
    staff_id: int
    name: str
    reason: str
    agreed_by: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    holds: bool


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A result that meets a rule and fits nobody, or several; without the name, which is opened with a reason."""

    participant_id: int
    sitting_title: dict[str, str]
    rule: dict[str, str]
    school: dict[str, str]
    region: dict[str, str]
    why: str
    found_at: datetime
    person_id: int | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Whose result it is, once opened."""

    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    external_id: str
    school_id: int
    grade: int
    class_letter: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the registry who may be meant."""

    id: int
    name: str
    birth_date: date
    external_id: str | None
    school: dict[str, str] | None
    same_school: bool
