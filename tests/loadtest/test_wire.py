"""The generator's client: what it hears is what the server said, however it came, and what is lost is told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LIMIT_S = 10.0


class Heard:
    """The answers of one test, in the order in which they came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []

    def __call__(self, status: int, body: bytes) -> None:
        self.answers.append((status, body))

    async def until(self, count: int) -> list[tuple[int, bytes]]:
        """When there are so many."""
        limit = time.monotonic() + LIMIT_S
        while len(self.answers) < count and time.monotonic() < limit:
            await asyncio.sleep(0.005)
        return self.answers


@pytest.fixture
async def served() -> AsyncIterator[Callable[..., Awaitable[int]]]:
    """Serve by this function; the port."""
    servers: list[asyncio.Server] = []

    async def serve(answer: Answer, tls: ssl.SSLContext | None = None) -> int:
        async def until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await answer(reader, writer)

        server = await asyncio.start_server(until_gone, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield serve
    for server in servers:
        server.close()


async def asked(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
    return await reader.readexactly(int(length))


async def test_an_answer_in_pieces_is_heard_whole(served: Callable[..., Awaitable[int]]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        for piece in (b"HTTP/1.1 503 Wait\r\nRetry-After: 7\r\nContent-Le", b"ngth: 9\r\n\r\nnot", b" now.."):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)

    pool, heard = Pool("127.0.0.1", await served(answer)), Heard()
    await pool.open(1)
    connection = pool.idle[0]
    connection.send(request("POST", "x", "/", b"a"), heard)
    assert await heard.until(1) == [(503, b"not now..")]
    assert connection.retry_after_s == 7
    pool.close()


@pytest.mark.parametrize("coded", [False, True])
async def test_a_large_request_goes_out_as_the_server_reads_it(
    served: Callable[..., Awaitable[int]], *, coded: bool
) -> None:
    """More than a socket holds, to a server that reads late; the answer too is longer than one reading."""
    body = bytes(range(256)) * 40_000
    server = client = None
    if coded:
        authority = trustme.CA()
        server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
        authority.issue_cert("127.0.0.1").configure_cert(server)
        authority.configure_trust(client)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        got = await asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(got), got))
        await writer.drain()

    pool, heard = Pool("127.0.0.1", await served(answer, server), client), Heard()
    await pool.open(1)
    pool.idle[0].send(request("POST", "x", "/", body), heard)
    assert await heard.until(1) == [(200, body)]
    pool.close()


async def test_a_lost_connection_is_told_and_another_one_opened(served: Callable[..., Awaitable[int]]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await asked(reader) == b"go":
            writer.close()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    pool, heard = Pool("127.0.0.1", await served(answer)), Heard()
    opened = asyncio.Event()
    pool.on_idle = opened.set
    await pool.open(1)
    pool.idle.pop().send(request("POST", "x", "/", b"go"), heard)
    assert await heard.until(1) == [(0, b"")]
    await asyncio.wait_for(opened.wait(), LIMIT_S)
    assert pool.lost == 1
    pool.idle.pop().send(request("POST", "x", "/", b"stay"), heard)
    assert await heard.until(2) == [(0, b""), (200, b"")]
    pool.close()


async def test_who_is_given_up_hears_of_it(served: Callable[..., Awaitable[int]]) -> None:
    came = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        came.set()

    pool, heard = Pool("127.0.0.1", await served(answer)), Heard()
    await pool.open(1)
    connection = pool.idle.pop()
    connection.send(request("POST", "x", "/", b""), heard)
    await asyncio.wait_for(came.wait(), LIMIT_S)
    connection.abort()
    assert await heard.until(1) == [(0, b"")]
    assert connection.closed
    pool.close()


async def test_a_caller_that_fails_costs_the_others_nothing(served: Callable[..., Awaitable[int]]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + await asked(reader))

    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))

    def fails(_status: int, _body: bytes) -> None:
        raise ValueError("it is tired")

    pool, heard = Pool("127.0.0.1", await served(answer)), Heard()
    await pool.open(2)
    pool.idle[0].send(request("POST", "x", "/", b"a"), fails)
    pool.idle[1].send(request("POST", "x", "/", b"b"), heard)
    assert await heard.until(1) == [(200, b"b")]
    assert [str(each["exception"]) for each in failures] == ["it is tired"]
    pool.close()
