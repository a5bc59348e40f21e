"""One child's time on one axis: pictures, events, and how often it answered. Pure: rows in, places on a line out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proctoring.risk.rules import INNOCENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.features.proctoring.structs import Happened, Shot

# The axis is drawn a thousand wide.
WIDE = 1000
THUMBS = 10
STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120)
MOST_TICKS = 8
HALF_MINUTE_MS = 30_000
TALLEST = 36


class Bar(msgspec.Struct, frozen=True):
    """Answers of half a minute."""

    x: float
    width: float
    height: float
    answers: int
    from_ms: int


class Mark(msgspec.Struct, frozen=True):
    """An event; `weighs` tells a sign from what is none."""

    x: float
    kind: str
    at_ms: int
    weighs: bool


class Thumb(msgspec.Struct, frozen=True):
    """The picture that stands for a tenth of the axis."""

    x: float
    shot: Shot


class Axis(msgspec.Struct, frozen=True):
    """All of it. `shots` and `ticks` are (place, milliseconds)."""

    begins: int
    spans: int
    shots: list[tuple[float, int]]
    ticks: list[tuple[float, int]]
    bars: list[Bar]
    marks: list[Mark]
    thumbs: list[Thumb]

    def at(self, ms: int) -> float:
        """Where a moment lies."""
        return place(ms, self.begins, self.spans)


def place(ms: int, begins: int, spans: int) -> float:
    """Of a thousand."""
    return round(WIDE * min(max(ms - begins, 0), spans) / spans, 1)


def axis_of(
    shots: Sequence[Shot], events: Sequence[Happened], rhythm: Sequence[tuple[int, int]], now_ms: int
) -> Axis | None:
    """None: nothing has happened yet. What says that it is of tomorrow lies at its end and does not stretch it."""
    moments = [one.taken_ms for one in shots] + [one.at_ms for one in events]
    moments += [ms for from_ms, _ in rhythm for ms in (from_ms, from_ms + HALF_MINUTE_MS)]
    if not moments:
        return None
    moments = [min(ms, now_ms + HALF_MINUTE_MS) for ms in moments]
    begins = min(moments)
    spans = max(60_000, max(moments) - begins)
    most = max((answers for _, answers in rhythm), default=1)
    hours = -(-spans // (MOST_TICKS * 3_600_000))
    step = next((one for one in STEPS_MIN if spans / (one * 60_000) <= MOST_TICKS), hours * 60) * 60_000
    first = -(-begins // step) * step
    thumbs: list[Thumb] = []
    open_ones = [one for one in shots if not one.sealed]
    for slot in range(THUMBS):
        low, high = begins + spans * slot // THUMBS, begins + spans * (slot + 1) // THUMBS
        last = slot == THUMBS - 1
        within = [one for one in open_ones if low <= one.taken_ms < high or (last and one.taken_ms == high)]
        if within:
            thumbs.append(Thumb(WIDE / THUMBS * slot, within[len(within) // 2]))
    return Axis(
        begins=begins,
        spans=spans,
        shots=[(place(one.taken_ms, begins, spans), one.taken_ms) for one in shots],
        ticks=[(place(ms, begins, spans), ms) for ms in range(first, begins + spans + 1, step)],
        bars=[
            Bar(
                place(from_ms, begins, spans),
                max(1.0, round(WIDE * HALF_MINUTE_MS / spans - 0.5, 1)),
                round(TALLEST * answers / most, 1),
                answers,
                from_ms,
            )
            for from_ms, answers in rhythm
        ],
        marks=[Mark(place(one.at_ms, begins, spans), one.kind, one.at_ms, one.kind not in INNOCENT) for one in events],
        thumbs=thumbs,
    )
