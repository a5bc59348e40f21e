"""A scanner that speaks clamd's protocol, and a worker turned by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from portal.features.portfolio.checking import check_due
from tests.portal.persons.conftest import add  # noqa: F401 (a fixture)
from tests.support.pictures import pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Visitor

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
FORM = {
    "kind": "diploma",
    "language": "kk",
    "title": "Бакалавр дипломы",
    "issuer": "Абай атындағы ҚазҰПУ",
    "issued_on": "25.06.2019",
}


class Scanner:
    """clamd, as far as we use it; `said` overrides its verdict."""

    def __init__(self) -> None:
        self.said = ""
        self.url = ""
        self.bytes_seen = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = await reader.readuntil(b"\0")
        if command == b"zVERSION\0":
            writer.write(b"ClamAV 1.4.6/27000/Fri Nov 27 2026\0")
        else:
            assert command == b"zINSTREAM\0"
            body = b""
            while size := int.from_bytes(await reader.readexactly(4), "big"):
                body += await reader.readexactly(size)
            self.bytes_seen = len(body)
            found = "stream: Win.Test.EICAR_HDB-1 FOUND" if EICAR in body else "stream: OK"
            writer.write((self.said or found).encode() + b"\0")
        await writer.drain()
        writer.close()


@pytest.fixture
def scanner(house: House) -> Iterator[Scanner]:
    """A real server on a port of its own."""
    made = Scanner()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(made.serve, "127.0.0.1", 0)

    server = house.loop.run(start())
    made.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    house.loop.loop.call_soon_threadsafe(server.close)


@pytest.fixture
def check(house: House) -> Callable[..., None]:
    """Let the worker look at all that waits."""

    def run(url: str = "") -> None:
        settings = msgspec.structs.replace(house.settings, clamd_address=url)
        while house.loop.run(check_due(house.front.inner.state.pool, settings), 60):
            pass

    return run


def send(visitor: Visitor, person: int | None, body: bytes | None = None, **values: object) -> int:
    """Send the form of a document; the answer's status."""
    base = "/me" if person is None else f"/persons/{person}"
    answer = visitor.post(
        f"{base}/portfolio", {**FORM, **values}, files={"file": ("a.exe", body or pdf(), "application/x-msdownload")}
    )
    return answer.status_code


def newest(house: House, person: int) -> int:
    """The newest document of a person."""
    return house.sql("select max(id) as id from person_document where person_id = $1", person)[0]["id"]
