"""Reviews: rows and words."""

from __future__ import annotations

from datetime import datetime

import msgspec

from portal.core.i18n import N_

KINDS: dict[str, str] = {
    "teacher": N_("teacher"),
    "tutor": N_("tutor"),
    "assistant": N_("assistant"),
    "specialist": N_("Qabilet specialist"),
}
STATES: dict[str, str] = {
    "waits": N_("waits for the moderator"),
    "approved": N_("shown"),
    "rejected": N_("not shown"),
}
TONES = {"waits": "sky", "approved": "leaf", "rejected": "clay"}
# Below this one voice would be heard through the mean.
LEAST_FOR_MEAN = 5


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An approved review. `author`: None of a child."""

    id: int
    kind: str
    project: dict[str, str]
    period: str
    stars: int
    body: str
    author: str | None


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the person may review, with what he wrote in this half-year."""

    tie_id: int
    about_id: int
    name: str
    kind: str
    project_code: str
    project: dict[str, str]
    stars: int | None
    body: str
    state: str | None
    reason: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A review for the moderator."""

    id: int
    author_id: int
    author: str
    about_id: int
    about: str
    kind: str
    project: dict[str, str]
    period: str
    stars: int
    body: str
    state: str
    reason: str
    changed_at: datetime


class Mean(msgspec.Struct, frozen=True):
    """How many, and their mean; None below five."""

    count: int
    mean: float | None


def mean_of(stars: list[int]) -> Mean:
    """The mean of some reviews, kept back while they are few."""
    return Mean(len(stars), sum(stars) / len(stars) if len(stars) >= LEAST_FOR_MEAN else None)
