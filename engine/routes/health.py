"""GET /health, /ready, /metrics, and the OpenAPI document."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from engine.problems import Problem
from engine.routes.http import JSON, asks_for_figures, encode

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

PLAIN = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]


async def health(_worker: Worker, _scope: Scope, proto: HTTPProtocol) -> None:
    """The process lives."""
    proto.response_bytes(200, PLAIN, b"ok")


async def ready(worker: Worker, _scope: Scope, proto: HTTPProtocol) -> None:
    """Codes and a stream are there; else what is missing."""
    reasons: dict[str, str] = {}
    if not worker.commits.ready:
        reasons["stream"] = "no stream is open: is Valkey there, and was Postgres at the last start?"
    if not worker.roster.read_at and not worker.roster.sittings:
        reasons["roster"] = "no codes and sittings were read"
    warnings = dict(worker.reasons)
    if worker.bundles.missing:
        # One broken bundle must not take every sitting down with it: said, not refused.
        warnings["bundles"] = f"{len(worker.bundles.missing)} bundle(s) could not be fetched"
    body = {"ready": not reasons, "reasons": reasons, "warnings": warnings}
    proto.response_bytes(503 if reasons else 200, JSON, encode(body))


async def status(worker: Worker, _scope: Scope, proto: HTTPProtocol) -> None:
    """Which steps of a pupil's way work at this worker now. Always 200: no answer at all says the rest."""
    steps = await worker.abilities.now(worker)
    proto.response_bytes(200, JSON, encode({"now_ms": worker.real_ms(), "steps": steps}))


async def metrics(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """Prometheus text over all workers of this machine; an address that is none to who is not in `metrics_from`."""
    if not asks_for_figures(worker, scope):
        raise Problem("not-found")
    proto.response_bytes(200, PLAIN, worker.metrics.page(worker))


async def openapi(_worker: Worker, _scope: Scope, proto: HTTPProtocol) -> None:
    """The OpenAPI document of the candidate routes."""
    proto.response_bytes(200, JSON, _document())


@functools.cache
def _document() -> bytes:
    from engine.openapi import document

    return encode(document())
