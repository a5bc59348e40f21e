"""Segments into the object store and pictures out of it.

A segment goes up by a signed address, straight from the page cache: the client's own way hashes every byte once more
(SHA-256, for a store in the clear), and its pictures carry a seal of their own.
"""

from __future__ import annotations

import contextlib
import mmap
import time
from typing import TYPE_CHECKING

import aiohttp

from infra.objects import open_bucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from infra.objects import Bucket
    from infra.settings import ObjectStore

ADDRESS_S = 900
PUT_LIMIT_S = 120
PIECE_BYTES = 2**19


class StoreRefusedError(Exception):
    """The store answered, and not with yes."""


class SegmentStore:
    """The bucket of the segments."""

    def __init__(self, bucket: Bucket, session: aiohttp.ClientSession) -> None:
        self.bucket = bucket
        self._session = session
        self._ensured = False
        # Seconds that the last segment took.
        self.put_s = 0.0

    async def put(self, name: str, path: Path) -> int:
        """Store a file under a name, whole; how often it is done makes no difference. Returns its size."""
        if not self._ensured:
            await self.bucket.ensure()
            self._ensured = True
        began = time.monotonic()
        address = await self.bucket.address_to_put(name, ADDRESS_S)
        with path.open("rb") as file:
            # Closed when nobody looks at it any more: a connection that broke may still hold a piece.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = len(mapped)
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        async with self._session.put(address, data=_pieces(mapped), headers=headers) as answer:
            if answer.status != 200:
                raise StoreRefusedError(f"{answer.status}: {(await answer.text())[:300]}")
        self.put_s = time.monotonic() - began
        return size

    async def get(self, name: str, offset: int, length: int) -> bytes:
        """A part of a segment: one ranged GET."""
        return await self.bucket.get_range(name, offset, offset + length - 1)


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
