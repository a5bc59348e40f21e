"""The files of live bundles in a worker's memory, kept on its disk, fetched once from the object store."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

# Read at the worker's start, and not by the first bundle that it meets among its saves.
import aioboto3  # noqa: F401
import msgspec
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from engine.bundles.manifest import Manifest
from engine.rooms.blob import split_blobs
from infra.breath import breathe
from infra.objects import open_bucket

if TYPE_CHECKING:
    from pathlib import Path

    from infra.objects import Bucket
    from infra.settings import ObjectStore

log = structlog.get_logger()
PIECE = 500
# What the store did not have is asked for again after so long, each time twice as late: with each refresh of the roster
# a client of the store would be made anew, and one form that nobody packed would cost each worker a tenth of its time.
AGAIN_FIRST_S = 0.5
AGAIN_LAST_S = 10.0


class BundleStore:
    """`files`: name → (bytes, is it a manifest). Names are hashes of the bytes, so nothing here ever changes.

    `blobs`: what rooms' codes open, by name; they lie in the store as one file a form.
    """

    def __init__(self, store: ObjectStore, bucket: str, folder: Path) -> None:
        self.files: dict[str, tuple[bytes, bool]] = {}
        self.blobs: dict[str, bytes] = {}
        self.missing: set[str] = set()
        self._split: set[str] = set()
        # name → when it is asked for again (monotonic seconds), the pause before
        self._again: dict[str, tuple[float, float]] = {}
        self._store = store
        self.bucket = bucket
        self._folder = folder

    async def hold(self, manifests: set[str], room_blobs: set[str]) -> None:
        """Have all files of these bundles and blobs at hand; what can't be had now is in `missing` and tried again."""
        now = time.monotonic()
        rests = {name for name, (due, _) in self._again.items() if due > now}
        wanted = {name for name in manifests if name not in self.files or name in self.missing} - rests
        joined = room_blobs - self._split - rests
        if not wanted and not joined:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            async with open_bucket(self._store, self.bucket) as bucket:
                for name in sorted(wanted):
                    await self._hold_bundle(bucket, name)
                for name in sorted(joined):
                    await self._hold_blobs(bucket, name)
        except (BotoCoreError, ClientError, OSError) as error:
            for name in wanted | (joined - self._split):
                self._lacks(name)
            log.warning("engine.bundles.not_fetched", reason=str(error))

    async def _hold_bundle(self, bucket: Bucket, name: str) -> None:
        body = await self._fetch(bucket, name)
        if body is None:
            self._lacks(name)
            return
        self.files[name] = (body, True)
        manifest = msgspec.json.decode(body, type=Manifest)
        complete = True
        for file in manifest.files:
            if file.name not in self.files:
                content = await self._fetch(bucket, file.name)
                if content is None:
                    complete = False
                    continue
                self.files[file.name] = (content, False)
        if complete:
            self._has(name)
        else:
            self._lacks(name)

    async def _hold_blobs(self, bucket: Bucket, name: str) -> None:
        body = await self._fetch(bucket, name)
        if body is None:
            self._lacks(name)
            return
        for number, blob in enumerate(split_blobs(body)):
            self.blobs[hashlib.sha256(blob).hexdigest()] = blob
            if number % PIECE == 0:
                # A save must not wait behind the blobs of a nation.
                await breathe()
        self._split.add(name)
        self._has(name)

    def _lacks(self, name: str) -> None:
        self.missing.add(name)
        pause = min(AGAIN_LAST_S, 2 * self._again[name][1] if name in self._again else AGAIN_FIRST_S)
        self._again[name] = (time.monotonic() + pause, pause)

    def _has(self, name: str) -> None:
        self.missing.discard(name)
        self._again.pop(name, None)

    async def _fetch(self, bucket: Bucket, name: str) -> bytes | None:
        path = self._folder / name
        # The name is the hash: a file damaged on disk or in the store is never served.
        if path.exists() and _is_whole(body := path.read_bytes(), name):
            return body
        body = await bucket.get(name)
        if body is None or not _is_whole(body, name):
            log.error("engine.bundle.damaged", name=name, found=body is not None)
            return None
        # The workers of a machine share the folder: nobody may read a file that another still writes.
        waiting = path.with_suffix(f".{os.getpid()}")
        waiting.write_bytes(body)
        waiting.replace(path)
        return body


def _is_whole(body: bytes, name: str) -> bool:
    return hashlib.sha256(body).hexdigest() == name
