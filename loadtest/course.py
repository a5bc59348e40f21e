"""What a pupil does, drawn ahead: an answer model (Rasch with guessing), thinking times, second thoughts.

Source: the three-parameter logistic model with a = 1 (Birnbaum 1968); thinking times are log-normal, as item response
times are found to be (van der Linden 2006).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from random import Random

    from loadtest.scenario import PlayItem, PlayPupil

OMIT = 0.05
SECOND_THOUGHT = 0.09
MARK = 0.12
SPREAD = 0.45


class Step(msgspec.Struct, frozen=True):
    """Something that happens `at_s` seconds after the start, on the sitting's clock."""

    at_s: float
    kind: str
    item: int | None = None
    value: msgspec.Raw | None = None


def draw_course(pupil: PlayPupil, items: list[PlayItem], limit_s: float, random: Random) -> list[Step]:
    """The steps of a pupil until he has seen everything or his time is nearly over; the finish is not among them."""
    order = random.sample(items, len(items))
    steps: list[Step] = []
    at = random.uniform(2, 8)
    later: list[PlayItem] = []
    for item in order:
        steps.append(Step(at, "view", item.id))
        at += think_s(pupil, item, random)
        if at > limit_s:
            return steps
        if random.random() < OMIT * math.exp(-pupil.ability):
            later.append(item)
            continue
        steps.append(Step(at, "answer", item.id, draw_answer(pupil, item, random)))
        if random.random() < MARK:
            steps.append(Step(at + 0.5, "mark", item.id))
            later.append(item)
        at += random.uniform(0.8, 2.5)
    for item in later:
        at += think_s(pupil, item, random) / 3
        if at > limit_s:
            return steps
        steps.append(Step(at, "view", item.id))
        if random.random() < SECOND_THOUGHT * 6:
            steps.append(Step(at + 1, "answer", item.id, draw_answer(pupil, item, random)))
    return steps


def think_s(pupil: PlayPupil, item: PlayItem, random: Random) -> float:
    """Seconds spent on an item."""
    return pupil.pace * item.median_s * math.exp(random.gauss(0, SPREAD))


def draw_answer(pupil: PlayPupil, item: PlayItem, random: Random) -> msgspec.Raw:
    """Right with the model's probability, else one of the wrong answers, the first ones more often."""
    knows = 1 / (1 + math.exp(item.difficulty - pupil.ability))
    if random.random() < item.guess + (1 - item.guess) * knows or not item.wrong:
        return item.right
    weights = [1 / (place + 1) for place in range(len(item.wrong))]
    return random.choices(item.wrong, weights)[0]
