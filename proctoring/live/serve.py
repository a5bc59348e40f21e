"""Signalling of the forwarder: a ticket and an offer come, an answer goes back; the packets themselves go by UDP."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from infra.callers import may_measure
from infra.database import BY_KEY
from infra.migrate import require_current
from proctoring.live.offers import MOST_BYTES, ice_servers
from proctoring.live.problems import Problem
from proctoring.live.views import Views

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.live_tickets import LiveClaims
    from infra.settings import LiveSettings

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()
NO_STORE: Final = {"cache-control": "no-store"}
# What a phone may say of its own end; a viewer's end is the proctor's.
PHONES_WORDS: Final = frozenset({"phone", "thin-line"})
PREFLIGHT: Final = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "7200",
}


class Offer(msgspec.Struct, frozen=True):
    """POST /v1/live/offer."""

    sdp: str


class End(msgspec.Struct, frozen=True):
    """POST /v1/live/end."""

    why: str = "phone"


decode_offer = msgspec.json.Decoder(Offer).decode
decode_end = msgspec.json.Decoder(End).decode


class Signalling:
    """The routes. Each but the small ones asks for a ticket."""

    def __init__(self, settings: LiveSettings, views: Views) -> None:
        self._settings, self._views = settings, views
        self._origins = frozenset(origin.rstrip("/") for origin in settings.live_origins)

    def app(self) -> web.Application:
        """As aiohttp serves it."""
        app = web.Application(client_max_size=MOST_BYTES * 2, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/v1/live/ice", self.ice),
                web.post("/v1/live/offer", self.offer),
                web.post("/v1/live/state", self.state),
                web.post("/v1/live/end", self.end),
                web.options("/v1/live/{word}", self.preflight),
                web.get("/health", self.health),
                web.get("/ready", self.ready),
                web.get("/metrics", self.metrics),
            ]
        )
        return app

    async def ice(self, request: web.Request) -> web.Response:
        """How to reach us, and the measure of a view."""
        claims = self._claims(request)
        if time.time() > claims.expires_s:
            # With an old ticket anybody could have passwords of the TURN server for ever.
            raise Problem("ticket-expired")
        settings = self._settings
        servers = ice_servers(settings, claims.view, int(time.time()))
        return web.json_response({"ice_servers": servers, "most_s": settings.live_most_s, "kbit": settings.live_kbit})

    async def offer(self, request: web.Request) -> web.Response:
        """Begin as the ticket's role."""
        claims = self._claims(request)
        try:
            offer = decode_offer(await request.read())
        except msgspec.DecodeError as error:
            raise Problem("body-invalid") from error
        return web.json_response({"sdp": await self._views.begin(claims, offer.sdp)})

    async def state(self, request: web.Request) -> web.Response:
        """Whether it goes on, and for how long."""
        view = self._views.views.get(self._claims(request).view)
        if view is None:
            return web.json_response({"state": "unknown", "left_s": None, "why": None})
        left = None if view.began is None else max(0.0, self._settings.live_most_s - (time.monotonic() - view.began))
        state = "ended" if view.why else "waiting" if view.began is None else "live"
        return web.json_response({"state": state, "left_s": left, "why": view.why})

    async def end(self, request: web.Request) -> web.Response:
        """Either side ends it, at any time."""
        claims = self._claims(request)
        try:
            said = decode_end(await request.read() or b"{}")
        except msgspec.DecodeError as error:
            raise Problem("body-invalid") from error
        view = self._views.views.get(claims.view)
        if view is not None:
            phone = said.why if said.why in PHONES_WORDS else "phone"
            self._views.end(view, phone if claims.role == "publish" else "proctor")
        return web.json_response({})

    async def preflight(self, _request: web.Request) -> web.Response:
        """The players' and the portal's pages may ask; nobody else's (the guard adds the origin)."""
        return web.Response(status=204, headers=PREFLIGHT)

    async def health(self, _request: web.Request) -> web.Response:
        """The process lives."""
        return web.Response(text="ok")

    async def ready(self, _request: web.Request) -> web.Response:
        """It takes views, or says how many there are too many."""
        full = len(self._views.open) >= self._settings.live_most_views
        warnings = {"postgres": self._views.trouble} if self._views.trouble else {}
        warnings |= {"views": "as many as it may"} if full else {}
        return web.json_response({"ready": True, "reasons": {}, "warnings": warnings})

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text."""
        forwarded, ours, views = request.headers.get("x-forwarded-for"), self._settings, self._views
        if not may_measure(request.remote or "", forwarded, ours.trusted_proxies, ours.metrics_from):
            raise web.HTTPNotFound
        registry = CollectorRegistry()
        now = views.open
        for name, text, value in (
            ("live_packets", "Packets passed on.", views.packets + sum(one.path.packets for one in now)),
            (
                "live_dropped",
                "Packets of a phone that were not passed on.",
                views.dropped + sum(one.path.dropped for one in now),
            ),
            (
                "live_repeated",
                "Packets sent to a viewer once more.",
                views.repeated + sum(one.path.repeated for one in now),
            ),
        ):
            Counter(f"elumiti_{name}", text, registry=registry).inc(value)
        ended = Counter("elumiti_live_ended", "Views that ended, by reason.", ["why"], registry=registry)
        for why, count in sorted(views.counts.items()):
            ended.labels(why).inc(count)
        Gauge("elumiti_live_views", "Views under way.", registry=registry).set(len(now))
        return web.Response(body=generate_latest(registry), headers={"content-type": "text/plain; charset=utf-8"})

    def _claims(self, request: web.Request) -> LiveClaims:
        given = request.headers.get("authorization", "")
        return self._views.claims(given.removeprefix("Bearer "))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Problems as JSON, no cache, and the answer readable for our own pages alone."""
        try:
            answer = await handler(request)
        except Problem as problem:
            media = "application/problem+json"
            answer = web.json_response(problem.body, status=problem.status, content_type=media)
            if problem.retry_after_s is not None:
                answer.headers["retry-after"] = str(problem.retry_after_s)
        except web.HTTPRequestEntityTooLarge:
            problem = Problem("body-too-large")
            answer = web.json_response(problem.body, status=413, content_type="application/problem+json")
        answer.headers.update(NO_STORE)
        origin = request.headers.get("origin")
        if origin in self._origins:
            answer.headers.update({"access-control-allow-origin": origin, "vary": "origin"})
            answer.headers["access-control-expose-headers"] = "retry-after"
        return answer


async def run(settings: LiveSettings) -> None:
    """Until SIGTERM."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    pool = asyncpg.create_pool(
        settings.database_url, min_size=1, max_size=6, command_timeout=30, server_settings=BY_KEY
    )
    async with pool:
        async with pool.acquire() as db:
            await require_current(db)
        views = Views(settings, pool)
        await views.take_over()
        runner = web.AppRunner(Signalling(settings, views).app(), access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.live_host, settings.live_port).start()
            ready = os.environ.get("ELUMITI_READY_FILE")
            if ready:
                await asyncio.to_thread(Path(ready).touch)
            await views.sweep_for_ever()
        finally:
            await views.close()
            await runner.cleanup()
