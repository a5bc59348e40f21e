"""Open-loop saves against the engine: sent by schedule, latency from when each was due."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from loadtest.scene import BenchScene

TICK_S = 0.005
EVENTS = 3
REPEATS = 100


class Candidate:
    """One simulated candidate: his token, his last seq, his newest anchor and open receipt."""

    __slots__ = ("anchor", "attempt", "receipt", "repeat", "seq", "token")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.token = ""
        self.anchor = ""
        self.seq = 0
        self.receipt = ""
        self.repeat = b""


class Sent(msgspec.Struct):
    """What a run of saves came to."""

    due: int = 0
    acked: int = 0
    events: int = 0
    refused: int = 0
    lost: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = []
    worst_wait: int = 0

    def percentile(self, share: float) -> float:
        """Latency in ms below which this share of the saves was answered."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class SignedIn(msgspec.Struct):
    """What the generator reads of a sign-in."""

    token: str
    attempt: int
    now: str


async def sign_in_all(pool: Pool, host: str, scene: BenchScene) -> tuple[list[Candidate], float]:
    """Sign everybody in, as fast as the server takes them; returns the candidates and the seconds it took."""
    candidates: list[Candidate] = []
    waiting = deque(scene.seats)
    began = time.perf_counter()
    finished = asyncio.get_running_loop().create_future()

    def next_one() -> None:
        if not waiting:
            if len(candidates) == len(scene.seats) and not finished.done():
                finished.set_result(None)
            return
        connection = pool.idle.pop()
        attempt, code = waiting.popleft()
        body = b'{"code":"%s","day":14,"month":3,"device":"%032x","agent":"bench"}' % (code.encode(), attempt)

        def done(status: int, answer: bytes) -> None:
            pool.idle.append(connection)
            if status != 200:
                if not finished.done():
                    finished.set_exception(RuntimeError(f"sign-in: {status} {answer[:200]!r}"))
                return
            told = msgspec.json.decode(answer, type=SignedIn)
            candidate = Candidate(told.attempt)
            candidate.token, candidate.anchor = told.token, told.now
            candidates.append(candidate)
            next_one()

        connection.send(request("POST", host, "/v1/sign-in", body), done)

    for _ in range(min(256, len(pool.idle), len(scene.seats))):
        next_one()
    await finished
    return candidates, time.perf_counter() - began


def save_body(candidate: Candidate, items: list[int]) -> bytes:
    """The next save: an answer, a view, another answer. Every hundredth repeats the save before it instead, marked."""
    seq = candidate.seq
    candidate.seq = seq + EVENTS
    item = items[seq % len(items)]
    other = items[(seq + 1) % len(items)]
    opened = b'"%s"' % candidate.receipt.encode() if candidate.receipt else b""
    return (
        b'{"attempt":%d,"clock":["%s"],"generation":1,"controls":0,"open":[%s],"events":['
        b'{"seq":%d,"kind":"answer","item":%d,"value":%d,"anchor":0,"ms":4321},'
        b'{"seq":%d,"kind":"view","item":%d,"anchor":0,"ms":5987},'
        b'{"seq":%d,"kind":"answer","item":%d,"value":%d,"anchor":0,"ms":17654}]}'
    ) % (
        *(candidate.attempt, candidate.anchor.encode(), opened),
        *(seq + 1, item, seq * 7 % 65536, seq + 2, other, seq + 3, other, seq * 13 % 65536),
    )


async def save_for(
    pool: Pool, host: str, candidates: list[Candidate], items: list[int], rate: float, seconds: float
) -> Sent:
    """Saves at `rate` a second for `seconds`; what finds no idle connection waits, and its waiting counts."""
    sent = Sent()
    queue: deque[tuple[float, Candidate]] = deque()
    turn = 0
    clock = time.perf_counter
    began = clock()
    open_now = 0

    def launch() -> None:
        nonlocal open_now
        while queue and pool.idle:
            due, candidate = queue.popleft()
            connection = pool.idle.pop()
            repeated = candidate.repeat and candidate.seq // EVENTS % REPEATS == 0
            body = candidate.repeat if repeated else save_body(candidate, items)
            candidate.repeat = body.replace(b'"ms":', b'"again":true,"ms":') if not repeated else b""
            open_now += 1

            def done(
                status: int,
                answer: bytes,
                due: float = due,
                candidate: Candidate = candidate,
                connection: object = connection,
            ) -> None:
                nonlocal open_now
                open_now -= 1
                if status == 200:
                    sent.acked += 1
                    sent.events += EVENTS
                    sent.latencies_ms.append((clock() - due) * 1000)
                    at = answer.find(b'"receipt":"')
                    candidate.receipt = answer[at + 11 : answer.index(b'"', at + 11)].decode() if at >= 0 else ""
                elif status:
                    sent.refused += 1
                else:
                    sent.lost += 1
                    return
                pool.idle.append(connection)  # type: ignore[arg-type]
                if queue:
                    launch()

            connection.send(request("POST", host, "/v1/save", body, candidate.token), done)

    while (elapsed := clock() - began) < seconds:
        while sent.due < elapsed * rate:
            queue.append((began + sent.due / rate, candidates[turn]))
            turn = (turn + 1) % len(candidates)
            sent.due += 1
        launch()
        sent.worst_wait = max(sent.worst_wait, len(queue))
        await asyncio.sleep(TICK_S)
    limit = clock() + 30
    while (queue or open_now) and clock() < limit:
        launch()
        await asyncio.sleep(TICK_S)
    sent.seconds = clock() - began
    return sent
