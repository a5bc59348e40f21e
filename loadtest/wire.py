"""A lean HTTP/1.1 client for generating load: kept-alive connections, one request at a time on each.

Plain sockets that are looked at in turns, all at once: a generator's own CPU is load on the same machine, and an event of
the loop for each answer was a fifth of it (docs/performance.md). No parsing beyond what a generator needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Done = Callable[[int, bytes], None]

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
RETRY_AFTER = b"retry-after: "
REOPEN_PAUSE_S = 0.2
# How often answers are looked for. It is part of each latency that is reported.
TICK_S = 0.002
AT_ONCE = 100
HANDSHAKE_LIMIT_S = 60.0
READ_BYTES = 1 << 18
# As many at once; who is beyond them is looked at in the next turn.
EVENTS = 4096
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """One kept-alive connection. `send` is allowed while it is idle; `done(status, body)` follows."""

    __slots__ = ("_buffer", "_done", "_pool", "_rest", "_send", "closed", "read_into", "retry_after_s", "socket")

    def __init__(self, pool: Pool, connected: socket.socket) -> None:
        self.socket = connected
        self.closed = False
        # Of the last answer.
        self.retry_after_s = 0
        self.read_into = connected.recv_into
        self._send = connected.send
        self._pool = pool
        self._buffer = b""
        self._rest: memoryview | None = None
        self._done: Done | None = None

    def send(self, request: bytes, done: Done) -> None:
        """Send one request; `done` is called with status and body, or with 0 when the connection was lost."""
        assert self._done is None
        self._done = done
        try:
            sent = self._send(request)
        except NOT_YET:
            sent = 0
        except OSError:
            self.abort()
            return
        if sent < len(request):
            self._rest = memoryview(request)[sent:]
            self._pool.await_room(self, still=True)

    def send_rest(self) -> None:
        """There is room again for what did not fit."""
        if self._rest is None:
            return
        try:
            sent = self._send(self._rest)
        except NOT_YET:
            return
        except OSError:
            self.lose()
            return
        self._rest = self._rest[sent:]
        if not self._rest:
            self._rest = None
            self._pool.await_room(self, still=False)

    def take(self, data: bytes) -> None:
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

    def lose(self) -> None:
        """It is gone; whoever waits hears 0."""
        if self.closed:
            return
        self.closed = True
        self._pool.forget(self)
        self.socket.close()
        done, self._done = self._done, None
        if done is not None:
            done(0, b"")

    def abort(self) -> None:
        """Give up waiting."""
        asyncio.get_running_loop().call_soon(self.lose)


class Pool:
    """Idle connections to one address; requests beyond their number wait in the caller's queue.

    `sources` are own addresses to connect from by turns: one has no more than 28 000 ports.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None, sources: Sequence[str] = ()) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._sources = sources
        self._found: tuple[int, int, int, str, Any] | None = None
        self._opened = 0
        self._missing = 0
        self._closing = False
        self._reopening: asyncio.Task[None] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._ready = select.epoll()
        self._by_file: dict[int, Connection] = {}
        self._read = memoryview(bytearray(READ_BYTES))
        self.idle: list[Connection] = []
        self.lost = 0
        self.on_idle: Callable[[], None] = _nothing

    async def open(self, count: int) -> None:
        """Open connections, a hundred at a time; the first that cannot be opened is an error."""
        if self._ticking is None:
            self._tick()
        for start in range(0, count, AT_ONCE):
            if errors := await self._open(min(AT_ONCE, count - start)):
                raise errors[0]

    async def _open(self, count: int) -> list[BaseException]:
        """So many at once; why some of them could not be opened."""
        errors = []
        for each in await asyncio.gather(*(self._connect() for _ in range(count)), return_exceptions=True):
            if isinstance(each, BaseException):
                errors.append(each)
                continue
            if self._closing:
                each.close()
                continue
            connection = Connection(self, each)
            self._by_file[each.fileno()] = connection
            self._ready.register(each.fileno(), select.EPOLLIN)
            self.idle.append(connection)
        return errors

    async def _connect(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        if self._found is None:
            self._found = (await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))[0]
        family, kind, protocol, _, address = self._found
        connected = socket.socket(family, kind, protocol)
        try:
            connected.setblocking(False)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._sources:
                connected.bind((self._sources[self._opened % len(self._sources)], 0))
            self._opened += 1
            # On loopback the second look finds it connected, and the event loop needs no turn for it.
            if connected.connect_ex(address) and connected.connect_ex(address):
                await loop.sock_connect(connected, address)
            if self._tls is not None:
                connected.settimeout(HANDSHAKE_LIMIT_S)
                connected = await asyncio.to_thread(self._tls.wrap_socket, connected, server_hostname=self._host)
                connected.setblocking(False)
        except BaseException:
            connected.close()
            raise
        return connected

    def _tick(self) -> None:
        """Take what was answered since the last one."""
        # First of all, so that what a caller's `done` raises does not end the looking.
        self._ticking = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        for file, seen in self._ready.poll(0, EVENTS):
            connection = self._by_file.get(file)
            if connection is None:
                continue
            if seen & select.EPOLLOUT:
                connection.send_rest()
            if seen & ~select.EPOLLOUT:
                self._take(connection)

    def _take(self, connection: Connection) -> None:
        while not connection.closed:
            try:
                count = connection.read_into(self._read)
            except NOT_YET:
                return
            except OSError:
                count = 0
            if not count:
                connection.lose()
                return
            connection.take(self._read[:count].tobytes())
            if self._tls is None:
                return
            # What TLS has deciphered already wakes nobody.

    def await_room(self, connection: Connection, *, still: bool) -> None:
        """Hear of it when the connection takes more; no more when not `still`."""
        self._ready.modify(connection.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if still else 0))

    def forget(self, connection: Connection) -> None:
        """One was lost: open another, as long as it takes."""
        file = connection.socket.fileno()
        self._ready.unregister(file)
        del self._by_file[file]
        self.lost += 1
        self._missing += 1
        with contextlib.suppress(ValueError):
            self.idle.remove(connection)
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """The server may be down."""
        while self._missing and not self._closing:
            count = min(AT_ONCE, self._missing)
            errors = await self._open(count)
            self._missing -= count - len(errors)
            self.on_idle()
            if errors:
                await asyncio.sleep(REOPEN_PAUSE_S)

    def close(self) -> None:
        """Close all; nobody hears of it."""
        self._closing = True
        if self._ticking is not None:
            self._ticking.cancel()
        for connection in self._by_file.values():
            connection.closed = True
            connection.socket.close()
        self._by_file.clear()
        self._ready.close()


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
