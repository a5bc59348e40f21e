"""What may be entered, from a form and from a list; the period; the drawing. No I/O."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from portal.core.files.rows import parse_day
from portal.core.i18n import N_, current
from portal.core.i18n.times import MONTHS
from portal.features.kpi.structs import Bar, Filter, Measure, NewEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST = Decimal(100_000)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 440, 220, 4, 34, 26
LABELS = 7
HALF_YEAR = timedelta(days=183)
EARLIEST = date(2020, 1, 1)
NOT_DAY = N_("A day like 25.11.2026 is needed, not later than today.")
NOT_VALUE = N_("A figure from 0 is needed; of a percent, up to 100.")
NOT_MEASURE = N_("There is no such measure, or the platform counts it itself.")
NOT_PROJECT = N_("This measure is not of this project.")


def period(since: str, until: str, today: date) -> tuple[date, date]:
    """The days of an address; half a year up to today where nothing or nonsense was said."""
    last = parse_day(until) or today
    first = parse_day(since) or last - HALF_YEAR
    return (first, last) if EARLIEST <= first <= last else (last - HALF_YEAR, last)


def read(
    said: Mapping[str, str], measures: Sequence[Measure], projects: Sequence[str], today: date
) -> NewEntry | dict[str, str]:
    """A new row, or what is wrong by field."""
    wrong: dict[str, str] = {}
    known = {measure.code: measure for measure in measures if not measure.from_system}
    measure, project = known.get(said.get("measure", "").strip()), said.get("project", "").strip()
    if measure is None:
        wrong["measure"] = NOT_MEASURE
    if project not in projects or (measure is not None and measure.project not in {None, project}):
        wrong["project"] = NOT_PROJECT
    day = parse_day(said.get("day", "").strip())
    if day is None or not EARLIEST <= day <= today:
        wrong["day"] = NOT_DAY
    value = _value(said.get("value", ""), "" if measure is None else measure.unit)
    if value is None:
        wrong["value"] = NOT_VALUE
    note = " ".join(said.get("note", "").split())[:200]
    if wrong or measure is None or day is None or value is None:
        return wrong
    return NewEntry(project=project, measure=measure.code, day=day, value=value, note=note)


def _value(text: str, unit: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 <= value <= (100 if unit == "percent" else LARGEST):
        return None
    return round(value, 2)


def bars(months: Sequence[tuple[date, Decimal]], wanted: Filter) -> list[Bar]:
    """A bar a month of the period, also for those without a row."""
    if not months:
        return []
    values = dict(months)
    every: list[date] = []
    month = wanted.since.replace(day=1)
    while month <= wanted.until:
        every.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    every = every[-24:]
    names = [f"{MONTHS[current()][one.month - 1][:3]} {one.year % 100:02d}" for one in every]
    apart = -(-len(every) // LABELS)
    highest = max(*values.values(), Decimal(1))
    step, tall = (WIDTH - LEFT) / len(every), HEIGHT - BOTTOM - TOP
    return [
        Bar(
            round(LEFT + step * place + step * 0.15, 1),
            round(HEIGHT - BOTTOM - float(values.get(one, Decimal(0)) / highest) * tall, 1),
            round(step * 0.7, 1),
            round(float(values.get(one, Decimal(0)) / highest) * tall, 1),
            names[place],
            names[place] if (len(every) - 1 - place) % apart == 0 else "",
            values.get(one, Decimal(0)),
        )
        for place, one in enumerate(every)
    ]
