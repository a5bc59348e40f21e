"""Three languages: the request's language is a context variable, texts come from the .po files, dates are Astana's.

`N_` marks a text for the catalogue, `Text` carries one with its values until a page is rendered, `t` translates now.
"""

from __future__ import annotations

from portal.core.i18n.catalogue import LANGUAGES, N_, Language, Text, current, in_language, of, speak, t
from portal.core.i18n.times import ASTANA, clock, day, day_time, number, when

__all__ = [
    "ASTANA",
    "LANGUAGES",
    "N_",
    "Language",
    "Text",
    "clock",
    "current",
    "day",
    "day_time",
    "in_language",
    "number",
    "of",
    "speak",
    "t",
    "when",
]
