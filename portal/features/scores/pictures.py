"""The distribution of points as figures for an SVG; the table beside it says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import number
from portal.features.scores.structs import Column, Histogram, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 860, 300, 52, 34, 16


def histogram(bins: Sequence[tuple[int, int]], most_points: int, mean: float | None) -> Histogram:
    """Bars of one point each from 0 to the test's maximum; `bins` are (points, how many)."""
    counts = dict(bins)
    slots = max(most_points, *counts, 0) + 1
    highest = max(counts.values(), default=1)
    base = HEIGHT - BOTTOM
    step = (WIDTH - LEFT - 8) / slots
    tall = (base - TOP) / highest
    columns = [
        Column(
            round(LEFT + points * step + step * 0.1, 1),
            round(base - counts[points] * tall, 1),
            round(step * 0.8, 1),
            round(counts[points] * tall, 1),
            points,
            counts[points],
        )
        for points in sorted(counts)
    ]
    every = max(1, round(slots / 12))
    grid = _round_step(highest)
    return Histogram(
        width=WIDTH,
        height=HEIGHT,
        base=base,
        left=LEFT,
        columns=columns,
        across=[Mark(round(LEFT + (points + 0.5) * step, 1), str(points)) for points in range(0, slots, every)],
        up=[Mark(round(base - count * tall, 1), number(count)) for count in range(0, highest + 1, grid)],
        mean_x=round(LEFT + (mean + 0.5) * step, 1) if mean is not None else None,
    )


def _round_step(highest: int) -> int:
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000):
        if highest / step <= 6:
            return step
    return 50_000
