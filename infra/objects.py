"""The object store behind a few plain verbs. Only put, get (with range), list, delete are used (see ANSWERS: nanio)."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from infra.settings import ObjectStore

PIECE_BYTES = 2**18
MISSING = {"NoSuchKey", "404", "NoSuchBucket"}


class Chunks(msgspec.Struct, frozen=True):
    """An object on its way: how long it is, and its pieces while the bucket is open."""

    size_bytes: int
    pieces: AsyncIterator[bytes]


class Bucket:
    """One bucket. aiobotocore's client is untyped, hence the one `Any` of this module."""

    def __init__(self, client: Any, name: str) -> None:  # noqa: ANN401
        self._client = client
        self.name = name

    async def ensure(self) -> None:
        """Make the bucket if it is not there."""
        try:
            await self._client.head_bucket(Bucket=self.name)
        except ClientError:
            await self._client.create_bucket(Bucket=self.name)

    async def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store an object whole."""
        await self._client.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    async def address_to_put(self, key: str, seconds: int) -> str:
        """A signed address that takes this object until then: for what goes up by another way than `put`."""
        wanted = {"Bucket": self.name, "Key": key, "ContentType": "application/octet-stream"}
        return await self._client.generate_presigned_url("put_object", Params=wanted, ExpiresIn=seconds)

    async def address_to_get(self, key: str, seconds: int) -> str:
        """The same for reading, whole or in parts."""
        wanted = {"Bucket": self.name, "Key": key}
        return await self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)

    async def get(self, key: str) -> bytes | None:
        """An object's bytes; None when there is none."""
        try:
            answer = await self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise
        async with answer["Body"] as stream:
            return await stream.read()

    async def stream(self, key: str) -> Chunks | None:
        """An object piece by piece, for those that are too large to hold; None when there is none."""
        try:
            answer = await self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise

        async def pieces() -> AsyncIterator[bytes]:
            body = answer["Body"]
            # The wrapper's own read: it says so when less came than was promised. What it enters is not the wrapper.
            async with body:
                while piece := await body.read(PIECE_BYTES):
                    yield piece

        return Chunks(answer["ContentLength"], pieces())

    async def get_range(self, key: str, first: int, last: int) -> bytes:
        """Bytes `first` to `last`, both included."""
        answer = await self._client.get_object(Bucket=self.name, Key=key, Range=f"bytes={first}-{last}")
        async with answer["Body"] as stream:
            return await stream.read()

    async def keys(self, prefix: str = "") -> list[str]:
        """Names of all objects below a prefix, ascending."""
        found: list[str] = []
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        async for page in pages:
            found.extend(item["Key"] for item in page.get("Contents", []))
        return sorted(found)

    async def delete(self, key: str) -> None:
        """Remove an object; absent is fine."""
        await self._client.delete_object(Bucket=self.name, Key=key)


@contextlib.asynccontextmanager
async def open_bucket(store: ObjectStore, name: str) -> AsyncIterator[Bucket]:
    """A bucket for the time of a block."""
    client: Any = await asyncio.to_thread(_s3)
    async with client(
        endpoint_url=store.url,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=store.region,
        # Certificates of the whole world are read for each client, else: 20 ms, for a store that is asked in the clear.
        verify=store.url.startswith("https"),
    ) as client:
        yield Bucket(client, name)


# Once: what describes the service is 60 ms of JSON for each session, and a session keeps it.
@functools.lru_cache(maxsize=1)
def _s3() -> Any:  # noqa: ANN401 (aiobotocore is untyped)
    """What makes a client. The library is read on first use: 0.7 s of CPU in every process at a start, else."""
    import aioboto3
    from botocore.config import Config

    config = Config(signature_version="s3v4", connect_timeout=5, read_timeout=30, retries={"max_attempts": 3})
    return functools.partial(aioboto3.Session().client, "s3", config=config)
