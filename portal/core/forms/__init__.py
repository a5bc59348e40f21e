"""Reading a form: each field says what it takes; every miss is a sentence that names what was seen and what is allowed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from litestar.datastructures import FormMultiDict

from portal.core.i18n import ASTANA, N_, Text

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST_TEXT = 500
LARGEST_ID = 2**31 - 1


class Form:
    """What a person sent. `errors` holds one sentence a field; `values` is what to show again."""

    def __init__(self, sent: FormMultiDict) -> None:
        self._sent = sent
        self.errors: dict[str, Text] = {}
        self.values: dict[str, str] = {}
        for name in sent:
            value = sent.get(name)
            if isinstance(value, str):
                self.values[name] = value

    @classmethod
    def empty(cls) -> Form:
        """A form that nobody has sent yet."""
        return cls(FormMultiDict())

    def miss(self, name: str, message: str, **values: object) -> None:
        """Note what is wrong with a field; the first note stands."""
        self.errors.setdefault(name, Text(message, **values))

    def text(self, name: str, *, required: bool = True, most: int = LONGEST_TEXT) -> str:
        """A text without control characters, trimmed."""
        value = self.values.get(name, "").strip()
        if not value and required:
            self.miss(name, N_("Please fill this in."))
        if len(value) > most:
            self.miss(name, N_("At most {most} characters; these are {seen}."), most=most, seen=len(value))
        if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in value):
            self.miss(name, N_("There is a character in it that cannot be printed."))
        return value

    def integer(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        raw = self.values.get(name, "").strip()
        if not raw and default is not None:
            return default
        if not raw.lstrip("-").isascii() or not raw.lstrip("-").isdigit() or len(raw) > 10:
            self.miss(
                name,
                N_("A whole number from {least} to {most} is needed; we saw «{seen}»."),
                least=least,
                most=most,
                seen=raw,
            )
            return least
        value = int(raw)
        if not least <= value <= most:
            self.miss(
                name,
                N_("A whole number from {least} to {most} is needed; we saw «{seen}»."),
                least=least,
                most=most,
                seen=raw,
            )
        return value

    def optional_id(self, name: str) -> int | None:
        """The id of a row, or none."""
        raw = self.values.get(name, "").strip()
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 10 and int(raw) <= LARGEST_ID else None

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of a list."""
        value = self.values.get(name, default or "")
        if value not in allowed:
            self.miss(name, N_("Please choose one of the list."))
            return default or next(iter(allowed))
        return value

    def choices(self, name: str, allowed: Collection[str]) -> list[str]:
        """Any of a list, in the list's order."""
        picked = {value for value in self._sent.getall(name, []) if isinstance(value, str)}
        if picked - set(allowed):
            self.miss(name, N_("Please choose from the list."))
        return [value for value in allowed if value in picked]

    def moment(self, name: str, *, required: bool = True) -> datetime | None:
        """A time as `<input type=datetime-local>` sends it, read as Astana's."""
        raw = self.values.get(name, "").strip()
        if not raw:
            if required:
                self.miss(name, N_("Please give a date and a time."))
            return None
        try:
            value = datetime.fromisoformat(raw)
        except ValueError:
            self.miss(name, N_("A date and time like 2026-11-23 10:00 is needed; we saw «{seen}»."), seen=raw)
            return None
        return value.replace(tzinfo=ASTANA) if value.tzinfo is None else value

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.values.get(name, "") not in {"", "0", "off"}

    def texts(self, name: str, *, most: int = 200) -> dict[str, str]:
        """A text in three languages; Kazakh is needed, the others fall back to it."""
        kazakh = self.text(f"{name}_kk", most=most)
        return {
            "kk": kazakh,
            "ru": self.text(f"{name}_ru", required=False, most=most) or kazakh,
            "en": self.text(f"{name}_en", required=False, most=most) or kazakh,
        }
