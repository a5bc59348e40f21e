"""The door: what a sign-in and a key cost, and how long 5 000 pupils wait who come back at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import time
from collections import deque
from typing import TYPE_CHECKING, TypeVar

import msgspec

from infra.local import decode_key, environment
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.saves import Candidate, save_for, sign_in_all
from loadtest.bench.stack import fresh_stack, serve
from loadtest.nation.run import move_start
from loadtest.scene import make_scene
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.parts.supervisor import Stack
    from loadtest.wire import Connection

T = TypeVar("T")
PUPILS = 40_000
RETURNING = 5_000
AT_ONCE = 256
OURS = ("engine", "flusher", "valkey", "postgres")


class Answered(msgspec.Struct):
    """What is read of any answer."""

    token: str = ""
    complete: bool = True


async def measure(pupils: int = PUPILS, returning: int = RETURNING) -> None:
    """Sign-ins before T0, keys after it, some answers, then the return; writes three figures."""
    async with fresh_stack() as stack:
        owner = stack.owner_url
        pack = {**os.environ, **environment(stack.home, "pack")}
        pepper = decode_key(stack.secrets.code_pepper)
        scene = await make_scene(owner, pack, pepper, pupils, starts_in_s=3600)
        await serve(stack)
        await asyncio.sleep(3)
        port = stack.home.ports.engine
        pool = Pool("127.0.0.1", port)
        await pool.open(AT_ONCE)
        host = f"127.0.0.1:{port}"
        meter = _meter(stack)
        candidates, took = await sign_in_all(pool, host, scene)
        await asyncio.sleep(2)
        _figure("signin_cpu_us", meter, pupils, f"{pupils} sign-ins before T0 in {took:.1f} s, as fast as they went")
        await move_start(owner, scene.sitting, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
        # Until the worker has read the new start.
        await asyncio.sleep(5)
        meter = _meter(stack)
        took = await _keys(pool, host, candidates)
        await asyncio.sleep(2)
        _figure("key_cpu_us", meter, pupils, f"{pupils} keys released in {took:.1f} s, as fast as they went")
        await save_for(pool, host, candidates, scene.items, 2000, 2 * pupils / 2000)
        codes = dict(scene.seats)
        waits = await _return(pool, host, [(each.attempt, codes[each.attempt]) for each in candidates[:returning]])
        pool.close()
    waits.sort()
    basis = (
        f"{returning} pupils of {pupils} came back within a second on new devices on {AT_ONCE} connections: sign-in and "
        f"re-entry, from when each was due; median {waits[len(waits) // 2]:.2f} s, longest {waits[-1]:.2f} s"
    )
    write(Figure(metric="reentry_5000_p99_s", value=round(waits[int(0.99 * len(waits))], 2), unit="s", basis=basis))


def _meter(stack: Stack) -> Meter:
    return Meter({name: pid for name in OURS if (pid := stack.parts[name].pid)})


def _figure(metric: str, meter: Meter, count: int, basis: str) -> None:
    taken = meter.taken()
    shares = ", ".join(f"{name} {1e6 * seconds / count:.1f}" for name, seconds in taken.items())
    value = round(1e6 * sum(taken.values()) / count, 1)
    write(Figure(metric=metric, value=value, unit="µs", basis=f"{basis}; µs each: {shares}"))


async def _keys(pool: Pool, host: str, candidates: list[Candidate]) -> float:
    """Everybody asks for his key; returns the seconds."""
    began = time.perf_counter()

    def ask(candidate: Candidate) -> bytes:
        return request("POST", host, "/v1/key", b"", candidate.token)

    def heard(candidate: Candidate, body: bytes) -> None:
        candidate.token = msgspec.json.decode(body, type=Answered).token

    await _all(pool, candidates, ask, heard)
    return time.perf_counter() - began


async def _return(pool: Pool, host: str, who: list[tuple[int, str]]) -> list[float]:
    """Sign in on a new device and re-enter, all due within one second; seconds each waited."""
    began = time.perf_counter()
    due = {attempt: began + place / len(who) for place, (attempt, _) in enumerate(who)}
    tokens: dict[int, str] = {}
    waits: list[float] = []

    def sign_in(each: tuple[int, str]) -> bytes:
        body = b'{"code":"%s","day":14,"month":3,"device":"%032x"}' % (each[1].encode(), each[0] + 2**64)
        return request("POST", host, "/v1/sign-in", body)

    def signed_in(each: tuple[int, str], body: bytes) -> None:
        tokens[each[0]] = msgspec.json.decode(body, type=Answered).token

    def resume(each: tuple[int, str]) -> bytes:
        return request("POST", host, "/v1/resume", b'{"device":"%032x"}' % (each[0] + 2**64), tokens[each[0]])

    def resumed(each: tuple[int, str], _body: bytes) -> None:
        waits.append(time.perf_counter() - due[each[0]])

    await _all(pool, who, sign_in, signed_in)
    await _all(pool, who, resume, resumed)
    return waits


async def _all(pool: Pool, who: Iterable[T], ask: Callable[[T], bytes], heard: Callable[[T, bytes], None]) -> None:
    """Ask for each over all connections; an answer other than 200 is an error, one with Retry-After is asked again."""
    waiting = deque(who)
    left = len(waiting)
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def next_one(connection: Connection) -> None:
        if not waiting:
            pool.idle.append(connection)
            return
        each = waiting.popleft()

        def done(status: int, body: bytes) -> None:
            nonlocal left
            if status == 200:
                heard(each, body)
                left -= 1
            elif status == 503:
                loop.call_later(1.0, waiting.append, each)
            elif not finished.done():
                finished.set_exception(RuntimeError(f"{status} {body[:200]!r}"))
            if not left and not finished.done():
                finished.set_result(None)
            next_one(connection)

        connection.send(ask(each), done)

    connections, pool.idle = pool.idle, []
    for connection in connections:
        next_one(connection)
    while not finished.done():
        await asyncio.sleep(0.05)
        while waiting and pool.idle:
            next_one(pool.idle.pop())
    finished.result()
