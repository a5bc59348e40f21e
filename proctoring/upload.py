"""Closed segments go to the store, then into the index, then from this disk: in that order, and again until it is done."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import mmap
import time
from typing import TYPE_CHECKING

import asyncpg
import structlog

from proctoring import index
from proctoring.keys import read_lines
from proctoring.segment_file import KEYS
from proctoring.segments import EVENTS, Entry, entries
from proctoring.spool import set_aside
from proctoring.store import object_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proctoring.keys import Key, KeyRing
    from proctoring.segments import Buffer
    from proctoring.store import SegmentStore

log = structlog.get_logger()

PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
# What Postgres will refuse however often it is tried; everything else may be a matter of time.
NEVER = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


class Uploads:
    """The segments that wait, and the few that are on their way."""

    def __init__(
        self,
        store: SegmentStore,
        pool: asyncpg.Pool[asyncpg.Record],
        ring: KeyRing,
        kek: bytes,
        *,
        at_once: int,
        check_one_of: int,
        stored: Callable[[list[Entry]], None],
        done: Callable[[Path, bool], None],
    ) -> None:
        self._store, self._pool, self._ring, self._kek = store, pool, ring, kek
        self._check_one_of = check_one_of
        self._stored, self._done = stored, done
        self._waiting: collections.deque[Path] = collections.deque()
        self._wake = asyncio.Semaphore(0)
        self._partitions: set[int] = set()
        # Those whose sending failed once: a connection that broke may still hold a piece of the file.
        self._tried: set[Path] = set()
        self._pause_s = PAUSE_S
        self.trouble = ""
        self.segments = self.pictures = self.bytes = self.failures = self.set_aside = 0
        self._sending = 0
        self._tasks = [asyncio.create_task(self._run(), name=f"upload-{number}") for number in range(at_once)]

    @property
    def waiting(self) -> int:
        """Segments that no one works on yet."""
        return len(self._waiting)

    def add(self, path: Path) -> None:
        """A segment is closed."""
        self._waiting.append(path)
        self._wake.release()

    async def _run(self) -> None:
        while True:
            await self._wake.acquire()
            path = self._waiting.popleft()
            self._sending += 1
            try:
                await self._send(path)
            except NEVER as error:
                log.exception("proctoring.segment.set_aside", segment=path.name)
                self.set_aside += 1
                self.trouble = str(error)
                set_aside(path)
            except Exception as error:  # noqa: BLE001 (store or Postgres away in any of their ways: again, later)
                self.failures += 1
                self.trouble = f"{type(error).__name__}: {error}"[:300]
                log.warning("proctoring.segment.again", segment=path.name, reason=self.trouble)
                self._tried.add(path)
                self._waiting.append(path)
                await asyncio.sleep(self._pause_s)
                self._wake.release()
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            else:
                self.trouble, self._pause_s = "", PAUSE_S
            finally:
                self._sending -= 1

    async def _send(self, path: Path) -> None:
        name = path.stem
        lines = path.with_suffix(KEYS)
        keys: list[Key] = read_lines(lines.read_bytes(), self._kek, self._ring) if lines.exists() else []
        size = path.stat().st_size
        body: Buffer = b""
        async with self._pool.acquire() as db:
            known = await index.knows(db, name)
        if known:
            # A process died between the index and its disk. Sent again, it would bring back what was erased since.
            self._forget(path, again=False)
            return
        mapped = None
        if size:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            await self._store.put(object_name(name), mapped)
            body = memoryview(mapped)
        found = list(entries(body))
        async with self._pool.acquire() as db:
            await index.watch_partitions(db, {entry.sitting for entry in found}, self._partitions)
            has_events = any(entry.kind == EVENTS for entry in found)
            events = await index.events_of(db, body, found, self._ring, keys, self._kek) if has_events else []
            segment = index.Segment(name, object_name(name), size, found, keys, events)
            await index.put_down(db, segment, self._kek, self._wants_check)
        self._forget(path, again=_closed(mapped, body))
        self.segments += 1
        self.pictures += len(found)
        self.bytes += size
        self._stored(found)

    def _forget(self, path: Path, *, again: bool) -> None:
        """The disk needs it no more; its file is written over when surely nobody looks at it."""
        self._done(path, again and path not in self._tried)
        self._tried.discard(path)

    def _wants_check(self, entry: Entry) -> bool:
        """One of so many, spread over attempts and times; identity photos all."""
        if entry.kind != 1:
            return entry.kind == 2
        return (entry.attempt * 7919 + entry.seq) % self._check_one_of == 0

    async def close(self, limit_s: float) -> None:
        """Send what can be sent in this time; the rest is the next process's."""
        until = time.monotonic() + limit_s
        while (self._waiting or self._sending) and not self.trouble and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _closed(mapped: mmap.mmap | None, view: Buffer) -> bool:
    """Whether nobody holds a piece of the mapping any more."""
    if mapped is None or not isinstance(view, memoryview):
        return True
    view.release()
    try:
        mapped.close()
    except BufferError:
        return False
    return True
