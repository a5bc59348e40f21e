"""What a run of scoring is told and what it is about. All of it is data.

It goes into the run's record as JSON.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum
from typing import NewType

import msgspec

from infra.errors import PlainError
from scoring.rules import Rule

SittingId = NewType("SittingId", int)
AttemptId = NewType("AttemptId", int)


class Kind(IntEnum):
    """Kinds of response_event.kind that scoring reads (engine/protocol.py has all)."""

    ANSWER = 1
    VIEW = 2
    FOCUS_LOST = 5
    FOCUS_BACK = 6
    FINISH = 10


class Mark(IntFlag):
    """Bits of response_event.marks."""

    UNKNOWN_ITEM = 1
    ANCHOR_UNVERIFIED = 2
    CLOCK_AHEAD = 4
    SUPERSEDED = 8
    AFTER_FINISH = 16
    RESCUED = 32


class LatePolicy(StrEnum):
    """What becomes of events that are late, undecided or after the finish (sitting.late_policy)."""

    COUNT = "count"
    PERSON = "person"
    REFUSE = "refuse"


class SupersededPolicy(StrEnum):
    """What a device that another one has replaced may still add."""

    FILL = "fill"
    IGNORE = "ignore"


class TieAtLine(StrEnum):
    """Pupils who share the place at the quota line: all are listed, or none."""

    ALL = "all"
    NONE = "none"


class Decision(msgspec.Struct, frozen=True):
    """A person's word about the waiting events of one attempt, with the reason that the audit trail holds."""

    attempt_id: int
    count: bool
    reason: str


class Exclusion(msgspec.Struct, frozen=True):
    """An attempt that is left out of every figure, with its reason; it is listed and counted."""

    attempt_id: int
    reason: str


class Correction(msgspec.Struct, frozen=True):
    """How a question counts instead of as packed: voided (`rule` is None), or by another rule (scoring/rules.py)."""

    form_id: int
    code: str
    rule: Rule | None = None


class Equating(msgspec.Struct, frozen=True):
    """How points on another form become points on the sitting's main one (scoring/equate.py), and who found that."""

    form_id: int
    slope: float
    intercept: float
    source: str

    def __post_init__(self) -> None:
        """Refuse what is no scale."""
        if not 0 < self.slope < 10 or not abs(self.intercept) < 1000 or not self.source.strip():
            what = f"The equating of form {self.form_id} is slope {self.slope:g}, intercept {self.intercept:g}."
            raise PlainError(what, "The slope lies between 0 and 10, the intercept within 1000 points; name the study.")


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run may be told. The same parameters over the same snapshot give the same bytes.

    late_policy        None takes the sitting's own.
    superseded         `fill`: an old device counts only for items that no later device answered.
    decisions          one a person has made about waiting events; the last for an attempt stands.
    excluded           attempts left out, each with its reason.
    hard_share         the share of items, hardest first, whose points break ties (rank.py).
    quota              places a region; empty: no quota list.
    tie_at_line        pupils who share the place at the line: all in, or none.
    home_quota_agreed  the two persons who accept a quota list from a sitting at home (SAFETY D2).
    visit_cap_ms       the longest time that one look at an item may count; longer means that the pupil went
                       away.
    equating           constants that bring another form's points to the main form's scale, with their source.
    corrections        questions that are voided or marked by another rule than the packed one.
    """

    late_policy: LatePolicy | None = None
    superseded: SupersededPolicy = SupersededPolicy.FILL
    decisions: tuple[Decision, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    hard_share: float = 1 / 3
    quota: dict[str, int] = msgspec.field(default_factory=dict)
    tie_at_line: TieAtLine = TieAtLine.ALL
    home_quota_agreed: tuple[str, ...] = ()
    visit_cap_ms: int = 15 * 60_000
    corrections: tuple[Correction, ...] = ()
    equating: tuple[Equating, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no run could mean."""
        if not 0 < self.hard_share <= 1:
            what = f"hard_share is {self.hard_share}."
            raise PlainError(what, "It is a share of the items: above 0, at most 1.")
        if any(places < 0 for places in self.quota.values()):
            what = "A quota is negative."
            raise PlainError(what, "Give each region 0 places or more.")


class SittingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The sitting as it was when the snapshot was read; times in Unix milliseconds."""

    sitting_id: int
    title: dict[str, str]
    form_id: int
    reserve_form_id: int | None
    grace_ms: int
    late_policy: LatePolicy
    place: str
    state: str
    starts_ms: int
    last_end_ms: int


class NotOverError(PlainError):
    """Scoring was asked for while somebody may still be writing on the form (SAFETY J6)."""


class SnapshotError(PlainError):
    """The database holds something that can't be scored; the message says what."""


class HomeQuotaError(PlainError):
    """A quota list from a sitting at home that two persons have not agreed to (SAFETY D2)."""
