"""Results of a person and the tests that he made and held: rows, words and the line of the drawing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from portal.core.i18n import N_

ACTS: dict[str, str] = {
    "sitting.draft.made": N_("made"),
    "sitting.sitting.published": N_("published"),
    "sitting.sitting.closed": N_("held and closed"),
    "score.run.asked": N_("scored"),
}


class Participation(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting that the person was put down for. Points: None until they are published."""

    attempt_id: int
    sitting_id: int
    title: dict[str, str]
    project: str
    starts_at: datetime
    grade: int
    started_at: datetime | None
    finished_at: datetime | None
    raw: Decimal | None
    max_points: Decimal | None
    scaled: Decimal | None
    percentile: Decimal | None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A test that the person made, published, held or scored."""

    id: int
    at: datetime
    act: str
    sitting_id: int
    title: dict[str, str]
    project: dict[str, str]
    pupils: int


class Point(msgspec.Struct, frozen=True):
    """A point of the line."""

    x: float
    y: float
    value: Decimal
    day: str


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 220, 40, 30, 24, 34


def line(rows: list[Participation]) -> list[Point]:
    """The last six percentile ranks, evenly spaced: 0 at the foot, 100 at the top."""
    scored = [row for row in reversed(rows) if row.percentile is not None][-6:]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(scored) - 1)
    tall = HEIGHT - TOP - BOTTOM
    return [
        Point(
            round(LEFT + step * place if len(scored) > 1 else WIDTH / 2, 1),
            round(HEIGHT - BOTTOM - float(row.percentile or 0) / 100 * tall, 1),
            row.percentile or Decimal(0),
            row.starts_at.strftime("%m.%Y"),
        )
        for place, row in enumerate(scored)
    ]
