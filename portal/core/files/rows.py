"""One row of a list under check: what each kind of cell takes, and the sentence for what it does not (SAFETY J10)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from infra.cells import undo_guard
from portal.core.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

MOST_NAME = 60
LANGUAGE_WORDS = {
    "kk": {"kk", "kz", "қаз", "каз", "қазақша", "казахский", "қазақ", "kazakh"},
    "ru": {"ru", "рус", "орыс", "орысша", "русский", "russian"},
    "en": {"en", "eng", "англ", "ағылшын", "ағылшынша", "английский", "english"},
}
GENDER_WORDS = {
    "f": {"f", "қ", "ж", "қыз", "әйел", "жен", "женский", "девочка", "female"},
    "m": {"m", "е", "м", "ұл", "ер", "муж", "мужской", "мальчик", "male"},
}
DATE_FORMS = ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
# What names of Kazakhstan are written with. A digit or a sign is mostly a slip of the hand: shown, and taken as it is,
# for no list of ours decides what a child is called (SAFETY J10: such a name goes out and in unchanged).
NAME = re.compile(r"[^\W\d_][^\W\d_'’ʼ\-. ]*(?:[ '’ʼ\-.][^\W\d_'’ʼ\-. ]+)*\.?")
DAY = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in a cell: its row and column, what we saw, and the sentence with what is allowed."""

    row: int
    column: str
    seen: str
    message: str
    values: dict[str, str] = {}


class Row:
    """One row; misses go to the common list. A name that is only unusual goes to another, and is taken as it stands."""

    def __init__(self, number: int, raw: Mapping[str, str], errors: list[RowError], unusual: list[RowError]) -> None:
        self.number = number
        self.raw = raw
        self.errors = errors
        self.unusual = unusual
        self.clean = True

    def value(self, column: str) -> str:
        return undo_guard(" ".join(self.raw.get(column, "").split()))

    def miss(self, column: str, message: str, **values: str) -> None:
        self.clean = False
        seen = self.raw.get(column, "")[:80]
        self.errors.append(RowError(row=self.number, column=column, seen=seen, message=message, values=values))

    def name(self, column: str, *, required: bool) -> str:
        value = self.value(column)
        if not value:
            if required:
                self.miss(column, N_("Please fill this in."))
        elif len(value) > MOST_NAME:
            self.miss(column, N_("At most 60 characters."))
        elif not value.isprintable():
            self.miss(column, N_("There is a character in it that cannot be printed."))
        elif not NAME.fullmatch(value):
            message = N_("Names are mostly letters, with a hyphen, an apostrophe or a space between.")
            self.unusual.append(RowError(row=self.number, column=column, seen=value, message=message))
        return value

    def fits(self, column: str, value: str, most: int) -> None:
        """A text of any words, of bounded length."""
        if len(value) > most:
            self.miss(column, N_("At most {most} characters."), most=str(most))
        elif not value.isprintable():
            self.miss(column, N_("There is a character in it that cannot be printed."))

    def day(self, column: str) -> date | None:
        """A date as people of Kazakhstan, or Excel, write it."""
        found = parse_day(self.value(column))
        if found is None:
            self.miss(column, N_("A date like 14.03.2015 is needed."))
        return found

    def whole(self, column: str, allowed: range, message: str, default: str = "") -> int:
        text = re.sub(r"\.0+$", "", self.value(column) or default)
        if text.isascii() and text.isdigit() and len(text) < 5 and int(text) in allowed:
            return int(text)
        self.miss(column, message)
        return allowed.start

    def word(self, column: str, words: Mapping[str, AbstractSet[str]], message: str, *, required: bool) -> str | None:
        text = self.value(column).lower().rstrip(".")
        if not text and not required:
            return None
        for code, known in words.items():
            if text in known:
                return code
        self.miss(column, message)
        return None


def parse_day(text: str) -> date | None:
    """A date in one of the forms that lists have; None for anything else."""
    # Nine of ten cells are of this form, and strptime takes ten times as long.
    if told := DAY.fullmatch(text):
        try:
            return date(int(told[3]), int(told[2]), int(told[1]))
        except ValueError:
            return None
    for form in DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
