"""The catalogues. The .po files are read at start, so there is no compiled file that could be older than its source."""

from __future__ import annotations

import contextlib
import functools
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")
LOCALES = Path(__file__).parents[2] / "locales"

_language: ContextVar[Language] = ContextVar("language", default="kk")


def N_(text: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown."""
    return text


class Text:
    """A text with its values, translated when it is shown."""

    __slots__ = ("message", "values")

    def __init__(self, message: str, /, **values: object) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return t(self.message, **self.values)

    def __repr__(self) -> str:
        return f"Text({self.message!r})"


@functools.cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Msgid → text of one language; fuzzy and empty entries are left out."""
    with (LOCALES / language / "LC_MESSAGES" / "portal.po").open("rb") as file:
        return {
            message.id: message.string
            for message in read_po(file, locale=language)
            if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string
        }


def t(message: str, /, **values: object) -> str:
    """A text in the request's language, its `{names}` filled in."""
    text = catalogue(_language.get()).get(message, message)
    return text.format(**values) if values else text


def current() -> Language:
    """The language of this request."""
    return _language.get()


def speak(language: Language) -> None:
    """Set the language for the rest of this request."""
    _language.set(language)


@contextlib.contextmanager
def in_language(language: Language) -> Iterator[None]:
    """A language for the time of a block (jobs, slips in the pupil's language)."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def of(texts: Mapping[str, str] | None) -> str:
    """The request's language of a {"kk", "ru", "en"} text; Kazakh when it is missing there."""
    if not texts:
        return ""
    return texts.get(_language.get()) or texts.get("kk") or next(iter(texts.values()), "")
