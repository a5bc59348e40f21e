"""Segments into the object store and pictures out of it.

A segment goes up by a signed address, straight from the page cache: the client's own way hashes every byte once more
(SHA-256, for a store in the clear), and its pictures carry a seal of their own.
"""

from __future__ import annotations

import contextlib
import mmap
import re
import time
from typing import TYPE_CHECKING

import aiohttp

from infra.objects import open_bucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.objects import Bucket
    from infra.settings import ObjectStore

ADDRESS_S = 900
PUT_LIMIT_S = 120
PIECE_BYTES = 2**19
MOST_ADDRESSES = 5000
CODE = re.compile(r"<Code>(\w{1,60})</Code>")


class StoreRefusedError(Exception):
    """The store answered, and not with yes."""


class SegmentStore:
    """The bucket of the segments."""

    def __init__(self, bucket: Bucket, session: aiohttp.ClientSession) -> None:
        self.bucket = bucket
        self._session = session
        self._ensured = False
        self._addresses: dict[str, tuple[str, float]] = {}
        # Seconds that the last segment took.
        self.put_s = 0.0

    async def put(self, name: str, body: mmap.mmap) -> None:
        """Store a file under a name, whole; how often it is done makes no difference."""
        if not self._ensured:
            await self.bucket.ensure()
            self._ensured = True
        began = time.monotonic()
        address = await self.bucket.address_to_put(name, ADDRESS_S)
        headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
        async with self._session.put(address, data=_pieces(body), headers=headers) as answer:
            if answer.status != 200:
                # Of what it says the code alone: the rest names our account there, and this is told to who asks `/ready`.
                code = CODE.search((await answer.text())[:2000])
                raise StoreRefusedError(f"{answer.status} {code[1] if code else ''}".strip())
        self.put_s = time.monotonic() - began

    async def get(self, name: str, offset: int, length: int) -> bytes:
        """A part of a segment: one ranged GET. Its address is signed once for many pictures beside each other."""
        address, until = self._addresses.get(name, ("", 0.0))
        if until < time.monotonic():
            if len(self._addresses) >= MOST_ADDRESSES:
                self._addresses.clear()
            address = await self.bucket.address_to_get(name, ADDRESS_S)
            self._addresses[name] = (address, time.monotonic() + ADDRESS_S / 2)
        async with self._session.get(address, headers={"range": f"bytes={offset}-{offset + length - 1}"}) as answer:
            body = await answer.read()
            if answer.status not in {200, 206} or len(body) != length:
                raise StoreRefusedError(f"{answer.status} and {len(body)} bytes of {length} for {name}")
            return body


async def _pieces(mapped: mmap.mmap) -> AsyncIterator[memoryview]:
    view = memoryview(mapped)
    for start in range(0, len(view), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]


@contextlib.asynccontextmanager
async def open_store(store: ObjectStore, name: str) -> AsyncIterator[SegmentStore]:
    """The bucket for the time of a block."""
    limit = aiohttp.ClientTimeout(total=PUT_LIMIT_S, sock_connect=5)
    async with open_bucket(store, name) as bucket, aiohttp.ClientSession(timeout=limit) as session:
        yield SegmentStore(bucket, session)


def object_name(segment: str) -> str:
    """Where a segment lies: its id alone decides."""
    return f"{segment[:2]}/{segment}"
