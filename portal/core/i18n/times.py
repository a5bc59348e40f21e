"""Dates, times and numbers as people of Kazakhstan write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from portal.core.i18n.catalogue import N_, current, t

# One offset for the whole country since 1 March 2024.
ASTANA = timezone(timedelta(hours=5), "Astana")
# The year 9891.
MOST_MS = 250_000_000_000_000
MONTHS = {
    "kk": [
        "қаңтар",
        "ақпан",
        "наурыз",
        "сәуір",
        "мамыр",
        "маусым",
        "шілде",
        "тамыз",
        "қыркүйек",
        "қазан",
        "қараша",
        "желтоқсан",
    ],
    "ru": [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
WHEN = N_("{day}, {time} (Astana time)")
DAY_TIME = N_("{day}, {time}")
# Groups of three keep together; a fraction has a comma in Kazakh and Russian.
NARROW_SPACE = "\u202f"


def day(value: date | datetime) -> str:
    """«23 қараша 2026»."""
    local = value.astimezone(ASTANA) if isinstance(value, datetime) else value
    return f"{local.day} {MONTHS[current()][local.month - 1]} {local.year}"


def clock(value: datetime, *, seconds: bool = False) -> str:
    """«14:00», in Astana's time."""
    return value.astimezone(ASTANA).strftime("%H:%M:%S" if seconds else "%H:%M")


def when(value: datetime | None) -> str:
    """«23 қараша 2026, 14:00 (Астана уақыты)»; a dash for none."""
    if value is None:
        return "—"
    return t(WHEN, day=day(value), time=clock(value))


def day_time(value: datetime | None) -> str:
    """The same without the zone, for a table that names it once; a dash for none."""
    return "—" if value is None else t(DAY_TIME, day=day(value), time=clock(value))


def number(value: float | None, digits: int = 0) -> str:
    """A figure with grouped thousands and the language's decimal sign."""
    if value is None:
        return "—"
    text = f"{value:,.{digits}f}".replace(",", NARROW_SPACE)
    return text if current() == "en" else text.replace(".", ",")


def from_ms(value: int) -> datetime:
    """Unix milliseconds as a time; what no calendar has is its last year: a page stands, whatever a phone sent."""
    return datetime.fromtimestamp(min(max(value, 0), MOST_MS) / 1000, UTC)
