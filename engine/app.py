"""The engine: a plain RSGI application on granian, stateless but for what it knows by heart (roster, board).

Hot routes are hand-written: verify, decode, join a group, answer. No framework, no request log, no database call.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine import routes
from engine.limits import BeyondBoundsError
from engine.problems import Problem
from engine.reads import HungUp
from engine.worker import Worker
from infra import log as logs
from infra.parts.process import begin_anew, die_with_parent
from infra.settings import EngineSettings, read

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

log = structlog.get_logger()
START_LIMIT_S = 10.0
PROBES = frozenset({"/health", "/ready"})


class Engine:
    """What granian calls in each worker."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self._starting: asyncio.Task[None] | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        logs.configure()
        die_with_parent()
        self._starting = loop.create_task(self._start(), name="engine-start")

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.worker is not None:
            loop.run_until_complete(self.worker.close())

    async def _start(self) -> None:
        try:
            settings = read(EngineSettings)
            worker = Worker(settings, Path(settings.snapshot_dir))
            await worker.start()
        except Exception:
            log.exception("engine.worker.start_failed", pid=os.getpid())
            await begin_anew()
        else:
            self.worker = worker

    async def _wait_for_start(self) -> Worker | None:
        """A worker that replaces a dead one gets its first requests before it has read its tables: they wait.

        Refused at once they would all come back to it: nobody answers as fast as one who refuses.
        """
        if self._starting is not None and not self._starting.done():
            await asyncio.wait({self._starting}, timeout=START_LIMIT_S)
        return self.worker

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request."""
        worker = self.worker
        try:
            if worker is None and scope.path not in PROBES:
                worker = await self._wait_for_start()
            if worker is None:
                await routes.before_start(scope, proto)
            else:
                await routes.answer(worker, scope, proto)
        except HungUp:
            # A phone that lost its line: counted, and nobody is there to be answered.
            if worker is not None:
                worker.metrics.hung_up += 1
        except Problem as problem:
            if worker is not None and isinstance(problem, BeyondBoundsError):
                await worker.limits.rest()
            self._refuse(scope, proto, problem)
        except Exception:
            # A bug is loud in the log, and an ordinary «send it again» for the child.
            log.exception("engine.request.failed", method=scope.method, path=scope.path)
            self._refuse(scope, proto, Problem("internal"))

    def _refuse(self, scope: Scope, proto: HTTPProtocol, problem: Problem) -> None:
        """Answer no, and count it where there is a worker to count."""
        worker = self.worker
        if worker is not None:
            worker.metrics.refused(routes.route_of(scope.path), problem.code)
            worker.abilities.refused(scope.path, problem.code)
        proto.response_bytes(problem.status, problem.headers, problem.body)


engine = Engine()
