"""The one process that decodes for the checks. It may die or hang of what a phone sent; the next picture has a new one."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

import structlog

from proctoring.checks.numbers import begin, look

if TYPE_CHECKING:
    from collections.abc import Callable

    from proctoring.checks.numbers import Numbers

    T = TypeVar("T")

log = structlog.get_logger()
# It stands behind everything else (`numbers.NICE`): on a full machine its imports alone may take half a minute.
BEGIN_LIMIT_S = 90.0
LOOK_LIMIT_S = 20.0
# Whatever a decoder leaks ends with its process. Not by `max_tasks_per_child`, at whose end a pool may wait for ever
# (CPython 3.11, gh-115634).
MOST_LOOKS = 2000


class Aside:
    """Looks at one picture at a time, away from our own memory."""

    def __init__(self) -> None:
        self._executor = _made()
        self._looks = 0

    async def look(self, body: bytes) -> Numbers | None:
        """The numbers of a picture; None when it cannot be decoded, or its decoding cost the process its life."""
        await self._wait_for_process()
        self._looks += 1
        try:
            return await self._run(LOOK_LIMIT_S, look, body)
        except (BrokenProcessPool, TimeoutError) as error:
            log.warning("proctoring.checks.process_lost", reason=type(error).__name__)
            self._renew()
            return None

    async def _wait_for_process(self) -> None:
        """How long it takes to begin is no picture's fault, nor that it died while nobody asked."""
        if self._looks >= MOST_LOOKS:
            self._renew()
        try:
            await self._run(BEGIN_LIMIT_S, os.getpid)
        except (BrokenProcessPool, TimeoutError) as error:
            log.warning("proctoring.checks.process_lost", reason=f"{type(error).__name__} at its beginning")
            self._renew()
            await self._run(BEGIN_LIMIT_S, os.getpid)

    async def _run(self, limit_s: float, work: Callable[..., T], *arguments: object) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)
        return await asyncio.wait_for(running, limit_s)

    def _renew(self) -> None:
        self.close()
        self._executor, self._looks = _made(), 0

    def close(self) -> None:
        """Whatever it is doing."""
        # Python 3.14 has a public way to this.
        processes = self._executor._processes or {}  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for process in list(processes.values()):
            process.kill()
        self._executor.shutdown(cancel_futures=True)


def _made() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=begin)
