"""The candidate routes by path. Each module holds one step of a pupil's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.problems import Problem
from engine.routes import bundles, health, key, player, resume, save, sign_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

    Route = Callable[[Worker, Scope, HTTPProtocol], Awaitable[None]]

# Every candidate route is public to the network and names what it asks of the caller (tests/laws reads this table).
ROUTES: dict[tuple[str, str], tuple[str, Route]] = {
    ("POST", "/v1/save"): ("token", save.save),
    ("POST", "/v1/finish"): ("token", save.finish),
    ("POST", "/v1/sign-in"): ("code", sign_in.sign_in),
    ("GET", "/v1/clock"): ("public", sign_in.clock),
    ("POST", "/v1/key"): ("token", key.release),
    ("POST", "/v1/resume"): ("token", resume.resume),
    ("POST", "/v1/have"): ("token", resume.have),
    ("GET", "/v1/openapi.json"): ("public", health.openapi),
    ("GET", "/v1/status"): ("public", health.status),
    ("GET", "/health"): ("public", health.health),
    ("GET", "/ready"): ("public", health.ready),
    ("GET", "/metrics"): ("public", health.metrics),
}
METHODS = {path: method for method, path in ROUTES}
BUNDLES = "/v1/bundles/"
# The player's files, and whatever leads nowhere.
PLAYER = "/"


async def answer(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """Answer one request; Problems are the caller's."""
    method, path = scope.method, scope.path
    found = ROUTES.get((method, path))
    if found is not None:
        await found[1](worker, scope, proto)
        worker.metrics.requests[path] += 1
    elif path.startswith(BUNDLES):
        await bundles.serve(worker, scope, proto)
        worker.metrics.requests[BUNDLES] += 1
    elif path in METHODS:
        raise Problem("method-not-allowed", allow=METHODS[path])
    else:
        await player.serve(worker, scope, proto)
        worker.metrics.requests[PLAYER] += 1


def route_of(path: str) -> str:
    """The route's name in the figures: one of a few, whatever is asked for."""
    return path if path in METHODS else BUNDLES if path.startswith(BUNDLES) else PLAYER


async def before_start(scope: Scope, proto: HTTPProtocol) -> None:
    """While the worker still reads its tables: alive, not ready, nothing else."""
    if scope.path == "/health":
        proto.response_bytes(200, health.PLAIN, b"ok")
        return
    raise Problem("try-later", retry_after_s=1)
