"""A cell that a spreadsheet would run gets a leading apostrophe (SAFETY J10), and whoever reads it back takes it off."""

from __future__ import annotations

RISKY = ("=", "+", "-", "@", "\t", "\r", "\0", "'")


def guard(text: str) -> str:
    """A text that no spreadsheet runs. One that begins with an apostrophe gets another, so that nothing is lost."""
    return f"'{text}" if text.startswith(RISKY) else text


def undo_guard(text: str) -> str:
    """The text as it was before `guard`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(RISKY) else text
