"""Bounds of one pupil (SAFETY M2): who goes beyond hears 429, and nobody else notices.

Workers share nothing, so each counts what *it* stored and adds it to the attempt's sum in Valkey in steps of 500 events
or 256 KB: an honest pupil takes one or two steps in all. What can slip past the bound is two steps a worker
(docs/decisions/0030). What reads Postgres, and reports, are counted in Valkey one by
one: exactly, whatever worker answers. A save costs two look-ups; only a save that holds a report waits for Valkey.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog
from redis.exceptions import RedisError

from engine.memory import keep_newest
from engine.problems import Problem
from engine.protocol import Kind, LimitRecord, OverLimit, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.protocol import StoredEvent
    from engine.tokens import Claims
    from infra.valkey import Valkey

log = structlog.get_logger()

EVENTS = 20_000
BYTES = 8 * 2**20
REPORTS = 10
STEP_EVENTS = 500
STEP_BYTES = 256 * 2**10
NOTE_EVERY_S = 2.0
NOTES_A_MINUTE = 30
# A sitting and the catching up after it.
KEPT_S = 3 * 24 * 3600
# What this worker holds at most; beyond, the oldest are counted anew (the sums in Valkey stay).
COUNTED_AT_MOST = 1_000_000
NOTED_AT_MOST = 10_000
# Through all devices of an attempt together: two that took it over leave the child his own share.
DEVICES_SHARE = 3
# So many refusals rest at a time in a worker (of the twenty thousand requests that granian gives it); the next is told at once.
RESTING_AT_MOST = 2000
# Nothing opens a full attempt but a person; so that its device does not ask too often.
FULL_RETRY_S = 300
MINUTE_S = 60
# Of one device; a phone that catches up sends one after the other, and few of 200 events.
SAVES_AT_ONCE = 3
LONGEST_TURN_S = 5
REPORTS_OVER = "reports-over"
PLACE = 32
SIZE = (1 << PLACE) - 1

# Which of these reports are within the limit: those counted before, and new ones while there is room.
TAKE_REPORTS = """
local taken = {}
for place, report in ipairs(ARGV) do
    if place > 1 then
        local known = redis.call('SISMEMBER', KEYS[1], report)
        if known == 0 and redis.call('SCARD', KEYS[1]) < tonumber(ARGV[1]) then
            known = redis.call('SADD', KEYS[1], report)
        end
        taken[place - 1] = known
    end
end
redis.call('EXPIRE', KEYS[1], 259200)
return taken
"""


# A count whose minute is over must not come to life again below nothing, and without an end.
ONE_LESS = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('DECR', KEYS[1]) or 0"


def _asked(claims: Claims, route: str) -> tuple[str, str]:
    """Where the questions of a device, and of all its attempt's devices, are counted."""
    attempt = f"asked:{route}:{claims.attempt}"
    return f"{attempt}:{claims.device.hex()}", attempt


class BeyondBoundsError(Problem):
    """429 for a pupil who is beyond his own bounds: nobody else's, and not his address's."""


class Crossed(msgspec.Struct):
    """Refusals of one attempt for one reason that the flusher has not heard of yet."""

    sitting: int
    device: bytes
    times: int


class Limits:
    """What this worker knows of how much each pupil has used."""

    def __init__(
        self, valkey: Valkey, over: dict[int, str], saves_a_minute: int, re_entries: int, rest_s: float = 0.0
    ) -> None:
        # attempt → which limit; shared with the board, which hears what other workers found.
        self.over = over
        self._valkey = valkey
        self._re_entries = re_entries
        self._rest_s = rest_s
        self._resting = 0
        self._save_every_s = MINUTE_S / saves_a_minute
        # When each device's next save would be due if it came evenly. By device: a stranger who got in with a slip must not
        # use up the child's own.
        self._turns: dict[bytes, float] = {}
        # attempt → events << 32 | bytes stored by this worker since its last step.
        self._spent: dict[int, int] = {}
        self._due: dict[Claims, int] = {}
        self._crossed: dict[tuple[int, OverLimit], Crossed] = {}
        self._asked: dict[str, int] = {}
        self._step = asyncio.Event()

    # ---- the save path: look-ups only ----

    def admit(self, claims: Claims) -> float:
        """One save more of a device: the seconds until its turn, which are none but for who sends many at once.

        429 for who does not wait for his turns. (The «generic cell rate algorithm», ITU-T I.371: one number a device.)
        """
        now = time.monotonic()
        due = max(now, self._turns.get(claims.device, now))
        wait_s = due - now - (SAVES_AT_ONCE - 1) * self._save_every_s
        if wait_s > LONGEST_TURN_S:
            raise self._refusal(claims, "saves", LONGEST_TURN_S)
        self._turns[claims.device] = due + self._save_every_s
        return max(0.0, wait_s)

    def require_room(self, claims: Claims) -> None:
        """Events may be stored for this attempt; 429 when it is full. A save without events always passes."""
        full = self.over.get(claims.attempt)
        if full is not None:
            raise self._refusal(claims, cast("OverLimit", full), FULL_RETRY_S)

    def spend(self, claims: Claims, events: int, size: int) -> None:
        """So much of an attempt was stored just now (what was not stored does not count)."""
        attempt = claims.attempt
        spent = self._spent.get(attempt, 0) + (events << PLACE) + size
        if spent >> PLACE >= STEP_EVENTS or spent & SIZE >= STEP_BYTES:
            self._due[claims] = self._due.get(claims, 0) + spent
            self._step.set()
            spent = 0
        self._spent[attempt] = spent

    # ---- rare ways: exact ----

    async def take_reports(
        self, claims: Claims, events: list[StoredEvent], refused: list[Refused]
    ) -> list[StoredEvent]:
        """The events less the reports beyond the limit, which join `refused`; 429 if nothing else was sent.

        A report has the same verdict whenever and wherever it comes again.
        """
        reports = [event for event in events if event.kind == Kind.REPORT]
        if not reports:
            return events
        names = [claims.device + event.seq.to_bytes(4, "big") for event in reports]
        try:
            # redis-py types eval as str; it is an awaitable of the script's list.
            taken: list[int] = await cast(
                "Any", self._valkey.eval(TAKE_REPORTS, 1, f"reports:{claims.attempt}", REPORTS, *names)
            )
        except (RedisError, OSError) as error:
            raise Problem("try-later", retry_after_s=15) from error
        beyond = {event.seq for event, fits in zip(reports, taken, strict=True) if not fits}
        if not beyond:
            return events
        if len(beyond) == len(events) and not refused:
            raise self._refusal(claims, "reports", MINUTE_S)
        self._note(claims, "reports")
        refused += [Refused(seq, REPORTS_OVER) for seq in sorted(beyond)]
        return [event for event in events if event.seq not in beyond]

    async def re_enter(self, claims: Claims, route: str) -> None:
        """One more question that reads Postgres; 429 beyond two a minute of a device, six of all its attempt's."""
        limits = (self._re_entries, self._re_entries * DEVICES_SHARE)
        for name, limit in zip(_asked(claims, route), limits, strict=True):
            count, left_s = await self._count(name)
            if count > limit:
                raise self._refusal(claims, "re-entries", left_s)

    async def take_back(self, claims: Claims, route: str) -> None:
        """The last of them was not served: whoever waited for Postgres in vain need not wait for a minute besides."""
        for name in _asked(claims, route):
            self._asked[name] = max(0, self._asked.get(name, 0) - 1)
        with contextlib.suppress(RedisError, OSError):
            for name in _asked(claims, route):
                # redis-py types eval as str; it is an awaitable of what the script returns.
                await cast("Any", self._valkey.eval(ONE_LESS, 1, name))

    async def _count(self, name: str) -> tuple[int, int]:
        """How often within the minute that the first of them began, and the seconds that are left of it."""
        try:
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.incr(name)
                pipe.expire(name, MINUTE_S, nx=True)
                pipe.ttl(name)
                count, _, left_s = await pipe.execute()
        except (RedisError, OSError):
            # Without Valkey this worker's own count stands: a child must get back in all the same.
            count = self._asked[name] = self._asked.get(name, 0) + 1
            left_s = MINUTE_S
        return int(count), max(1, int(left_s))

    # ---- memory ----

    def forget(self) -> None:
        """Keep within memory."""
        keep_newest(self._turns, COUNTED_AT_MOST)
        keep_newest(self._spent, COUNTED_AT_MOST)

    # ---- telling ----

    def _refusal(self, claims: Claims, limit: OverLimit, retry_after_s: int) -> Problem:
        self._note(claims, limit)
        return BeyondBoundsError("slow-down", retry_after_s=retry_after_s, limit=limit)

    async def rest(self) -> None:
        """Before a refusal is told: who asks as fast as he is answered asks seldom then.

        No honest phone hears one. A rest costs a timer, and its connection carries nothing else meanwhile. No two are of one
        length: those who came together would come together again.
        """
        if self._resting < RESTING_AT_MOST:
            self._resting += 1
            try:
                await asyncio.sleep(self._rest_s * random.uniform(1.0, 1.5))
            finally:
                self._resting -= 1

    def _note(self, claims: Claims, limit: OverLimit) -> None:
        known = self._crossed.get((claims.attempt, limit))
        if known is not None:
            known.times += 1
        elif len(self._crossed) < NOTED_AT_MOST:
            self._crossed[claims.attempt, limit] = Crossed(claims.sitting, claims.device, 1)

    async def tell_for_ever(self, write: Callable[[LimitRecord], object], now_ms: Callable[[], int]) -> None:
        """Add up in Valkey at each step, put refusals on record through the stream, begin a new minute."""
        adding = asyncio.create_task(self._add_up_for_ever())
        try:
            for turn in itertools.count(1):
                await asyncio.sleep(NOTE_EVERY_S)
                if turn % NOTES_A_MINUTE == 0:
                    self._asked.clear()
                if self._crossed:
                    self._write_crossed(write, now_ms())
        finally:
            adding.cancel()

    async def _add_up_for_ever(self) -> None:
        while True:
            await self._step.wait()
            self._step.clear()
            if not await self._add_up():
                await asyncio.sleep(NOTE_EVERY_S)
                self._step.set()

    async def _add_up(self) -> bool:
        """Tell Valkey what is due; False: it was not told, and is due still."""
        due, self._due = self._due, {}
        try:
            async with self._valkey.pipeline(transaction=False) as pipe:
                for claims, spent in due.items():
                    name = f"used:{claims.attempt}"
                    pipe.hincrby(name, "events", spent >> PLACE)
                    pipe.hincrby(name, "bytes", spent & SIZE)
                    pipe.expire(name, KEPT_S)
                sums = await pipe.execute()
        except (RedisError, OSError) as error:
            for claims, spent in due.items():
                self._due[claims] = self._due.get(claims, 0) + spent
            log.warning("engine.limits.not_told", reason=str(error))
            return False
        for claims, events, size in zip(due, sums[::3], sums[1::3], strict=True):
            if events >= EVENTS or size >= BYTES:
                full: OverLimit = "events" if events >= EVENTS else "bytes"
                if self.over.setdefault(claims.attempt, full) == full:
                    self._note(claims, full)
                log.warning("engine.attempt.full", attempt=claims.attempt, events=events, bytes=size)
        return True

    def _write_crossed(self, write: Callable[[LimitRecord], object], now_ms: int) -> None:
        crossed, self._crossed = self._crossed, {}
        for (attempt, limit), known in crossed.items():
            try:
                write(LimitRecord(known.sitting, attempt, known.device, now_ms, limit, known.times))
            except Problem:
                # Valkey is full or away: told with a later turn.
                self._crossed.setdefault((attempt, limit), known)
