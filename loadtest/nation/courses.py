"""Courses drawn ahead: some thousands of different ways through a form, shared by all candidates.

Drawing 300 000 of them would cost the generator more than the whole run; two thousand are as good a mixture.
"""

from __future__ import annotations

import hashlib
import math
from random import Random
from typing import TYPE_CHECKING

import msgspec

from loadtest.course import Step, draw_course
from loadtest.scenario import PlayItem, PlayPupil

if TYPE_CHECKING:
    from loadtest.scene import BenchScene

COURSES = 2000
KINDS = {"answer": 1, "view": 2, "mark": 3, "start": 9}
START = Step(0.0, "start", None, msgspec.Raw(b'{"agent":"simulated","screen":"360x640"}'))


class Course:
    """A way through the form. Event n (from 0) happens at `at[n]` seconds after the pupil's start."""

    __slots__ = ("_digests", "at", "heads", "rows")

    def __init__(self, steps: list[Step]) -> None:
        self.at = [step.at_s for step in steps]
        # An event's JSON between its seq and its milliseconds.
        self.heads = [_head(step) for step in steps]
        # (kind, item, value) as Postgres holds them.
        self.rows = [
            (step.kind, step.item, None if step.value is None else bytes(step.value).decode()) for step in steps
        ]
        self._digests: dict[tuple[int, int], str] = {}

    def digest(self, offset: int, count: int) -> str:
        """SHA-256 of a device's log of `count` events that begins at event `offset` (docs/protocol.md, finish)."""
        known = self._digests.get((offset, count))
        if known is None:
            text = "".join(line(seq, *self.rows[offset + seq - 1]) for seq in range(1, count + 1))
            known = self._digests[offset, count] = hashlib.sha256(text.encode()).hexdigest()
        return known


def line(seq: int, kind: str, item: int | None, value: str | None) -> str:
    """One event in the digest of a log."""
    return f"{seq} {kind} {'-' if item is None else item} {'-' if value is None else value}\n"


def draw_courses(scene: BenchScene, minutes: float, seed: int) -> list[Course]:
    """Courses over the scene's items: abilities N(0, 1), paces log-normal; each lasts until the time is nearly over."""
    random = Random(seed)
    items = [
        PlayItem(
            id=item,
            difficulty=random.gauss(0, 1),
            guess=1 / len(options),
            # As in the first sitting's form: a question takes most of half a minute.
            median_s=random.uniform(12, 34),
            right=msgspec.Raw(b"%d" % options[0]),
            wrong=[msgspec.Raw(b"%d" % option) for option in options[1:]],
        )
        for item, options in scene.options.items()
    ]
    courses: list[Course] = []
    for _ in range(COURSES):
        pace = math.exp(random.gauss(0, 0.25))
        pupil = PlayPupil(code="", day=1, month=1, ability=random.gauss(0, 1), pace=pace, language="kk", drops=False)
        courses.append(Course([START, *draw_course(pupil, items, minutes * 60 - 5, random)]))
    return courses


def _head(step: Step) -> bytes:
    item = b"" if step.item is None else b',"item":%d' % step.item
    value = b"" if step.value is None else b',"value":' + bytes(step.value)
    return b',"kind":"%s"%s%s,"anchor":0' % (step.kind.encode(), item, value)
