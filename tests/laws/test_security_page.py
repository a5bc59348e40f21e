"""docs/security.md goes through ASVS 5.0: no section left out, and each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import tests

ROOT = Path(tests.__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+)\.(\d+) \| ([^|]+) \| ((?:\\\||[^|])+) \| ((?:\\\||[^|])*)\|$", PAGE, re.MULTILINE)
# How many sections each chapter of ASVS 5.0.0 has.
SECTIONS = {
    1: 5,
    2: 4,
    3: 7,
    4: 4,
    5: 4,
    6: 8,
    7: 6,
    8: 4,
    9: 2,
    10: 7,
    11: 7,
    12: 3,
    13: 4,
    14: 3,
    15: 4,
    16: 5,
    17: 3,
}


def test_each_section_is_answered_once() -> None:
    answered = [(int(chapter), int(section)) for chapter, section, *_ in ROWS]
    assert answered == [(chapter, section) for chapter, most in SECTIONS.items() for section in range(1, most + 1)]


def test_what_is_said_to_hold_names_a_test_that_is_there() -> None:
    for chapter, section, title, how, shown in ROWS:
        named = re.findall(r"`([^`]+)`", shown)
        absent = [path for path in named if not (ROOT / path).exists()]
        assert not absent, f"{chapter}.{section} {title}: {absent}"
        told = how.startswith(("Not ours", "Not yet")) or title == "Data Protection Documentation"
        assert named or told, f"{chapter}.{section} {title} names no test"
