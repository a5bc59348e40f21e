"""A lean HTTP/1.1 client for generating load: kept-alive connections, one request at a time on each.

No parsing beyond what a generator needs: its own CPU is load on the same machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    Done = Callable[[int, bytes], None]

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
RETRY_AFTER = b"retry-after: "
REOPEN_PAUSE_S = 0.2


class Connection(asyncio.Protocol):
    """One kept-alive connection. `send` is allowed while it is idle; `done(status, body)` follows."""

    __slots__ = ("_buffer", "_done", "_gone", "closed", "retry_after_s", "transport")

    def __init__(self, gone: Callable[[Connection], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = False
        # Of the last answer.
        self.retry_after_s = 0
        self._buffer = b""
        self._done: Done | None = None
        self._gone = gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        # uvloop's transport is one in all but its base class.
        self.transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, done: Done) -> None:
        """Send one request; `done` is called with status and body, or with 0 when the connection was lost."""
        assert self._done is None
        assert self.transport is not None
        self._done = done
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        buffer = self._buffer + data if self._buffer else data
        head = buffer.find(HEAD_END)
        if head < 0:
            self._buffer = buffer
            return
        at = buffer.find(LENGTH, 0, head)
        if at < 0:
            at = buffer.lower().find(LENGTH, 0, head)
        end = head + 4
        if at >= 0:
            end += int(buffer[at + len(LENGTH) : buffer.index(b"\r", at)])
        if len(buffer) < end:
            self._buffer = buffer
            return
        self._buffer = b""
        done, self._done = self._done, None
        status = int(buffer[9:12])
        self.retry_after_s = 0 if status == 200 else _number_after(RETRY_AFTER, buffer[:head])
        if done is not None:
            done(status, buffer[head + 4 : end])

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits hears 0."""
        del exc
        self.closed = True
        done, self._done = self._done, None
        if done is not None:
            done(0, b"")
        self._gone(self)

    def abort(self) -> None:
        """Give up waiting."""
        if self.transport is not None:
            self.transport.abort()


class Pool:
    """Idle connections to one address; requests beyond their number wait in the caller's queue."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._missing = 0
        self._closing = False
        self._reopening: asyncio.Task[None] | None = None
        self.idle: list[Connection] = []
        self.lost = 0
        self.on_idle: Callable[[], None] = _nothing

    async def open(self, count: int) -> None:
        """Open connections, a hundred at a time."""
        loop = asyncio.get_running_loop()
        for start in range(0, count, 100):
            opened = await asyncio.gather(
                *(
                    loop.create_connection(lambda: Connection(self._forget), self._host, self._port, ssl=self._tls)
                    for _ in range(min(100, count - start))
                )
            )
            self.idle.extend(protocol for _, protocol in opened)

    async def _reopen(self) -> None:
        """Open what was lost, as long as it takes: the server may be down."""
        while self._missing and not self._closing:
            try:
                count = min(100, self._missing)
                await self.open(count)
                self._missing -= count
                self.on_idle()
            except OSError:
                await asyncio.sleep(REOPEN_PAUSE_S)

    def _forget(self, connection: Connection) -> None:
        if self._closing:
            return
        self.lost += 1
        self._missing += 1
        with contextlib.suppress(ValueError):
            self.idle.remove(connection)
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    def close(self) -> None:
        """Close what is idle."""
        self._closing = True
        for connection in list(self.idle):
            if connection.transport is not None:
                connection.transport.close()


def _nothing() -> None:
    pass


def _number_after(name: bytes, head: bytes) -> int:
    at = head.lower().find(name)
    if at < 0:
        return 0
    digits = head[at + len(name) :].partition(b"\r")[0].strip()
    return int(digits) if digits.isdigit() else 0


def request(method: str, host: str, path: str, body: bytes, token: str = "") -> bytes:
    """The bytes of a request."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{authorization}"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
