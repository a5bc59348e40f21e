"""What simulated pupils are told: who they are, what the items are, how the pace is."""

from __future__ import annotations

import msgspec


class PlayItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as the simulation knows it. `right` and `wrong` are answers on the wire.

    `difficulty` is on the ability's scale (logits); `guess` the chance of a right answer without any knowledge.
    """

    id: int
    difficulty: float
    guess: float
    median_s: float
    right: msgspec.Raw
    wrong: list[msgspec.Raw]


class PlayPupil(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil: his slip, his ability (logits), his pace (1 is the median) and whether his line drops."""

    code: str
    day: int
    month: int
    ability: float
    pace: float
    language: str
    drops: bool


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole play. `speed`: seconds of the sitting's clock in one real second."""

    base_url: str
    speed: float
    save_every_s: float
    arrive_within_s: float
    seed: int
    items: list[PlayItem]
    pupils: list[PlayPupil]
