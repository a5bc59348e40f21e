"""The KPI log: rows, filter, words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import msgspec

from portal.core.files.columns import Column
from portal.core.i18n import N_

SOURCES: dict[str, str] = {
    "system": N_("counted by the platform"),
    "entered": N_("entered by hand"),
    "imported": N_("from a list"),
}
UNITS: dict[str, str] = {"count": N_("times"), "percent": N_("percent"), "hours": N_("hours")}
COLUMNS: tuple[Column, ...] = (
    Column("external_id", N_("External id"), True, "P-000501"),
    Column("project", N_("Project code"), True, "birge-oqy"),
    Column("measure", N_("Measure code"), True, "lessons-held"),
    Column("day", N_("Day"), True, "25.11.2026"),
    Column("value", N_("Value"), True, "4"),
    Column("note", N_("Note"), False, ""),
)


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    code: str
    project: str | None
    role: str
    name: dict[str, str]
    unit: str
    from_system: bool


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Period, and what of it."""

    since: date
    until: date
    project: str = ""
    measure: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log."""

    id: int
    project: str
    project_name: dict[str, str]
    measure: str
    name: dict[str, str]
    unit: str
    day: date
    value: Decimal
    source: str
    note: str
    made_by: str | None
    made_at: datetime


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """A measure over the period. Of percents the mean, of all else the sum."""

    measure: str
    name: dict[str, str]
    unit: str
    entries: int
    value: Decimal


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a form or a row of a list says."""

    project: str
    measure: str
    day: date
    value: Decimal
    note: str


class Bar(msgspec.Struct, frozen=True):
    """A month of the drawing; of many every second has its label."""

    x: float
    y: float
    width: float
    height: float
    month: str
    label: str
    value: Decimal
