"""Group commit: all requests that arrive while one XADD is on its way share the next one.

There are forty a second at most, so that few requests share one too (docs/performance.md).
A stream is written over one connection to one primary and never again (rule 1): any error or time-out ends the stream,
its waiting requests get 503, and the next group opens a new stream under a number never used before, registered and
committed in Postgres first. Some numbers are registered ahead, so that a lost connection does not wait for Postgres.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from typing import TYPE_CHECKING

import msgspec
import structlog
from redis.exceptions import RedisError

from engine.problems import Problem
from engine.protocol import stream_key
from infra.valkey import primary_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis.asyncio.connection import AbstractConnection

    from engine.protocol import Record

log = structlog.get_logger()
encode = msgspec.msgpack.Encoder().encode
array_header = struct.Struct(">BI")
ARRAY_32 = 0xDD

# From one group's begin to the next one's. A request that comes alone does not wait for it.
SPACING_S = 0.025
SPARE_STREAMS = 8
SPARE_AGE_S = 3600.0
# Longer than a slow disk's fsync, shorter than a child's patience: then the stream is given up.
APPEND_LIMIT_S = 10.0


class Ack(msgspec.Struct, frozen=True, gc=False):
    """Where a group lies: the receipt of each of its requests."""

    stream: int
    id_ms: int
    id_seq: int
    # As it goes over the wire; made once a group.
    receipt: str

    @classmethod
    def of(cls, stream: int, id_ms: int, id_seq: int) -> Ack:
        """The receipt of an entry."""
        return cls(stream, id_ms, id_seq, f"{stream}-{id_ms}-{id_seq}")


class StreamLostError(Exception):
    """The connection of a stream failed; what was on the wire may or may not be written."""


class NotReachedError(StreamLostError):
    """No connection came about: nothing was sent, so the number is as unused as before."""


class StreamGoneError(Exception):
    """The stream is not there any more: closed while idle, or wiped. Nothing was written, so nothing is in doubt."""


class Stream:
    """One stream over one connection. After the first failure it is never used again."""

    def __init__(self, number: int, connection: AbstractConnection) -> None:
        self.number = number
        self._key = stream_key(number)
        self._connection = connection

    @classmethod
    async def open(cls, url: str, number: int) -> Stream:
        """Connect for stream `number`. The client's own retrying and reconnecting stay off."""
        try:
            connection = await primary_of(url, stream_key(number), APPEND_LIMIT_S)
            await connection.connect()
        except (RedisError, OSError) as error:
            raise NotReachedError(str(error) or type(error).__name__) from error
        stream = cls(number, connection)
        # The entry that opens a stream: from here on its key exists, and only this connection writes to it.
        await stream._add("XADD", stream._key, "*", "o", "1")
        return stream

    async def append(self, entry: bytes) -> Ack:
        """XADD one entry; returns when it is on disk (`appendfsync always`)."""
        # NOMKSTREAM: a stream whose data was wiped is not silently begun anew.
        answer = await self._add("XADD", self._key, "NOMKSTREAM", "*", "b", entry)
        if answer is None:
            raise StreamGoneError(self.number)
        id_ms, _, id_seq = answer.partition(b"-")
        return Ack.of(self.number, int(id_ms), int(id_seq))

    async def _add(self, *command: str | bytes) -> bytes | None:
        try:
            await self._connection.send_command(*command)
            answer = await self._connection.read_response()
        except Exception as error:
            # Whatever it was: redis-py would connect anew by itself, and this stream would have two connections.
            await self.close()
            raise StreamLostError(str(error) or type(error).__name__) from error
        return None if answer is None else bytes(answer)

    async def close(self) -> None:
        """Drop the connection."""
        with contextlib.suppress(RedisError, OSError):
            await self._connection.disconnect(nowait=True)


class _Spare(msgspec.Struct, frozen=True):
    """A registered number that was not used yet."""

    number: int
    registered: float


class _Group:
    __slots__ = ("bytes", "future", "records")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.records: list[bytes] = []
        self.bytes = 0
        self.future: asyncio.Future[Ack] = loop.create_future()
        # A group of records nobody waits for may fail quietly; those who wait see the same failure.
        self.future.add_done_callback(lambda future: future.cancelled() or future.exception())


class GroupCommit:
    """The one writer of a worker. `register` gives numbers of streams that are committed in Postgres."""

    def __init__(
        self,
        url: str,
        register: Callable[[int], Awaitable[list[int]]],
        retire: Callable[[int], Awaitable[None]],
        pending_bytes: int,
    ) -> None:
        self._url = url
        self._register = register
        self._retire = retire
        self._limit = pending_bytes
        self._loop = asyncio.get_running_loop()
        self._group = _Group(self._loop)
        self._wake = asyncio.Event()
        self._begun = 0.0
        self._spares: list[_Spare] = []
        self._stream: Stream | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._filling = False
        self.full = False
        self.groups = 0
        self.records = 0
        self.streams_opened = 0
        self.failures = 0
        self._runner = self._loop.create_task(self._run(), name="group-commit")

    @property
    def ready(self) -> bool:
        """Whether a stream is open."""
        return self._stream is not None

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the next group."""
        return self._group.bytes

    def join(self, record: Record) -> asyncio.Future[Ack]:
        """Add a record to the next group. The future's result is the group's receipt; its failure is a Problem."""
        group = self._group
        if self.full or group.bytes > self._limit:
            raise Problem("try-later", retry_after_s=retry_after_s())
        encoded = encode(record)
        group.records.append(encoded)
        group.bytes += len(encoded)
        self._wake.set()
        return group.future

    async def open(self) -> None:
        """Have a stream ready before the first request."""
        await self._fill_spares()
        self._stream = await self._open_stream()

    async def close(self) -> None:
        """Write what waits, then retire the stream."""
        with contextlib.suppress(Problem):
            if self._group.records:
                await asyncio.wait_for(asyncio.shield(self._group.future), 5)
        self._runner.cancel()
        if self._stream:
            stream, self._stream = self._stream, None
            await stream.close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._retire(stream.number), 2)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._group.records:
                await self._gather()
                group, self._group = self._group, _Group(self._loop)
                try:
                    await self._commit(group)
                except Exception:
                    # Whatever it was, those who wait must hear, and the line must go on.
                    log.exception("engine.group.failed")
                    self._fail(group)

    async def _gather(self) -> None:
        """Wait for company until a group's turn has come."""
        rest_s = self._begun + SPACING_S - self._loop.time()
        if rest_s > 0:
            await asyncio.sleep(rest_s)
        self._begun = self._loop.time()

    async def _commit(self, group: _Group) -> None:
        entry = array_header.pack(ARRAY_32, len(group.records)) + b"".join(group.records)
        try:
            ack = await self._append(entry)
        except StreamLostError as error:
            log.warning("engine.stream.lost", reason=str(error))
            self._abandon()
            self._fail(group)
            return
        self.groups += 1
        self.records += len(group.records)
        if not group.future.done():
            group.future.set_result(ack)

    async def _append(self, entry: bytes) -> Ack:
        self._stream = self._stream or await self._open_stream()
        try:
            return await self._stream.append(entry)
        except StreamGoneError:
            # Nothing was written: the same group goes to a new stream, and nobody waits for it in vain.
            self._abandon()
            self._stream = await self._open_stream()
        try:
            return await self._stream.append(entry)
        except StreamGoneError as error:
            raise StreamLostError("two streams gone in a row") from error

    def _fail(self, group: _Group) -> None:
        self.failures += len(group.records)
        if not group.future.done():
            group.future.set_exception(Problem("try-later", retry_after_s=retry_after_s()))

    def _abandon(self) -> None:
        if self._stream is None:
            return
        stream, self._stream = self._stream, None
        self._spawn(self._put_away(stream))

    async def _put_away(self, stream: Stream) -> None:
        await stream.close()
        try:
            await self._retire(stream.number)
        except Exception as error:  # noqa: BLE001 (only tidiness: the flusher closes silent streams by itself)
            log.info("engine.stream.not_retired", stream=stream.number, reason=str(error))

    async def _open_stream(self) -> Stream:
        # The flusher closes numbers that were not used for two hours: older ones are not begun any more.
        self._spares = [spare for spare in self._spares if time.monotonic() - spare.registered < SPARE_AGE_S]
        if not self._spares:
            await self._fill_spares()
        if not self._spares:
            raise StreamLostError("no stream number: Postgres is away")
        # A number is tried once: whether an opening that failed was written nobody can say.
        spare = self._spares.pop()
        if len(self._spares) < SPARE_STREAMS // 2 and not self._filling:
            self._spawn(self._fill_spares())
        try:
            stream = await Stream.open(self._url, spare.number)
        except NotReachedError:
            # It waits at the end of the row: in a cluster the next number lies elsewhere, perhaps on a living shard.
            self._spares.insert(0, spare)
            raise
        self.streams_opened += 1
        return stream

    async def _fill_spares(self) -> None:
        self._filling = True
        try:
            numbers = await self._register(SPARE_STREAMS)
            self._spares.extend(_Spare(number, time.monotonic()) for number in numbers)
        except Exception as error:  # noqa: BLE001 (Postgres away in any of its ways: the spares last meanwhile)
            log.warning("engine.streams.not_registered", reason=str(error))
        finally:
            self._filling = False

    def _spawn(self, work: Awaitable[None]) -> None:
        task = self._loop.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def retry_after_s() -> int:
    """15–60 s at random, so that those sent away do not come back together (rule 4)."""
    return 15 + time.monotonic_ns() // 1000 % 46
