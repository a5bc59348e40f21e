"""What the doctor says of the virus scanner: «off» is no fault and is said; one that is away has its remedy."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from infra.doctor_scanner import scanner
from infra.local import environment
from infra.settings import PortalSettings, read


@pytest.fixture
def portal(stack: object) -> PortalSettings:
    return read(PortalSettings, environment(stack.home, "portal"))  # type: ignore[attr-defined]


async def test_off_is_said_and_is_no_fault(portal: PortalSettings) -> None:
    found = await scanner(portal)
    assert "not checked" in found.text
    assert found.remedy is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "unix:///nowhere/c.sock", "http://clamd"])
async def test_one_that_is_away_has_a_remedy(portal: PortalSettings, address: str) -> None:
    found = await scanner(msgspec.structs.replace(portal, clamd_address=address))
    assert found.text.startswith("clamd does not answer")
    assert "ELUMITI_CLAMD_ADDRESS" in (found.remedy or "")


async def test_one_that_answers_is_well(portal: PortalSettings) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zVERSION\0"
        writer.write(b"ClamAV 1.4.6/27000/Fri Nov 27 2026\0")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = await scanner(msgspec.structs.replace(portal, clamd_address=f"tcp://127.0.0.1:{port}"))
    assert (found.text, found.remedy) == ("ClamAV 1.4.6/27000/Fri Nov 27 2026", None)
