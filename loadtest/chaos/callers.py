"""Callers that misbehave: replays, halves, the slow ones, ten thousand at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING

from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from loadtest.chaos.case import Scene

SECONDS = 20.0


async def replay(scene: Scene) -> None:
    """Saves of the pupils come again: doubled, in another order, minutes old, cut in the middle of the body."""
    await scene.calm()
    kept = scene.play.driver.keep_sent(3000)
    await asyncio.sleep(3)
    port = scene.stack.home.ports.engine
    limit = time.monotonic() + SECONDS
    sent = cut = 0
    while time.monotonic() < limit:
        messages = random.sample(list(kept), min(40, len(kept)))
        for message in messages:
            half = random.random() < 0.3
            await _throw(port, message[: random.randrange(200, len(message))] if half else message)
            sent, cut = sent + 1, cut + half
    scene.notes |= {"requests thrown in": sent, "cut in the middle": cut}


async def _throw(port: int, message: bytes) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(message)
            await writer.drain()
            writer.write_eof()
            await reader.read(4096)
            writer.close()


async def slow_loris(scene: Scene) -> None:
    """Five hundred callers send their request a byte a second."""
    await scene.calm()
    port = scene.stack.home.ports.engine
    body = request("POST", f"127.0.0.1:{port}", "/v1/save", b"{" + b" " * 2000 + b"}", "x" * 150)

    async def crawl() -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for place in range(int(SECONDS)):
                    writer.write(body[place * 16 : place * 16 + 16])
                    await writer.drain()
                    await asyncio.sleep(1)
            finally:
                writer.close()

    await asyncio.gather(*(crawl() for _ in range(500)))


async def reconnects(scene: Scene) -> None:
    """Everybody's line breaks at once: ten thousand new connections within a second, each asking something."""
    await scene.calm()
    driver = scene.play.driver
    for connection in [*driver.flying_connections, *driver.pool.idle]:
        connection.abort()
    port = scene.stack.home.ports.engine
    pools = [Pool("127.0.0.1", port) for _ in range(10)]
    began = time.monotonic()
    opened = await asyncio.gather(*(pool.open(1000) for pool in pools), return_exceptions=True)
    scene.notes["opened in s"] = round(time.monotonic() - began, 2)
    scene.notes["failed"] = sum(isinstance(each, BaseException) for each in opened)
    answered = 0

    def done(status: int, _body: bytes) -> None:
        nonlocal answered
        answered += status == 200

    ask = request("GET", f"127.0.0.1:{port}", "/v1/clock", b"")
    for pool in pools:
        for connection in pool.idle:
            connection.send(ask, done)
    limit = time.monotonic() + 20
    while answered < sum(len(pool.idle) for pool in pools) and time.monotonic() < limit:
        await asyncio.sleep(0.1)
    scene.notes |= {"connections": sum(len(pool.idle) for pool in pools), "answered": answered}
    scene.notes["all answered after s"] = round(time.monotonic() - began, 2)
    for pool in pools:
        pool.close()
