"""Errors whose text is meant for the person at the terminal."""

from __future__ import annotations


class PlainError(Exception):
    """Something a person can mend: printed as one line with its remedy, never as a traceback."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
