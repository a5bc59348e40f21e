"""The ingest: a plain RSGI application on granian, stateless but for its spool."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import structlog

from engine.reads import HungUp
from infra import log as logs
from infra.parts.process import begin_anew, die_with_parent
from infra.settings import ProctoringSettings, read
from proctoring import routes
from proctoring.problems import Problem
from proctoring.worker import Worker

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

log = structlog.get_logger()
START_LIMIT_S = 10.0


class Ingest:
    """What granian calls in each worker."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self._starting: asyncio.Task[None] | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        logs.configure()
        die_with_parent()
        self._starting = loop.create_task(self._start(), name="ingest-start")

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.worker is not None:
            loop.run_until_complete(self.worker.close())

    async def _start(self) -> None:
        try:
            worker = Worker(read(ProctoringSettings))
            await worker.start()
        except Exception:
            log.exception("proctoring.worker.start_failed", pid=os.getpid())
            await begin_anew()
        else:
            self.worker = worker

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        """Answer one request."""
        worker = self.worker
        allowed: list[tuple[str, str]] = []
        try:
            if worker is None:
                if scope.path == "/health":
                    proto.response_bytes(200, routes.PLAIN, b"ok")
                    return
                worker = await self._wait_for_start(scope)
            allowed = routes.allowed_for(worker, scope)
            await routes.answer(worker, scope, proto, allowed)
        except HungUp:
            # A phone that lost its line: nobody is there to be answered.
            return
        except Problem as problem:
            self._refuse(scope, proto, problem, allowed)
        except Exception:
            log.exception("proctoring.request.failed", method=scope.method, path=scope.path)
            self._refuse(scope, proto, Problem("internal"), allowed)

    async def _wait_for_start(self, scope: Scope) -> Worker:
        """The first requests of a new worker wait until it has taken over what was left."""
        if self._starting is not None and not self._starting.done() and scope.path != "/ready":
            await asyncio.wait({self._starting}, timeout=START_LIMIT_S)
        if self.worker is None:
            raise Problem("try-later", retry_after_s=1)
        return self.worker

    def _refuse(self, scope: Scope, proto: HTTPProtocol, problem: Problem, allowed: list[tuple[str, str]]) -> None:
        if self.worker is not None:
            self.worker.metrics.refused(scope.path if scope.path in routes.PATHS else "/", problem.code)
        proto.response_bytes(problem.status, problem.headers + allowed, problem.body)


ingest = Ingest()
