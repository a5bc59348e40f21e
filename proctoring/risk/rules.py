"""The house's rules as data: what a kind of event weighs. A test may say otherwise (`sitting_watch.rules`)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points of a kind: each time, each second, nothing for the first few, never more than `most`.

    `server` is the share of an event that only the server's own check saw: its eyes are weaker than a person's.
    """

    weight: float = 0.0
    per_s: float = 0.0
    free_times: int = 0
    free_s: float = 0.0
    most: float = 100.0
    server: float = 0.5


# A lost line, poor light and a camera that comes back weigh nothing: that is a poor house, not a guilty child. No camera,
# because there is none or the child wants or allows none, costs nothing either (SAFETY R1).
HOUSE: dict[str, Rule] = {
    "tab-left": Rule(weight=4, per_s=0.3, free_times=1, free_s=3, most=40),
    "tab-back": Rule(),
    "full-screen-left": Rule(weight=2, free_times=1, most=10),
    "copy": Rule(weight=2, most=10),
    "paste": Rule(weight=6, most=24),
    "second-display": Rule(weight=8, most=16),
    "no-face": Rule(weight=2, per_s=0.1, free_times=2, free_s=10, most=25),
    "several-faces": Rule(weight=8, per_s=0.2, free_times=1, most=40),
    "head-turned": Rule(weight=0.5, per_s=0.05, free_times=5, free_s=20, most=12),
    "camera-off": Rule(weight=3, per_s=0.02, free_times=1, most=20),
    "camera-on": Rule(),
    "camera-none": Rule(),
    "picture-repeated": Rule(weight=10, free_times=1, most=40, server=1.0),
    "virtual-camera": Rule(weight=15, most=30, server=1.0),
    "light-poor": Rule(),
    "line-lost": Rule(),
    "line-back": Rule(),
}
# These can't be given weight by a test either.
INNOCENT = frozenset(kind for kind, rule in HOUSE.items() if rule == Rule())
# From here on a row counts as flagged, in the report of fairness and for the wall's first colour.
FLAGGED = 20.0


Points: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a test says otherwise of a kind; UNSET keeps the house's."""

    weight: Points | UnsetType = UNSET
    per_s: Annotated[float, Meta(ge=0, le=10)] | UnsetType = UNSET
    free_times: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET
    free_s: Annotated[float, Meta(ge=0, le=3600)] | UnsetType = UNSET
    most: Points | UnsetType = UNSET
    server: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET

    def said(self) -> dict[str, float]:
        """What is said: field → number."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in given.items() if value is not UNSET}


decode = msgspec.json.Decoder(dict[str, Override]).decode


def overrides_of(text: str | None) -> dict[str, Override]:
    """What a test says otherwise of kinds that may weigh; what cannot be read says nothing."""
    try:
        said = decode(text or "{}")
    except msgspec.DecodeError:
        return {}
    return {kind: own for kind, own in said.items() if kind in HOUSE and kind not in INNOCENT}


def rules_of(text: str | None) -> dict[str, Rule]:
    """The house's rules with what a test says otherwise."""
    return HOUSE | {
        kind: msgspec.structs.replace(HOUSE[kind], **own.said()) for kind, own in overrides_of(text).items()
    }
