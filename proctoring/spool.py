"""The spool: pictures that came in while one group is written share the next one.

A group is sealed, written and on the disk (fdatasync) before any of it is acknowledged, one group at a time. A file is
closed at some 8 MB or 10 s and is then a segment, byte for byte what goes to the store. New keys are on the disk before
the pictures under them. What was not acknowledged may be lost or kept; what was acknowledged is never lost.

A process has a folder of its own, held by a lock that dies with it. Whoever starts next takes over what a dead one left.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from proctoring import segments
from proctoring.keys import LINE, lines_of, read_lines
from proctoring.problems import Problem
from proctoring.segment_file import KEYS, SEGMENT, SPARE, SegmentFile, Spares, done_with, sync_folder
from proctoring.segments import MARK_BYTES, NONCE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proctoring.keys import Key, KeyRing

log = structlog.get_logger()

# From one group to the next: nobody waits for a picture, and the disk is flushed the more seldom.
SPACING_S = 0.2
# A group ends before that when it has so much, so that a segment holds to its size at any rate.
GROUP_BYTES = 4 * 2**20
TICK_S = 0.25
PENDING_BYTES = 128 * 2**20
# A group's buffer at first; one that has grown beyond the second number is not kept.
BUFFER_BYTES, KEPT_BYTES = 2**20, 32 * 2**20
NONCES = 256
LOCK, BAD, MAKING = "lock", ".bad", ".making"
MEASURE_EVERY_S = 1.0


class _Group:
    """Entries, one after the other in one buffer: fresh memory for each picture costs more than its sealing."""

    __slots__ = ("buffer", "future", "pictures", "size")

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: bytearray) -> None:
        self.buffer = buffer
        self.size = MARK_BYTES
        self.pictures = 0
        self.future: asyncio.Future[None] = loop.create_future()
        self.future.add_done_callback(lambda future: future.cancelled() or future.exception())

    def room(self, length: int) -> memoryview:
        """Where the next entry goes; it belongs to the group when `size` is raised by it."""
        end = self.size + length
        if end > len(self.buffer):
            self.buffer.extend(bytes(max(BUFFER_BYTES, end - len(self.buffer))))
        return memoryview(self.buffer)[self.size : end]


class Spool:
    """The one writer of a process. `closed` hears of each segment that is whole."""

    def __init__(
        self,
        root: Path,
        ring: KeyRing,
        kek: bytes,
        closed: Callable[[Path], None],
        *,
        segment_bytes: int,
        segment_s: float,
        most_bytes: int,
        free_bytes: int,
    ) -> None:
        self.root = root
        self.folder, self._lock = _new_folder(root)
        # Folders of dead processes, with their locks.
        self._taken: dict[Path, int] = {}
        self._ring, self._kek, self._closed = ring, kek, closed
        self._segment_bytes, self._segment_s = segment_bytes, segment_s
        self._most_bytes, self._free_bytes = most_bytes, free_bytes
        self._loop = asyncio.get_running_loop()
        self._group = _Group(self._loop, bytearray(BUFFER_BYTES))
        # The buffer of the group that was written last: nothing is written under a new one.
        self._spare = bytearray(BUFFER_BYTES)
        self._wake, self._enough = asyncio.Event(), asyncio.Event()
        self._begun = 0.0
        self._nonces: list[bytes] = []
        self._spares = Spares()
        self._open: SegmentFile | None = None
        # A thread has the open file in its hand: whose keys are to leave it meanwhile waits until it is done.
        self._writing = False
        self._to_forget: set[int] = set()
        self._measured = 0.0
        self.waiting_bytes = 0
        self.full = ""
        self.groups = self.pictures = self.failures = self.bytes = 0
        self._measure()
        self._tasks = [self._loop.create_task(self._run(), name="spool"), self._loop.create_task(self._tick())]

    def join(
        self, kind: int, attempt: int, sitting: int, seq: int, taken_ms: int, received_ms: int, body: bytes
    ) -> asyncio.Future[None]:
        """Seal a picture into the next group. When the future is done, it is on the disk; its failure is a Problem."""
        group = self._group
        if self.full or group.size > PENDING_BYTES:
            raise Problem("try-later")
        key = self._ring.of(attempt, sitting)
        length = segments.entry_bytes(len(body))
        segments.seal_into(group.room(length), key, kind, seq, taken_ms, received_ms, body, self._nonce())
        if not group.pictures:
            self._wake.set()
        group.size += length
        group.pictures += 1
        if group.size >= GROUP_BYTES:
            self._enough.set()
        return group.future

    def _nonce(self) -> bytes:
        """96 random bits; drawn many at a time, for a call to the kernel each costs more than the sealing."""
        if not self._nonces:
            drawn = os.urandom(NONCE_BYTES * NONCES)
            self._nonces = [drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES)]
        return self._nonces.pop()

    @property
    def fill(self) -> float:
        """How much of the bound is used, from 0 to 1."""
        return min(1.0, self.waiting_bytes / self._most_bytes)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._group.pictures:
                rest_s = self._begun + SPACING_S - self._loop.time()
                if rest_s > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._enough.wait(), rest_s)
                self._begun = self._loop.time()
                group, self._group = self._group, _Group(self._loop, self._spare)
                self._enough.clear()
                written = False
                try:
                    written = await self._commit(group)
                except Exception:
                    log.exception("proctoring.spool.group_failed")
                    self._fail(group)
                self._writing = False
                self._forget_what_waited()
                # What failed may still be looked at by whoever tells the error.
                again = written and len(group.buffer) <= KEPT_BYTES
                self._spare = group.buffer if again else bytearray(BUFFER_BYTES)
            self._rotate()

    async def _commit(self, group: _Group) -> bool:
        """Whether it is on the disk; who waits for it knows then."""
        fresh, self._ring.fresh = self._ring.fresh, []
        lines = lines_of(fresh, self._kek) if fresh else []
        try:
            self._open = self._open or SegmentFile(self.folder, self._spares.take())
            self._writing = True
            await asyncio.to_thread(self._open.write, memoryview(group.buffer)[: group.size], lines)
        except OSError as error:
            log.warning("proctoring.spool.not_written", reason=str(error))
            self._ring.fresh = fresh + self._ring.fresh
            self._fail(group)
            self._abandon()
            self._measure()
            return False
        self.groups += 1
        self.pictures += group.pictures
        self.bytes += group.size
        self.waiting_bytes += group.size
        if not group.future.done():
            group.future.set_result(None)
        self._rotate()
        if time.monotonic() - self._measured > MEASURE_EVERY_S:
            self._measure()
        return True

    def _fail(self, group: _Group) -> None:
        self.failures += group.pictures
        if not group.future.done():
            group.future.set_exception(Problem("try-later"))

    def _rotate(self) -> None:
        """Close the segment whose turn it is."""
        file = self._open
        if file and (file.size >= self._segment_bytes or time.monotonic() - file.began >= self._segment_s):
            self._abandon()

    def _abandon(self) -> None:
        """Close the open segment, whole or not: what is in it and was acknowledged goes to the store."""
        file, self._open = self._open, None
        if file is None:
            return
        file.close()
        if file.size or file.keys_size:
            self._closed(file.path)
        else:
            done_with(file.path)

    async def _tick(self) -> None:
        """The clock of segments that nothing more comes to, and of the disk's room."""
        while True:
            await asyncio.sleep(TICK_S)
            if not self._group.pictures and self._open:
                self._wake.set()
            if time.monotonic() - self._measured > MEASURE_EVERY_S:
                try:
                    self._measure()
                except OSError:
                    # The clock of the open segment goes on, whatever the disk says.
                    log.exception("proctoring.spool.not_measured")

    def _measure(self) -> None:
        """How much waits in all folders of this machine, and whether there is room for more."""
        self._measured = time.monotonic()
        self.waiting_bytes = sum(_segment_bytes(folder) for folder in _folders(self.root))
        free = shutil.disk_usage(self.root).free
        if self.waiting_bytes >= self._most_bytes:
            self.full = f"{self.waiting_bytes // 2**20} MB wait for the store: the bound is reached"
        elif free < self._free_bytes:
            self.full = f"only {free // 2**20} MB of the disk are free"
        else:
            self.full = ""

    def done_with(self, path: Path, again: bool) -> None:  # noqa: FBT001 (a callback of the uploads)
        """A segment is in the store and in the index: the disk forgets it. `again`: its file may be written over."""
        if again and path.parent == self.folder:
            self._spares.keep(path)
        done_with(path)

    def adopt(self) -> list[Path]:
        """Take over what dead processes left, where it lies: whole entries only. Nothing is moved, so nothing is torn apart."""
        found: list[Path] = []
        self._leave_empty()
        for folder in _folders(self.root):
            if folder == self.folder or folder in self._taken or folder.suffix == MAKING:
                continue
            try:
                lock = _hold(folder, new=False)
            except (FileNotFoundError, BlockingIOError):
                # Gone meanwhile, or a living process has it.
                continue
            try:
                found += _whole_segments(folder)
            except OSError:
                os.close(lock)
                raise
            self._taken[folder] = lock
        return found

    def _leave_empty(self) -> None:
        """Folders of the dead whose last segment has gone; where something was set aside, a person may bring it back."""
        for folder, lock in list(self._taken.items()):
            if any(folder.glob(f"*{SEGMENT}")) or any(folder.glob(f"*{BAD}")):
                continue
            (folder / LOCK).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()
            os.close(lock)
            del self._taken[folder]

    def keys_here(self) -> list[Key]:
        """All keys that wait in this process's folders."""
        return [key for path in self._key_files() for key in read_lines(path.read_bytes(), self._kek)]

    def forget(self, attempts: set[int]) -> None:
        """Erased attempts: their wrapped keys leave this disk, and their pictures here are noise."""
        open_keys = self._open.path.with_suffix(KEYS) if self._open else None
        if self._writing:
            self._to_forget |= attempts
        for path in self._key_files():
            if self._writing and path == open_keys:
                continue
            if any(attempt in attempts for attempt in _attempts_in(path)):
                if path == open_keys:
                    # A file that is being appended to is not exchanged under the writer: it is closed first.
                    self._abandon()
                _rewrite(path, attempts)

    def _forget_what_waited(self) -> None:
        attempts, self._to_forget = self._to_forget, set()
        if attempts:
            self.forget(attempts)

    def _key_files(self) -> list[Path]:
        return [path for folder in (self.folder, *self._taken) for path in folder.glob(f"*{KEYS}")]

    async def close(self) -> None:
        """Write what waits, close the segment, leave the rest to the next process."""
        with contextlib.suppress(Problem, TimeoutError):
            if self._group.pictures:
                await asyncio.wait_for(asyncio.shield(self._group.future), 5)
        for task in self._tasks:
            task.cancel()
        self._abandon()
        for lock in (self._lock, *self._taken.values()):
            os.close(lock)


def set_aside(path: Path) -> None:
    """A segment that the index will never take stays here for a person, and out of everybody's way."""
    path.rename(path.with_suffix(BAD))


def whole(path: Path) -> int:
    """Cut off what is no whole group of this segment; the bytes that are left."""
    body = path.read_bytes()
    size = segments.whole_bytes(body, uuid.UUID(path.stem).bytes)
    if size < len(body):
        log.info("proctoring.spool.tail", segment=path.name, kept=size, dropped=len(body) - size)
        os.truncate(path, size)
    return size


def _has_no_groups(path: Path) -> bool:
    with path.open("rb") as file:
        return segments.has_no_groups(file.read(4))


def _segment_bytes(folder: Path) -> int:
    """Bytes of a folder's segments; what goes while one looks is gone."""
    size = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        for one in found:
            if one.name.endswith(SEGMENT):
                with contextlib.suppress(FileNotFoundError):
                    size += one.stat().st_size
    return size


def _attempts_in(path: Path) -> Iterable[int]:
    lines = path.read_bytes()
    return [LINE.unpack_from(lines, start)[1] for start in range(0, len(lines) - LINE.size + 1, LINE.size)]


def _rewrite(path: Path, without: set[int]) -> None:
    lines = path.read_bytes()
    parts = [lines[start : start + LINE.size] for start in range(0, len(lines) - LINE.size + 1, LINE.size)]
    kept = b"".join(part for part in parts if LINE.unpack(part)[1] not in without)
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(kept)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def _new_folder(root: Path) -> tuple[Path, int]:
    """A folder and its lock. It has its name only when it is held: who looks for dead ones sees it living or not at all."""
    name = uuid.uuid4().hex
    making = root / f"{name}{MAKING}"
    making.mkdir(parents=True, mode=0o700)
    lock = _hold(making, new=True)
    return making.rename(root / name), lock


def _hold(folder: Path, *, new: bool) -> int:
    """The lock of a folder; BlockingIOError while a living process has it, FileNotFoundError when another took it over."""
    lock = os.open(folder / LOCK, os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between the opening and the lock somebody may have been done with it.
        (folder / LOCK).stat()
    except OSError:
        os.close(lock)
        raise
    return lock


def _folders(root: Path) -> list[Path]:
    """The folders of all processes; others come and go meanwhile."""
    with os.scandir(root) as found:
        return sorted(Path(one.path) for one in found if one.is_dir())


def _whole_segments(folder: Path) -> list[Path]:
    """What a dead process left: tails cut off; empty files, and keys of what has gone already, dropped."""
    found: list[Path] = []
    for path in folder.glob(f"*{SPARE}"):
        path.unlink()
    for path in sorted(folder.glob(f"*{SEGMENT}")):
        if _has_no_groups(path):
            log.error("proctoring.spool.of_another_version", segment=path.name)
            set_aside(path)
        elif whole(path):
            found.append(path)
        else:
            done_with(path)
    for path in folder.glob(f"*{KEYS}"):
        # What was set aside is read by nobody without its keys.
        if not (path.with_suffix(SEGMENT).exists() or path.with_suffix(BAD).exists()):
            path.unlink()
    return found
