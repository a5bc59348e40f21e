"""Phones that send pictures as those of a sitting do: each keeps its line, each picture is due at its own time.

Pictures are noise behind a real head: nothing on the way decodes them.
"""

from __future__ import annotations

import array
import asyncio
import collections
import math
import random
import struct
import time
from typing import TYPE_CHECKING

import msgspec

from infra.local import decode_key
from infra.picture_tokens import PictureClaims, PictureTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.parts.supervisor import Stack
    from loadtest.wire import Connection, Pool

BYTES = 12_288
# A connection bears one picture at a time: fewer than rate × wait of an acknowledgement would bound the rate.
CONNECTIONS = 3000
USUAL, FACE = "snapshot", "identity"
TICK_S = 0.005
LATE_S = 10.0


def snapshot(number: int) -> bytes:
    """12 288 bytes that begin as a WebP of 320×240."""
    head = b"RIFF" + struct.pack("<I", BYTES - 8) + b"WEBPVP8 " + struct.pack("<I", BYTES - 20)
    frame = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 320, 240)
    return (head + frame + random.Random(number).randbytes(BYTES))[:BYTES]


class Sent(msgspec.Struct):
    """What came of it."""

    due: int = 0
    acked: int = 0
    refused: collections.Counter[int] = msgspec.field(default_factory=collections.Counter)
    told: int = 0
    # From the first that was due to the last acknowledgement.
    took_s: float = 0.0
    # The turns that were acknowledged; see `picture_of`.
    turns: array.array[int] = msgspec.field(default_factory=lambda: array.array("I"))
    waits_ms: list[float] = []

    def percentile(self, share: float) -> float:
        """Of the time from when a picture was due to its acknowledgement."""
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def tokens_of(stack: Stack, sitting: int, candidates: int, first: int = 1) -> list[bytes]:
    """A token for each candidate, his attempts numbered from `first`."""
    keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
    tokens, now_s = PictureTokens(keys), int(time.time())
    return [
        tokens.sign(
            PictureClaims(attempt=attempt, sitting=sitting, opens_s=now_s - 60, expires_s=now_s + 36_000)
        ).encode()
        for attempt in range(first, first + candidates)
    ]


def picture_of(turn: int, candidates: int) -> tuple[int, int]:
    """Which candidate's picture a turn is (from 0), and its number (from 1): each candidate in turn, number by number."""
    number, candidate = divmod(turn, candidates)
    return candidate, number + 1


class Pace(msgspec.Struct, frozen=True):
    """Even, after a ramp of `ramp_s` in which the phones come one after the other."""

    rate: float
    ramp_s: float = 0.0

    def due_by(self, now_s: float) -> int:
        """How many pictures are due by then."""
        if now_s < self.ramp_s:
            return int(self.rate * now_s * now_s / (2 * self.ramp_s))
        return int(self.rate * (now_s - self.ramp_s / 2))

    def due_at(self, number: int) -> float:
        """When a picture is due, in seconds since the begin."""
        if number < self.rate * self.ramp_s / 2:
            return math.sqrt(2 * self.ramp_s * number / self.rate)
        return self.ramp_s / 2 + number / self.rate


class Line:
    """A phone keeps its connection between two pictures; some phones share one here, for files are scarce."""

    __slots__ = ("_round", "connection", "idle", "turn", "waiting")

    def __init__(self, of: Round) -> None:
        self._round = of
        self.connection: Connection | None = None
        self.idle = False
        # The one that is on its way, or was.
        self.turn = 0
        # The turns that are due: one picture at a time is on its way.
        self.waiting: collections.deque[int] = collections.deque()

    def use(self, connection: Connection) -> None:
        """Its connection from now on."""
        self.connection, self.idle = connection, True
        self.go_on()

    def go_on(self) -> None:
        """The next that is due, if the line is idle; one that was lost meanwhile waits for another connection."""
        connection = self.connection
        if not self.idle or not self.waiting or connection is None:
            return
        self.idle = False
        if connection.closed:
            self._round.lost(self)
            return
        self.turn = self.waiting.popleft()
        connection.send(self._round.begin(self.turn), self._heard)

    def _heard(self, status: int, body: bytes) -> None:
        self._round.answered(self.turn, status, body)
        if status:
            self.idle = True
            self.go_on()
        else:
            self._round.lost(self)


class Round:
    """Each candidate's pictures in turn, from turn `first` on; his number rises each time it comes to him again."""

    def __init__(self, pool: Pool, tokens: list[bytes], pace: Pace, first: int, kind: str) -> None:
        self._pool = pool
        self._tokens = tokens
        self._pace = pace
        self._first = first
        self._kind = kind.encode()
        self._at = b""
        rest = b"\r\ncontent-type: image/webp\r\ncontent-length: %d\r\n\r\n" % BYTES
        self._ends = [rest + snapshot(number) for number in range(64)]
        self._clock = asyncio.get_running_loop().time
        self._began = 0.0
        self._begun = 0
        self._lines = [Line(self) for _ in pool.idle]
        self._without = collections.deque(self._lines)
        self._sent = Sent()

    async def run(self, seconds: float) -> Sent:
        """Send what is due within so many seconds, and hear of it."""
        sent, pace, lines = self._sent, self._pace, self._lines
        candidates, total = len(self._tokens), pace.due_by(seconds)
        self._began = self._clock()
        self._pool.on_idle = self._settle
        self._settle()
        while sent.due < total:
            self._at = b"%d" % (time.time_ns() // 1_000_000)
            due = min(total, pace.due_by(self._clock() - self._began))
            for turn in range(self._first + sent.due, self._first + due):
                line = lines[turn % candidates % len(lines)]
                line.waiting.append(turn)
                line.go_on()
            sent.due = due
            await asyncio.sleep(TICK_S)
        # What still waits for its line is not sent any more: a machine that is too slow for the rate shows it so.
        await self._until(lambda: not any(line.waiting for line in lines))
        for line in lines:
            line.waiting.clear()
        await self._until(lambda: sent.acked + sum(sent.refused.values()) >= self._begun)
        self._pool.on_idle = lambda: None
        # Taken from the end: who sends again has his line of before, and so the worker that holds his key.
        self._pool.idle.extend(line.connection for line in reversed(lines) if line.idle and line.connection)
        return sent

    async def _until(self, done: Callable[[], bool]) -> None:
        limit = self._clock() + LATE_S
        while not done() and self._clock() < limit:
            await asyncio.sleep(0.05)

    def begin(self, turn: int) -> bytes:
        """The request that is sent now."""
        self._begun += 1
        candidate, number = picture_of(turn, len(self._tokens))
        return b"POST /v1/pictures?n=%d&at=%b&kind=%b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b%b" % (
            *(number, self._at, self._kind, self._tokens[candidate]),
            self._ends[turn & 63],
        )

    def answered(self, turn: int, status: int, body: bytes) -> None:
        """What came of it."""
        sent = self._sent
        if status != 200:
            sent.refused[status] += 1
            return
        sent.acked += 1
        sent.turns.append(turn)
        if body[body.index(b"[") + 1] != 93:
            sent.told += 1
        sent.took_s = self._clock() - self._began
        if sent.acked % 20 == 0:
            sent.waits_ms.append((sent.took_s - self._pace.due_at(turn - self._first)) * 1000)

    def lost(self, line: Line) -> None:
        """It needs another connection."""
        self._without.append(line)
        self._settle()

    def _settle(self) -> None:
        """At the start, and when connections that were lost are open again."""
        while self._pool.idle and self._without:
            self._without.popleft().use(self._pool.idle.pop())


async def send_for(
    pool: Pool,
    tokens: list[bytes],
    rate: float,
    seconds: float,
    ramp_s: float = 0.0,
    *,
    first: int = 0,
    kind: str = USUAL,
) -> Sent:
    """Open loop: each picture is due at its own time, whether or not the ones before it were answered."""
    return await Round(pool, tokens, Pace(rate, ramp_s), first, kind).run(seconds)
