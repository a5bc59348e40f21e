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


def tokens_of(stack: Stack, sitting: int, candidates: int, first: int = 1) -> list[str]:
    """A token for each candidate, his attempts numbered from `first`."""
    keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
    tokens, now_s = PictureTokens(keys), int(time.time())
    return [
        tokens.sign(PictureClaims(attempt=attempt, sitting=sitting, opens_s=now_s - 60, expires_s=now_s + 36_000))
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

    __slots__ = ("connection", "waiting")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        # The turns that are due: one picture at a time is on its way.
        self.waiting: collections.deque[int] = collections.deque()


async def send_for(
    pool: Pool,
    tokens: list[str],
    rate: float,
    seconds: float,
    ramp_s: float = 0.0,
    *,
    first: int = 0,
    kind: str = USUAL,
) -> Sent:
    """Open loop: each picture is due at its own time, whether or not the ones before it were answered.

    Each candidate in turn, from turn `first` on; his number rises with each round.
    """
    sent, pace = Sent(), Pace(rate, ramp_s)
    bodies = [snapshot(number) for number in range(64)]
    lines = [Line() for _ in pool.idle]
    loop = asyncio.get_running_loop()
    begun = 0
    began = loop.time()

    def go_on(line: Line) -> None:
        """The next that is due, if the line is idle; one that was lost meanwhile waits for another connection."""
        nonlocal begun
        connection = line.connection
        if connection is None or not line.waiting:
            return
        if connection.closed:
            without.append(line)
            line.connection = None
            settle()
            return
        mine = line.waiting.popleft()
        due = began + pace.due_at(mine - first)
        candidate, number = picture_of(mine, len(tokens))
        line.connection = None
        begun += 1

        def done(status: int, body: bytes) -> None:
            if status == 200:
                sent.acked += 1
                sent.took_s = loop.time() - began
                sent.turns.append(mine)
                if body[body.index(b"[") + 1] != 93:
                    sent.told += 1
                if sent.acked % 20 == 0:
                    sent.waits_ms.append((loop.time() - due) * 1000)
            else:
                sent.refused[status] += 1
            if status and not connection.closed:
                line.connection = connection
                go_on(line)
            else:
                without.append(line)
                settle()

        head = (
            f"POST /v1/pictures?n={number}&at={time.time_ns() // 1_000_000}&kind={kind} HTTP/1.1\r\nhost: x\r\n"
            f"authorization: Bearer {tokens[candidate]}\r\ncontent-type: image/webp\r\ncontent-length: {BYTES}\r\n\r\n"
        )
        connection.send(head.encode() + bodies[mine & 63], done)

    def settle() -> None:
        # At the start, and when connections that were lost are open again.
        while pool.idle and without:
            line = without.popleft()
            line.connection = pool.idle.pop()
            go_on(line)

    without = collections.deque(lines)
    pool.on_idle = settle
    settle()
    total = pace.due_by(seconds)
    while sent.due < total:
        for number in range(first + sent.due, first + min(total, pace.due_by(loop.time() - began))):
            line = lines[number % len(tokens) % len(lines)]
            line.waiting.append(number)
            go_on(line)
            sent.due += 1
        await asyncio.sleep(TICK_S)
    # What still waits for its line is not sent any more: a machine that is too slow for the rate shows it so.
    limit = loop.time() + LATE_S
    while any(line.waiting for line in lines) and loop.time() < limit:
        await asyncio.sleep(0.05)
    for line in lines:
        line.waiting.clear()
    limit = loop.time() + LATE_S
    while sent.acked + sum(sent.refused.values()) < begun and loop.time() < limit:
        await asyncio.sleep(0.05)
    pool.on_idle = lambda: None
    # Taken from the end: who sends again has his line of before, and so the worker that holds his key.
    pool.idle.extend(line.connection for line in reversed(lines) if line.connection is not None)
    return sent
