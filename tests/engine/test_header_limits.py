"""Headers are bounded as docs/protocol.md says, over HTTP/1.1 and HTTP/2.

Whoever floods a worker with them loses his own connection only: what the worker holds stays small, and others are
answered meanwhile. One worker, so that the flood and the others meet the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import hpack
import psutil
import pytest
from hyperframe.frame import ContinuationFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

from infra.parts.supervisor import MAX_HEADERS_BYTES
from tests.support.engines import another_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

ASK = [(":method", "GET"), (":path", "/v1/clock"), (":scheme", "http"), (":authority", "engine")]
# RFC 9113, 6.5.2: a field counts its name, its value and 32 bytes.
FIELD = 32
CANCEL, ENHANCE_YOUR_CALM = 8, 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GROWTH_BYTES = 64 * 2**20
Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
def port(stack: Stack, loop: Loop) -> Iterator[int]:
    """Of an engine with one worker; its loop is the background's, as the parts' are."""
    context = another_engine(stack, {}, workers=1)
    url = loop.run(context.__aenter__(), 60)
    found = urlsplit(url).port
    assert found
    yield found
    loop.run(context.__aexit__(None, None, None), 60)


def counted(headers: Headers) -> int:
    """How large a server takes these headers for."""
    return sum(len(name) + len(value) + FIELD for name, value in headers)


def filled(size: int, fields: int) -> Headers:
    """The request with so many more fields that all together count for `size`."""
    names = [f"x-{number:04}" for number in range(fields)]
    rest = size - counted([*ASK, *((name, "") for name in names)])
    lengths = [rest // fields + (place < rest % fields) for place in range(fields)]
    headers = [*ASK, *((name, "a" * length) for name, length in zip(names, lengths, strict=True))]
    assert counted(headers) == size
    return headers


class Caller:
    """One HTTP/2 connection with prior knowledge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self._wire = h2.connection.H2Connection(config)
        self._wire.initiate_connection()

    async def status(self, headers: Headers) -> str:
        """What a request is answered: its status and whether there was a body, or how the connection ended."""
        stream = self._wire.get_next_available_stream_id()
        self._wire.send_headers(stream, headers, end_stream=True)
        self._writer.write(self._wire.data_to_send())
        status, body = "", b""
        while data := await asyncio.wait_for(self._reader.read(65536), 10):
            for event in self._wire.receive_data(data):
                match event:
                    case h2.events.ResponseReceived(headers=told):
                        status = dict(told)[":status"]
                    case h2.events.DataReceived(data=piece):
                        body += piece
                    case h2.events.StreamEnded():
                        return f"{status} {'with' if body else 'without'} a body"
                    case h2.events.ConnectionTerminated(error_code=code):
                        return f"connection closed: {code}"
            self._writer.write(self._wire.data_to_send())
        return "connection lost"


@contextlib.asynccontextmanager
async def caller(port: int) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Caller(reader, writer)
    writer.close()


async def plain(port: int, fields: list[str]) -> bytes:
    """The answer over HTTP/1.1 to a request with these header lines beside `Host`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(["GET /v1/clock HTTP/1.1", "Host: engine", *fields, "", ""]).encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        # Nothing follows, and the connection is closed.
        with contextlib.suppress(ConnectionError):
            answer += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def held_bytes(port: int) -> int:
    """Memory of the processes that listen there."""
    listening = [each for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port]
    pids = {each.pid for each in listening if each.status == psutil.CONN_LISTEN and each.pid}
    assert pids
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)


@pytest.mark.parametrize(
    ("fields", "size", "status"),
    [
        (99, 0, b" 200 "),
        (100, 0, b" 431 "),
        (1, MAX_HEADERS_BYTES - 500, b" 200 "),
        (50, MAX_HEADERS_BYTES - 1500, b" 200 "),
        (1, 2 * MAX_HEADERS_BYTES, b" 431 "),
        (50, 2 * MAX_HEADERS_BYTES, b" 431 "),
        (50, 40 * MAX_HEADERS_BYTES, b" 431 "),
    ],
)
async def test_over_http_1(port: int, fields: int, size: int, status: bytes) -> None:
    """A hundred with `Host`; of their size what stands on the page is taken and twice as much is not."""
    answer = await plain(port, [f"x-{number}: {'a' * (size // fields)}" for number in range(fields)])
    assert status in answer.partition(b"\r\n")[0]
    if status == b" 431 ":
        assert b"connection: close" in answer
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("fields", [1, 30, 400])
async def test_over_http_2_by_size(port: int, fields: int) -> None:
    """The last byte below passes, one more is 431 without a body, and the connection serves on."""
    async with caller(port) as pupil:
        assert await pupil.status(filled(MAX_HEADERS_BYTES - 1, fields)) == "200 with a body"
        assert await pupil.status(filled(MAX_HEADERS_BYTES, fields)) == "431 without a body"
        assert await pupil.status(ASK) == "200 with a body"


async def test_over_http_2_many_fields_count_by_their_size(port: int) -> None:
    """There is no bound of its own for their number: 32 bytes for each field make one."""
    fields = (MAX_HEADERS_BYTES - counted(ASK)) // (len("x-0000") + FIELD)
    many = [(f"x-{number:04}", "") for number in range(fields + 1)]
    async with caller(port) as pupil:
        assert await pupil.status([*ASK, *many[:fields]]) == "200 with a body"
        assert await pupil.status([*ASK, *many]) == "431 without a body"
        assert await pupil.status(ASK) == "200 with a body"


async def test_over_http_2_what_is_far_too_much_ends_the_connection(port: int) -> None:
    """A whole request all the same, of eight times what is taken."""
    pieces = list(itertools.islice(headers_without_end("full"), 8 * MAX_HEADERS_BYTES // 16_000))
    end = ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize()
    assert ended(await flood(port, [*pieces, end])) == [ENHANCE_YOUR_CALM]
    async with caller(port) as pupil:
        assert await pupil.status(ASK) == "200 with a body"


async def test_a_word_repeated_by_its_number_counts_each_time(port: int) -> None:
    """A byte a field names 4 000 bytes again: 16 KB on the wire would be 60 MB in memory, for each request."""
    named = hpack.Encoder().encode([("x", "a" * 3900)], huffman=False)
    # 62 is the newest entry of the dynamic table.
    bomb = named + b"\xbe" * 12_000
    before = held_bytes(port)

    async def one() -> list[Frame]:
        first = HeadersFrame(1, hpack.Encoder().encode(ASK) + bomb, flags=["END_STREAM", "END_HEADERS"])
        return await flood(port, [first.serialize()])

    async with caller(port) as other:
        heard = await asyncio.gather(*(one() for _ in range(20)))
        assert await other.status(ASK) == "200 with a body"
    assert all(any(isinstance(frame, GoAwayFrame | HeadersFrame | RstStreamFrame) for frame in each) for each in heard)
    assert held_bytes(port) - before < GROWTH_BYTES


def headers_without_end(filling: str) -> Iterator[bytes]:
    """A request that never says its headers are whole."""
    yield HeadersFrame(1, hpack.Encoder().encode(ASK), flags=["END_STREAM"]).serialize()
    for number in range(20_000):
        # A literal that the table does not keep, with a new name each time; of nothing, or as large as a frame may be.
        field = b"\x00\x05%05d\x7f\x81\x7c" % number + b"a" * 16_000
        yield ContinuationFrame(1, field if filling == "full" else b"").serialize()


def begun_and_reset() -> Iterator[bytes]:
    """Requests that are taken back at once, so many together that the worker reads the end with the beginning."""
    ask = hpack.Encoder().encode(ASK)
    for start in range(1, 40_000, 200):
        burst = b""
        for stream in range(start, start + 200, 2):
            burst += HeadersFrame(stream, ask, flags=["END_STREAM", "END_HEADERS"]).serialize()
            burst += RstStreamFrame(stream, error_code=CANCEL).serialize()
        yield burst


async def flood(port: int, pieces: Iterable[bytes]) -> list[Frame]:
    """Send them as fast as they are taken, until the server has enough; the frames it sent."""
    loop = asyncio.get_running_loop()
    heard = bytearray()

    async def send(line: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(line, PREFACE + SettingsFrame(0).serialize())
            for piece in pieces:
                await loop.sock_sendall(line, piece)
            line.shutdown(socket.SHUT_WR)

    # No stream: asyncio's reads no more as soon as a write has failed, and the last word stands before that.
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setblocking(False)
        sending = asyncio.create_task(send(line))
        with contextlib.suppress(ConnectionError):
            while data := await asyncio.wait_for(loop.sock_recv(line, 65536), 20):
                heard.extend(data)
        sending.cancel()
        await asyncio.wait([sending])
    return list(frames(bytes(heard)))


def frames(data: bytes) -> Iterator[Frame]:
    """What stands in these bytes."""
    while len(data) >= 9:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        yield frame
        data = data[9 + length :]


def ended(heard: list[Frame]) -> list[int]:
    """Why the server closed the connection, if it said so."""
    return [frame.error_code for frame in heard if isinstance(frame, GoAwayFrame)]


@pytest.mark.parametrize("kind", ["continuation, full", "continuation, empty", "rapid reset"])
async def test_a_flood_ends_its_own_connection_and_nothing_else(port: int, kind: str) -> None:
    """Ten times, beside a connection that was there before: this one is answered all the time."""
    before = held_bytes(port)
    async with caller(port) as other:
        assert await other.status(ASK) == "200 with a body"
        endless = begun_and_reset if kind == "rapid reset" else lambda: headers_without_end(kind.rpartition(" ")[2])
        floods = [asyncio.create_task(flood(port, endless())) for _ in range(10)]
        while not all(each.done() for each in floods):
            assert await other.status(ASK) == "200 with a body"
        for each in floods:
            assert ended(each.result()) == [ENHANCE_YOUR_CALM], each.result()
        assert await other.status(ASK) == "200 with a body"
    assert held_bytes(port) - before < GROWTH_BYTES
