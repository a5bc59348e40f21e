"""The notice board of a worker: newest devices, controls, seals, stream positions.

Rebuilt from Postgres at the start, then fed from one control stream that the flusher writes. A save never waits for it;
its age is a metric. Positions come only from there, for only the flusher knows that a COMMIT returned (rule 2).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from engine import protocol
from engine.controls import attempt_clock, scopes_of
from engine.kept_news import sealed_news, written_news
from engine.protocol import (
    Closed,
    ControlItem,
    Controls,
    ControlSet,
    Final,
    Full,
    Locked,
    MissingEvents,
    NewestDevice,
    Passed,
    Position,
    Sealed,
    Started,
)

if TYPE_CHECKING:
    from engine.roster import Pupil, Roster
    from engine.timing import AttemptClock
    from engine.tokens import Claims
    from infra.database import Db

decode_news = msgspec.msgpack.Decoder(list[protocol.News]).decode

NO_CONTROLS = Controls(0, [])


class Devices(msgspec.Struct, gc=False):
    """The device that writes an attempt, and those that wrote before.

    A device that is in neither place just signed in and is not known here yet: it is not superseded.
    """

    newest: bytes
    epoch: int
    older: frozenset[bytes]


class Board:
    """What is known of attempts beyond their tokens."""

    def __init__(self) -> None:
        self.positions: dict[int, tuple[int, int]] = {}
        self.closed: set[int] = set()
        self.devices: dict[int, Devices] = {}
        self.seals: dict[int, Final] = {}
        self.missing: dict[int, MissingEvents] = {}
        self.locked: set[int] = set()
        # attempt → the limit that it has used up (SAFETY M2)
        self.full: dict[int, str] = {}
        # leg → attempt → the first release of that leg's key
        self.started: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.generation = 1
        self.passed_ms = 0
        self.unsealed = 0
        self.heard_at = 0.0
        # sitting → (scope, scope id) → its controls by version, ascending
        self._controls: dict[int, dict[tuple[str, str], list[ControlSet]]] = {}
        self._newest: dict[int, int] = {}

    async def rebuild(self, db: Db, sittings: list[int], *, hurry: bool = False) -> None:
        """Read devices, seals and controls of live sittings from Postgres. `hurry`: nobody is served yet."""
        self.generation = await db.fetchval("select number from generation")
        async for news in written_news(db, sittings, hurry=hurry):
            self._hear(news)
        async for news in sealed_news(db, sittings, hurry=hurry):
            self._hear(news)
        for row in await db.fetch(CONTROLS, sittings):
            body = row["body"].encode()
            self._hear(ControlSet(row["sitting_id"], row["scope"], row["scope_id"], row["version"], row["kind"], body))

    def hear(self, entry: bytes) -> None:
        """Take in one entry of the control stream."""
        for news in decode_news(entry):
            self._hear(news)
        self.heard_at = time.time()

    def _hear(self, news: protocol.News) -> None:
        match news:
            case Position():
                self.positions[news.stream] = (news.id_ms, news.id_seq)
            case Closed():
                self.closed.add(news.stream)
                self.positions[news.stream] = (news.id_ms, news.id_seq)
            case Passed():
                self.passed_ms, self.generation, self.unsealed = news.valkey_ms, news.generation, news.unsealed
            case NewestDevice():
                self._hear_device(news)
            case ControlSet():
                self._hear_control(news)
            case Sealed():
                self.seals[news.attempt] = Final(news.code, news.at_ms, news.count)
                self.missing.pop(news.attempt, None)
            case MissingEvents():
                self.missing[news.attempt] = news
            case Locked():
                self.locked.add(news.attempt)
            case Full():
                self.full[news.attempt] = news.limit
            case Started():
                self.hear_started(news.attempt, news.started_ms, news.leg)

    def hear_started(self, attempt: int, started_ms: int, leg: int) -> None:
        """A release of the key; the first of a leg stands, for ever (rule 9)."""
        starts = self.started[leg]
        starts[attempt] = min(started_ms, starts.get(attempt, started_ms))

    def _hear_device(self, news: NewestDevice) -> None:
        known = self.devices.get(news.attempt)
        if known is None:
            self.devices[news.attempt] = Devices(news.device, news.epoch, frozenset())
        elif news.epoch > known.epoch:
            # A device that a hold gave the attempt back to (SAFETY J4) is among the older ones no more.
            known.older = (known.older | {known.newest}) - {news.device}
            known.newest, known.epoch = news.device, news.epoch

    def _hear_control(self, news: ControlSet) -> None:
        controls = self._controls.setdefault(news.sitting, {}).setdefault((news.scope, news.scope_id), [])
        if any(known.version == news.version for known in controls):
            return
        controls.append(news)
        controls.sort(key=lambda control: control.version)
        self._newest[news.sitting] = max(news.version, self._newest.get(news.sitting, 0))

    def is_superseded(self, attempt: int, device: bytes) -> bool:
        """Whether a newer device writes this attempt."""
        known = self.devices.get(attempt)
        return known is not None and device in known.older

    def is_durable(self, stream: int, id_ms: int, id_seq: int) -> bool:
        """Whether an entry of a stream is in Postgres; an unknown stream is not (answer: wait)."""
        position = self.positions.get(stream)
        return position is not None and position >= (id_ms, id_seq)

    def newer_controls(self, pupil: Pupil, roster: Roster, version: int) -> Controls | None:
        """Controls above `version` that concern this pupil; None if the sitting has none newer at all."""
        newest = self._newest.get(pupil.sitting, 0)
        if newest <= version:
            return None
        items = [
            ControlItem(control.version, control.kind, msgspec.Raw(control.body))
            for control in self._concerning(pupil, roster)
            if control.version > version
        ]
        return Controls(newest, items)

    def attempt_clock(self, pupil: Pupil, roster: Roster, claims: Claims | None = None) -> AttemptClock:
        """The clock of an attempt after all controls that concern it; its start is the earliest that anybody knows."""
        concerning = self._concerning(pupil, roster)
        clock = attempt_clock(concerning, extra_s=pupil.extra_s, started_ms=None)
        final = self.seals.get(pupil.attempt)
        if final is not None and clock.restart is not None and final.at_ms < clock.restart.starts_ms:
            # Who handed in for good before the stop has his result: the reserve is not a second try.
            kept = [control for control in concerning if control.kind != "restart"]
            clock = attempt_clock(kept, extra_s=pupil.extra_s, started_ms=None)
        told = claims.started_ms if claims is not None and claims.leg == clock.leg else 0
        known = self.started[clock.leg].get(pupil.attempt, 0)
        started = min(told, known) if told and known else told or known
        return msgspec.structs.replace(clock, started_ms=started or None)

    def _concerning(self, pupil: Pupil, roster: Roster) -> list[ControlSet]:
        scopes = self._controls.get(pupil.sitting)
        if not scopes:
            return []
        region = roster.regions.get(pupil.school, "")
        wanted = scopes_of(pupil.sitting, region, pupil.school, pupil.attempt)
        found = [control for scope in wanted for control in scopes.get(scope, ())]
        return sorted(found, key=lambda control: control.version)


CONTROLS = """
    select sitting_id, scope, scope_id, version, kind, body
    from control
    where sitting_id = any($1::int[])
    order by sitting_id, version
"""
