"""The one process that decodes for the checks. It may die or hang of what a phone sent; the next picture has a new one."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import structlog

from proctoring.checks.numbers import begin, look

if TYPE_CHECKING:
    from proctoring.checks.numbers import Numbers

log = structlog.get_logger()
LOOK_LIMIT_S = 20.0


class Aside:
    """Looks at one picture at a time, away from our own memory."""

    def __init__(self) -> None:
        self._executor = _made()

    async def look(self, body: bytes) -> Numbers | None:
        """The numbers of a picture; None when it cannot be decoded, or its decoding cost the process its life."""
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._executor, look, body)
        except BrokenProcessPool:
            # It died while nobody asked: not of this picture.
            self._anew("idle")
            running = loop.run_in_executor(self._executor, look, body)
        try:
            return await asyncio.wait_for(running, LOOK_LIMIT_S)
        except (BrokenProcessPool, TimeoutError) as error:
            self._anew(type(error).__name__)
            return None

    def _anew(self, reason: str) -> None:
        log.warning("proctoring.checks.process_lost", reason=reason)
        self.close()
        self._executor = _made()

    def close(self) -> None:
        """Whatever it is doing."""
        # Python 3.14 has a public way to this.
        processes = self._executor._processes or {}  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for process in list(processes.values()):
            process.kill()
        self._executor.shutdown(cancel_futures=True)


def _made() -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=spawn, initializer=begin, max_tasks_per_child=2000)
