"""Callers at the other end of a bad line, or with bad intentions: they keep no place, and the log stays quiet."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin
    from tests.support.pupil import Pupil

# What tests/conftest.py sets; the sweep comes every tenth of it.
LIMIT_S = 3


def begun(header: str) -> bytes:
    """The first byte of a body, as its header tells it."""
    return b"1\r\n{\r\n" if "chunked" in header else b"{"


async def beginning(pupil: Pupil, *more: str, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A save with a good token of which only this much is sent."""
    address = urlsplit(pupil.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = ["POST /v1/save HTTP/1.1", "Host: engine", f"Authorization: Bearer {pupil.token}", *more]
    writer.write("\r\n".join([*head, "", ""]).encode() + sent)
    await writer.drain()
    return reader, writer


async def figure(pupil: Pupil, name: str) -> int:
    """One figure of the engine, summed over its workers."""
    async with httpx.AsyncClient(verify=False) as client:
        text = (await client.get(f"{pupil.base_url}/metrics")).text
    found = re.search(rf"^elumiti_engine_{name} (\S+)$", text, re.MULTILINE)
    assert found, text
    return int(float(found[1]))


async def test_a_body_that_does_not_come_is_let_go(begin: Begin) -> None:
    """Of told length, in pieces, or too long: 408 or the refusal, and the connection is closed, soon after the limit."""
    _, pupil = await begin()
    cases = {
        "Content-Length: 5000": b" 408 ",
        "Transfer-Encoding: chunked": b" 408 ",
        "Content-Length: 900000": b" 408 ",
    }
    opened = [(await beginning(pupil, header, sent=begun(header)), said) for header, said in cases.items()]
    began = time.monotonic()
    for (reader, writer), said in opened:
        answer = await asyncio.wait_for(reader.read(), LIMIT_S + 15)
        assert said in answer.split(b"\r\n", 1)[0]
        assert b"body-slow" in answer
        writer.close()
    assert time.monotonic() - began > LIMIT_S / 2
    pupil.note("blur")
    await pupil.save_until_durable()


async def test_a_hang_up_in_the_middle_is_counted_and_nothing_else(begin: Begin, stack: Stack) -> None:
    """No traceback in the log: a phone that loses its line is no fault of the engine."""
    _, pupil = await begin()
    log = stack.home.log("engine")
    size, before = log.stat().st_size, await figure(pupil, "hung_up_total")
    for header in ("Content-Length: 5000", "Transfer-Encoding: chunked", "Content-Length: 4000"):
        _, writer = await beginning(pupil, header, sent=begun(header))
        await asyncio.sleep(0.1)
        writer.close()

    async def counted() -> None:
        # Of a body in pieces the server hears the end only, not that it came too early: what is there is no JSON.
        assert await figure(pupil, "hung_up_total") >= before + 2

    await eventually(counted)
    assert "request.failed" not in log.read_text()[size:]
    assert "Traceback" not in log.read_text()[size:]


async def test_the_figures_are_not_for_everybody(begin: Begin) -> None:
    """Who comes through a proxy that nobody named gets what an unknown path gets."""
    _, pupil = await begin(key=False)
    async with httpx.AsyncClient(
        verify=False, base_url=pupil.base_url, headers={"x-forwarded-for": "203.0.113.7"}
    ) as client:
        refused, unknown = await client.get("/metrics"), await client.get("/nothing-here")
        near = await client.get("/metrics", headers={"x-forwarded-for": ""})
    assert (refused.status_code, refused.content) == (404, unknown.content)
    assert near.status_code == 200
