"""Group read: re-entries that come together read Postgres together, as saves that come together write together.

A mass re-entry is where national exams died. Five thousand pupils one by one are fifteen thousand queries over a
handful of connections; by the hundred they are a hundred and fifty.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")

GROUP = 200
# Long enough that those who come together are together, too short to be felt.
GATHER_S = 0.02


class GroupRead(Generic[K, V]):
    """Collects keys for a moment, loads them at once, at most `at_once` loads at a time.

    `load` answers for every key it is given; its failure is everybody's.
    """

    def __init__(self, load: Callable[[list[K]], Awaitable[dict[K, V]]], at_once: int) -> None:
        self._load = load
        self._free = asyncio.Semaphore(at_once)
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._runner: asyncio.Task[None] | None = None
        self._loads: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of a key, read after this call."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            # One who hung up must not make the failure of the others an unheard one.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_S)
            await self._free.acquire()
            keys = list(self._waiting)[:GROUP]
            group = {key: self._waiting.pop(key) for key in keys}
            task = asyncio.create_task(self._load_group(group))
            self._loads.add(task)
            task.add_done_callback(self._loads.discard)

    async def _load_group(self, group: dict[K, asyncio.Future[V]]) -> None:
        try:
            values = await self._load(list(group))
            for key, future in group.items():
                future.set_result(values[key])
        except BaseException as error:
            for future in group.values():
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._free.release()
