"""The time rules of an attempt as one pure function: no clock, no database, milliseconds in and out.

    waiting opens      starts (T0)        last entry                 deadline        + grace
    ──────┼───────────────┼───────────────────┼──────────────────────────┼──────────────┼──────→
     closed    waiting       open / running       entry closed / running       grace         over

`running` becomes `extra` in the part that extra time, pauses and extensions have added. The first release of the key
is the start, for ever (docs/rules/saving.md, rule 9).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """Where an attempt stands."""

    CLOSED = "closed"
    WAITING = "waiting"
    OPEN = "open"
    ENTRY_CLOSED = "entry-closed"
    RUNNING = "running"
    EXTRA = "extra"
    PAUSED = "paused"
    GRACE = "grace"
    OVER = "over"


class SittingClock(msgspec.Struct, frozen=True, kw_only=True):
    """The times of a sitting, in Unix milliseconds (durations in seconds)."""

    waiting_opens_ms: int
    starts_ms: int
    last_entry_ms: int
    duration_s: int
    ends_ms: int | None = None
    grace_s: int = 0


class Restart(msgspec.Struct, frozen=True):
    """A stopped sitting goes on, on its reserve form, from a T0 of its own (SAFETY D1)."""

    starts_ms: int
    last_entry_ms: int


class AttemptClock(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to one attempt: its start, what was added, and whether it stands still.

    With a `restart` all of it counts from there: `started_ms` is the first release of the reserve form's key.
    """

    started_ms: int | None = None
    extra_s: int = 0
    paused_since_ms: int | None = None
    paused_s: int = 0
    # Given back by rule after an outage (engine/credit.py): to the clock, and to who could not enter.
    credit_s: int = 0
    entry_s: int = 0
    ended_ms: int | None = None
    restart: Restart | None = None

    @property
    def held_s(self) -> int:
        """All that pauses and outages moved, for bounds that must not be too early."""
        return self.paused_s + self.credit_s + self.entry_s

    @property
    def leg(self) -> int:
        """0 on the sitting's form, 1 on its reserve."""
        return 0 if self.restart is None else 1


class Moment(msgspec.Struct, frozen=True):
    """A phase with its ends; None: open on that side."""

    phase: Phase
    since_ms: int | None
    until_ms: int | None


def times_of(sitting: SittingClock, attempt: AttemptClock) -> SittingClock:
    """The sitting's times as they hold for this attempt: a restart moves them, each by its distance to T0."""
    restart = attempt.restart
    if restart is None:
        return sitting
    moved = restart.starts_ms - sitting.starts_ms
    return SittingClock(
        waiting_opens_ms=sitting.waiting_opens_ms + moved,
        starts_ms=restart.starts_ms,
        last_entry_ms=restart.last_entry_ms,
        duration_s=sitting.duration_s,
        ends_ms=None if sitting.ends_ms is None else sitting.ends_ms + moved,
        grace_s=sitting.grace_s,
    )


def deadline_ms(sitting: SittingClock, attempt: AttemptClock) -> int | None:
    """When answers stop counting: None before the start. A pause that lasts is not in it yet.

    With a fixed end that end holds for all, moved by the attempt's extra time, pauses and credit; without one the
    duration runs from the attempt's own start. A person's `end` comes first.
    """
    if attempt.started_ms is None:
        return None
    plain = _plain_deadline(times_of(sitting, attempt), attempt.started_ms)
    moved = plain + 1000 * (attempt.extra_s + attempt.paused_s + attempt.credit_s)
    return moved if attempt.ended_ms is None else min(moved, attempt.ended_ms)


def phase(now_ms: int, sitting: SittingClock, attempt: AttemptClock) -> Moment:
    """The phase of an attempt at `now_ms`, with the times between which it holds."""
    if attempt.started_ms is None:
        return _before_start(now_ms, times_of(sitting, attempt), attempt)
    end = deadline_ms(sitting, attempt)
    assert end is not None
    if attempt.paused_since_ms is not None and attempt.paused_since_ms <= now_ms and attempt.paused_since_ms < end:
        return Moment(Phase.PAUSED, attempt.paused_since_ms, None)
    plain = min(end, _plain_deadline(times_of(sitting, attempt), attempt.started_ms))
    if now_ms < plain:
        return Moment(Phase.RUNNING, attempt.started_ms, plain)
    if now_ms < end:
        return Moment(Phase.EXTRA, plain, end)
    over = end + 1000 * sitting.grace_s
    if now_ms < over:
        return Moment(Phase.GRACE, end, over)
    return Moment(Phase.OVER, over, None)


def last_possible_end_ms(sitting: SittingClock, longest_extra_s: int) -> int:
    """When the last attempt of a sitting can be over, its grace included: before that no key-dependent figure shows."""
    last_start = _plain_deadline(sitting, sitting.last_entry_ms)
    return last_start + 1000 * (longest_extra_s + sitting.grace_s)


def _plain_deadline(sitting: SittingClock, started_ms: int) -> int:
    return sitting.ends_ms if sitting.ends_ms is not None else started_ms + 1000 * sitting.duration_s


def _before_start(now_ms: int, sitting: SittingClock, attempt: AttemptClock) -> Moment:
    if attempt.ended_ms is not None and attempt.ended_ms <= now_ms:
        return Moment(Phase.OVER, attempt.ended_ms, None)
    if now_ms < sitting.waiting_opens_ms:
        return Moment(Phase.CLOSED, None, sitting.waiting_opens_ms)
    if now_ms < sitting.starts_ms:
        return Moment(Phase.WAITING, sitting.waiting_opens_ms, sitting.starts_ms)
    # A pause before the start holds the key back, an outage kept him out: the entry stays open for as long again.
    held = 1000 * (attempt.paused_s + attempt.entry_s)
    if attempt.paused_since_ms is not None and attempt.paused_since_ms <= now_ms:
        return Moment(Phase.PAUSED, attempt.paused_since_ms, None)
    if now_ms < sitting.last_entry_ms + held:
        return Moment(Phase.OPEN, sitting.starts_ms, sitting.last_entry_ms + held)
    return Moment(Phase.ENTRY_CLOSED, sitting.last_entry_ms + held, None)
