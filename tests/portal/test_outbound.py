"""Addresses that data names: what is never asked, and what an answer may not do (SAFETY P3, P4)."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from infra.parts.unused import unused_ports
from portal.core import outbound
from portal.core.outbound import OutboundFailed, OutboundRefused, ask, is_public

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.loop import Loop

OURS = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "no address",
    # Of old and of local use: no host of the internet has such a number, and what would answer is ours.
    "::127.0.0.1",
    "::a9fe:a9fe",
    "::ffff:0:7f00:1",
    "64:ff9b:1::a00:1",
    "fec0::1",
]


@pytest.mark.parametrize("address", OURS)
def test_addresses_of_our_own_network_are_not_public(address: str) -> None:
    """In each of their clothes."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4010:c0e::5e", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are(address: str) -> None:
    """Also by a gateway."""
    assert is_public(address)


REFUSED = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "//example.com/",
    "https:///x",
    "https://user:word@example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://localhost/",
    "https://example.com:99999/",
    "https://[",
    "https://[::127.0.0.1]/",
    "https://[fec0::1]/",
    "https://example.com\\@127.0.0.1/",
    # Letters that the client of HTTP writes as figures and dots only after we have looked.
    "https://127\u30020\u30020\u30021/",
    "https://\uff11\uff12\uff17\uff0e0\uff0e0\uff0e1/",
    "https://169\u3002254\u3002169\u3002254/latest/meta-data/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "https://127\u30021/",
    "https://127%2e0%2e0%2e1/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_such_an_address_is_never_asked(loop: Loop, url: str) -> None:
    """Before or after the name is resolved."""
    with pytest.raises((OutboundRefused, OutboundFailed)) as raised:
        loop.run(ask("GET", url, loopback=False))
    assert raised.type is OutboundRefused or "0x7f" in url or "%2e" in url


def test_the_socket_itself_goes_nowhere_else(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a spelling slips past the words of an address, nothing of ours is knocked at."""
    knocked: list[object] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.append(writer.get_extra_info("peername"))
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "127\u30020\u30020\u30021", "[::ffff:127.0.0.1]"):
            with pytest.raises(OutboundRefused):
                await ask("GET", f"https://{host}:{port}/", loopback=False)
        server.close()

    monkeypatch.setattr(outbound, "require_askable", lambda *_, **__: False)
    loop.run(run())
    assert knocked == []


def resolves(monkeypatch: pytest.MonkeyPatch, answers: Callable[[str], list[str]]) -> list[str]:
    """Names resolve as told; which names were asked."""
    asked: list[str] = []

    async def resolve(_self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        asked.append(host)
        return [
            {"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for one in answers(host)
        ]

    monkeypatch.setattr(outbound.ThreadedResolver, "resolve", resolve)
    return asked


@pytest.mark.parametrize("answers", [["10.0.0.7"], ["127.0.0.1"], ["8.8.8.8", "192.168.0.1"], ["169.254.169.254"]])
def test_a_public_name_of_a_private_address_is_refused(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    """One of several is enough; nothing is connected."""
    resolves(monkeypatch, lambda _: answers)
    with pytest.raises(OutboundRefused):
        loop.run(ask("GET", "https://innocent.example/", loopback=False))


def test_a_name_that_points_here_is_refused_even_to_a_demo(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo may ask this machine by its own names alone."""
    resolves(monkeypatch, lambda _: ["127.0.0.1"])
    with pytest.raises(OutboundRefused):
        loop.run(ask("GET", "https://innocent.example/", loopback=True))


def test_a_name_is_resolved_once_and_that_address_is_connected_to(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the second answer would be ours, and nobody asks for it. The connection goes where the check looked."""
    turn = iter([["8.8.8.8"], ["127.0.0.1"]])
    asked = resolves(monkeypatch, lambda _: next(turn))
    connected: list[object] = []

    async def connect(*_: object, addr_infos: list[object], **__: object) -> None:
        connected.extend(addr_infos)
        raise OSError

    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", connect)
    with pytest.raises(OutboundFailed):
        loop.run(ask("GET", "https://rebinding.example/", loopback=False))
    assert asked == ["rebinding.example"]
    assert [info[4][0] for info in connected] == ["8.8.8.8"]  # type: ignore[index]


@pytest.fixture
def server(loop: Loop) -> object:
    """One that redirects, floods, dawdles and tells what it was asked."""
    port = unused_ports(1)[0]

    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.1:{port}/seen")

    async def flood(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 65536)

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(bytes(2**27)), headers={"content-encoding": "gzip"})

    async def dawdle(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def seen(request: web.Request) -> web.Response:
        return web.json_response({"host": request.headers["host"], "form": dict(await request.post())})

    async def start() -> web.AppRunner:
        app = web.Application()
        app.add_routes(
            [
                web.get("/redirect", redirect),
                web.get("/flood", flood),
                web.get("/bomb", bomb),
                web.get("/dawdle", dawdle),
                web.post("/seen", seen),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner

    runner = loop.run(start())
    yield f"http://127.0.0.1:{port}"
    loop.run(runner.cleanup())


def test_redirects_are_not_followed(loop: Loop, server: str) -> None:
    """They are an answer like others."""
    assert loop.run(ask("GET", f"{server}/redirect", loopback=True)).status == 302


def test_an_answer_without_an_end_is_left(loop: Loop, server: str) -> None:
    """By size, and by time."""
    with pytest.raises(OutboundFailed, match="too long"):
        loop.run(ask("GET", f"{server}/flood", loopback=True))
    with pytest.raises(OutboundFailed, match="Timeout"):
        loop.run(ask("GET", f"{server}/dawdle", loopback=True, limit_s=0.3))


def test_a_packed_answer_is_not_unpacked(loop: Loop, server: str) -> None:
    """130 kB of the network are 128 MB of zeros: we asked for nothing packed, and unpack nothing."""
    answer = loop.run(ask("GET", f"{server}/bomb", loopback=True))
    assert answer.body[:2] == b"\x1f\x8b"
    assert len(answer.body) < 2**18


def test_a_form_arrives(loop: Loop, server: str) -> None:
    """And what is no JSON object is none."""
    answer = loop.run(ask("POST", f"{server}/seen", loopback=True, form={"a": "б"}))
    assert answer.json()["form"] == {"a": "б"}
    with pytest.raises(OutboundFailed):
        outbound.Answer(200, b"[1]").json()
