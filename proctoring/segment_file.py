"""The file of a segment on this machine's disk: written group by group, and used again when the store has it.

A file that is written over costs a third of a new one: no memory and no blocks to be found for it, no size to be put down
with each flush, nothing to be given back. What it held before is told by the marks of its groups, which name the segment.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from typing import TYPE_CHECKING

from proctoring import segments

if TYPE_CHECKING:
    from pathlib import Path

SEGMENT, KEYS, SPARE = ".seg", ".keys", ".spare"
MOST_SPARES = 16


class Spares:
    """Files of this process that the store has: the next segments are written over them."""

    def __init__(self) -> None:
        self._files: list[Path] = []

    def keep(self, path: Path) -> None:
        """A segment's file, under no segment's name."""
        if len(self._files) < MOST_SPARES:
            with contextlib.suppress(FileNotFoundError):
                self._files.append(path.rename(path.with_suffix(SPARE)))

    def take(self) -> Path | None:
        """One that may be written over."""
        return self._files.pop() if self._files else None


class SegmentFile:
    """The segment that is being written."""

    def __init__(self, folder: Path, spare: Path | None = None) -> None:
        self.id = uuid.uuid4()
        self.path = folder / f"{self.id}{SEGMENT}"
        self._over = spare is not None
        if spare is None:
            self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        else:
            self.file = os.open(spare.rename(self.path), os.O_WRONLY)
        self.keys: int | None = None
        self.size = 0
        self.keys_size = 0
        self.began = time.monotonic()

    def write(self, group: memoryview, lines: list[bytes]) -> None:
        """All of it on the disk; after an error, as it was before. Runs in a thread.

        `group` has room for its mark at the beginning.
        """
        size, keys_size = self.size, self.keys_size
        segments.mark(group, self.id.bytes)
        try:
            if lines:
                keys_size = self._write_keys(b"".join(lines))
            _write_all(self.file, group)
            size += len(group)
            os.fdatasync(self.file)
            if self.size == 0:
                # The file's name too, also where it had another before.
                sync_folder(self.path.parent)
        except BaseException:
            self._cut(self.size)
            raise
        self.size, self.keys_size = size, keys_size

    def _cut(self, size: int) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self.file, size)
            os.lseek(self.file, size, os.SEEK_SET)

    def _write_keys(self, lines: bytes) -> int:
        if self.keys is None:
            path = self.path.with_suffix(KEYS)
            self.keys = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_all(self.keys, memoryview(lines))
            os.fdatasync(self.keys)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(self.keys, self.keys_size)
            raise
        return self.keys_size + len(lines)

    def close(self) -> None:
        """The segment is what was written: of an older one nothing is left behind it."""
        if self._over:
            self._cut(self.size)
        os.close(self.file)
        if self.keys is not None:
            os.close(self.keys)


def done_with(path: Path) -> None:
    """The disk forgets a segment, its keys last."""
    path.unlink(missing_ok=True)
    path.with_suffix(KEYS).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Names in a folder are on the disk."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _write_all(file: int, rest: memoryview) -> None:
    while rest:
        # A short write means a disk that fills up: the next one tells the error.
        rest = rest[os.write(file, rest) :]
