"""Pupils with real tokens who do everything the wire allows to be bad; a process of its own beside the generator.

Started by `loadtest.bench.hostile`: the first line of its input says who they are, at each further line they work for a
turn and one line says what they sent and how it was answered. It ends with its input.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from engine.codes import draw_code
from loadtest.bench.saves import Candidate, save_body
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S = 0.005
MAX_BODY = 65_536
# Bodies and heads that come a byte a second, of each of them.
SLOW_EACH = 4
# For requests, so that one that waits long keeps nobody from sending others: refusals are slow, so they bring many.
CONNECTIONS_EACH = 20


class Hostile(msgspec.Struct):
    """One of them, as he was signed in."""

    attempt: int
    code: str
    token: str
    anchor: str


class Orders(msgspec.Struct):
    """The first line."""

    port: int
    rate: float
    seconds: float
    items: list[int]
    hostile: list[Hostile]


class Told(msgspec.Struct):
    """A turn: what was done → how it was answered → how often; and this process' own CPU seconds."""

    answers: dict[str, dict[str, int]]
    cpu_s: float


class Refusal(msgspec.Struct):
    """What is read of a problem."""

    code: str = ""
    limit: str | int = ""


class Mind:
    """What one of them can send. Numbers of events go on as in a real log, so that what is stored is stored for good."""

    def __init__(self, who: Hostile, items: list[int], draw: random.Random) -> None:
        self._who = who
        self._items = items
        self._draw = draw
        self._log = Candidate(who.attempt)
        self._log.anchor = who.anchor
        self._last = save_body(self._log, items)
        self.device = b'{"device":"%032x"}' % who.attempt

    def save(self) -> bytes:
        """A save like any other; there are only too many of them."""
        self._last = save_body(self._log, self._items)
        return self._last

    def replay(self) -> bytes:
        """The last one once more."""
        return self._last

    def full(self) -> bytes:
        """As many events in as large a body as is taken."""
        return self._events(b'"kind":"answer","value":"%s"' % (b"a" * 225), 200)

    def reports(self) -> bytes:
        """Nothing but reports of questions."""
        return self._events(b'"kind":"report","value":"other"', 5)

    def odd(self) -> bytes:
        """Values that no database takes, kinds that there are not, numbers that are none."""
        return self._events(b'"kind":"%s","value":"\\u0000"' % self._draw.choice([b"answer", b"nonsense"]), 20)

    def finish(self) -> bytes:
        """A hand-in whose count and hash are wrong."""
        return self._events(b'"kind":"finish","value":{"count":1,"hash":"%s"}' % (b"0" * 64), 1, item=False)

    def foreign(self) -> bytes:
        """In the name of a neighbour."""
        return self._last.replace(b'"attempt":', b'"attempt":1', 1)

    def broken(self) -> bytes:
        """No JSON, not the shape, cut off, no text."""
        last = self._last
        kinds = [last[:-9], b"", b"[]", b"\xff\xfe\x00" * 100, last.replace(b'"seq"', b'"surprise"'), b"nul" * 5_000]
        return self._draw.choice(kinds)

    def deep(self) -> bytes:
        """A value nested as deep as a body is long, and one that still can be read."""
        levels = self._draw.choice([(MAX_BODY - 1_000) // 2, 100])
        value = b"[" * levels + b"]" * levels
        return self._events(b'"kind":"answer","value":%s' % value, 1)

    def large(self) -> bytes:
        """More than is taken."""
        return b" " * (MAX_BODY + self._draw.choice([1, 500_000]))

    def guess(self) -> bytes:
        """Somebody else's code, or another birthday with the own one."""
        code = self._draw.choice([draw_code(), draw_code(), self._who.code]).encode()
        day, month = self._draw.randint(1, 28), self._draw.randint(1, 12)
        return b'{"code":"%s","day":%d,"month":%d,"device":"%032x"}' % (code, day, month, self._draw.getrandbits(128))

    def _events(self, rest: bytes, count: int, *, item: bool = True) -> bytes:
        first = self._log.seq + 1
        self._log.seq += count
        named = b'"item":%d,' % self._draw.choice(self._items) if item else b""
        events = b",".join(
            b'{"seq":%d,%s%s,"anchor":0,"ms":1}' % (seq, named, rest) for seq in range(first, first + count)
        )
        head = b'{"attempt":%d,"clock":["%s"],"events":[' % (self._who.attempt, self._who.anchor.encode())
        return head + events + b"]}"


# What is done, how often among the others, and where.
WAYS: tuple[tuple[str, int, str], ...] = (
    ("save", 30, "/v1/save"),
    ("replay", 15, "/v1/save"),
    ("full", 5, "/v1/save"),
    ("reports", 5, "/v1/save"),
    ("odd", 5, "/v1/save"),
    ("foreign", 3, "/v1/save"),
    ("broken", 8, "/v1/save"),
    ("deep", 4, "/v1/save"),
    ("large", 2, "/v1/save"),
    ("finish", 8, "/v1/finish"),
    ("resume", 5, "/v1/resume"),
    ("have", 5, "/v1/have"),
    ("guess", 5, "/v1/sign-in"),
)


class Gang:
    """All of them, each with some connections; as fast as the server answers, up to the rate of all together."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._draw = random.Random(20261124)
        self._minds = [(who, Mind(who, orders.items, self._draw)) for who in orders.hostile]
        self._connections = CONNECTIONS_EACH * len(self._minds)
        self._pool = Pool("127.0.0.1", orders.port)
        self._host = f"127.0.0.1:{orders.port}"
        self._answers: Counter[tuple[str, str]] = Counter()

    async def open(self) -> None:
        """Their connections."""
        await self._pool.open(self._connections)

    async def turn(self) -> Told:
        """Work for so many seconds."""
        self._answers.clear()
        seconds, own = self._orders.seconds, time.process_time()
        slow = [
            asyncio.create_task(self._slow(who, seconds, head=bool(place % 2)))
            for who, _ in self._minds
            for place in range(SLOW_EACH)
        ]
        clock = time.perf_counter
        began, due = clock(), 0
        turns = itertools.cycle(self._minds)
        while (elapsed := clock() - began) < seconds:
            # What finds no idle connection isn't sent later: the next one comes anyway.
            while due < elapsed * self._orders.rate:
                due += 1
                if self._pool.idle:
                    self._send(*next(turns))
            await asyncio.sleep(TICK_S)
        await asyncio.gather(*slow)
        # Resuming may wait for five seconds.
        limit = clock() + 10
        while len(self._pool.idle) < self._connections and clock() < limit:
            await asyncio.sleep(TICK_S)
        answers: dict[str, dict[str, int]] = {}
        for (way, answer), count in self._answers.items():
            answers.setdefault(way, {})[answer] = count
        return Told(answers, time.process_time() - own)

    def _send(self, who: Hostile, mind: Mind) -> None:
        way, _, path = self._draw.choices(WAYS, [often for _, often, _ in WAYS])[0]
        body = mind.device if way in {"resume", "have"} else getattr(mind, way)()
        connection = self._pool.idle.pop()

        def done(status: int, answer: bytes) -> None:
            self._answers[way, said(status, answer)] += 1
            # One that was lost is opened anew by the pool.
            if status and not connection.closed:
                self._pool.idle.append(connection)

        connection.send(request("POST", self._host, path, body, who.token), done)

    async def _slow(self, who: Hostile, seconds: float, *, head: bool) -> None:
        """A request that is begun and goes on byte by byte; when it is cut off, the next one."""
        way = "slow head" if head else "slow body"
        end = time.perf_counter() + seconds
        begun = f"POST /v1/save HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Bearer {who.token}\r\n".encode()
        while time.perf_counter() < end:
            answer = "open at the turn's end"
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._orders.port)
                writer.write(begun + (b"x-slow: " if head else b"content-length: 60000\r\n\r\n"))
                heard = asyncio.create_task(reader.read())
                while time.perf_counter() < end and not heard.done():
                    writer.write(b"a")
                    await asyncio.wait([heard], timeout=1)
                if heard.done():
                    status, body = heard.result()[9:12], heard.result().partition(b"\r\n\r\n")[2]
                    answer = said(int(status or b"0"), body)
                else:
                    heard.cancel()
                writer.close()
            except OSError:
                answer = "0 lost"
            self._answers[way, answer] += 1
            # Who is refused begins again after a moment, so that all stays within the rate.
            await asyncio.sleep(1)


def said(status: int, body: bytes) -> str:
    """An answer in a word or three."""
    if status == 200:
        return "200"
    try:
        refusal = msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        return f"{status} {'lost' if status == 0 else ''}".strip()
    limit = refusal.limit if refusal.code == "slow-down" else ""
    return f"{status} {refusal.code} {limit}".strip()


async def work(line: Callable[[], bytes]) -> None:
    """A turn for each line of input."""
    gang = Gang(msgspec.json.decode(line(), type=Orders))
    await gang.open()
    print("ready", flush=True)
    while await asyncio.to_thread(line):
        print(msgspec.json.encode(await gang.turn()).decode(), flush=True)


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(sys.stdin.buffer.readline))
