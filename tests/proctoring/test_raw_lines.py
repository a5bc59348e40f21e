"""Requests that no client of ours would write, byte by byte: nothing of them is stored, and the next one is answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.proctoring.test_attacks import nothing_but
from tests.support.watched import now_ms, picture

if TYPE_CHECKING:
    import asyncpg

    from tests.proctoring.conftest import Begin
    from tests.support.watched import Phone

    Db = asyncpg.Connection[asyncpg.Record]

BODY = picture(1)


async def say(ingest: str, phone: Phone, heads: str, body: bytes, *, shut: bool = True) -> bytes:
    """Write it, say that there is no more, read what comes within ten seconds."""
    host, port = ingest.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    first = f"POST /v1/pictures?n=1&at={now_ms()} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {phone.token}\r\n"
    try:
        writer.write(f"{first}{heads}\r\n".encode() + body)
        await writer.drain()
        if shut:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 10)
    except (OSError, TimeoutError):
        # It has cut the line already: to a shutdown that is ENOTCONN.
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("heads", "body"),
    [
        (f"content-length: {len(BODY) + 500}\r\n", BODY),
        (f"content-length: {len(BODY)}\r\ncontent-length: 5\r\n", BODY),
        ("content-length: -5\r\n", BODY),
        (f"content-length: +{len(BODY)}\r\n", BODY),
        ("content-length: 1e3\r\n", BODY),
        (f"content-length: {2**63}\r\n", BODY),
        ("transfer-encoding: chunked\r\n", b"zz\r\n" + BODY),
        ("transfer-encoding: chunked\r\n", b"ffffffffffffffff1\r\n" + BODY),
        ("transfer-encoding: chunked\r\n", b"5\r\nRIFF\0\r\n"),
        ("transfer-encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
        ("", BODY),
        ("x: y\r\n" * 3000 + f"content-length: {len(BODY)}\r\n", BODY),
        ("x: " + "y" * 200_000 + f"\r\ncontent-length: {len(BODY)}\r\n", BODY),
    ],
)
async def test_bodies_that_lie_about_their_length_leave_nothing(
    db: Db, ingest: str, begin: Begin, heads: str, body: bytes
) -> None:
    """Longer, shorter, twice, none; and heads without end."""
    scene, phone = await begin()
    answer = await say(ingest, phone, heads, body)
    assert b" 200 " not in answer.split(b"\r\n", 1)[0]
    assert await nothing_but(db, phone, scene.sitting)


async def test_two_lengths_are_no_second_request(db: Db, ingest: str, begin: Begin) -> None:
    """What is behind a chunked body is no request of somebody else's (smuggling)."""
    scene, phone = await begin()
    inner = f"POST /v1/pictures?n=66&at={now_ms()} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {phone.token}\r\ncontent-length: {len(BODY)}\r\n\r\n"
    heads = f"content-length: {len(inner) + len(BODY) + 5}\r\ntransfer-encoding: chunked\r\n"
    await say(ingest, phone, heads, b"0\r\n\r\n" + inner.encode() + BODY)
    assert await nothing_but(db, phone, scene.sitting)


async def test_a_body_that_drips_is_let_go_of(db: Db, ingest: str, begin: Begin) -> None:
    """A hundred of them at once, and an honest phone does not feel it."""
    scene, phone = await begin()
    host, port = ingest.removeprefix("http://").split(":")
    head = f"POST /v1/watch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {phone.token}\r\ncontent-length: 900\r\n\r\n"
    lines = [await asyncio.open_connection(host, int(port)) for _ in range(40)]
    for _, writer in lines:
        writer.write(head.encode() + b"{")
    began = time.monotonic()
    assert await nothing_but(db, phone, scene.sitting)
    answers = await asyncio.gather(*(asyncio.wait_for(reader.read(400), 90) for reader, _ in lines))
    assert all(b" 408 " in answer for answer in answers)
    # The limit is 3 s here; a busy machine sweeps late, and without a limit it would be for ever.
    assert time.monotonic() - began < 90
    for _, writer in lines:
        writer.close()
