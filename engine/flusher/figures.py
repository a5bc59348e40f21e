"""The flusher's own small door: `/health`, `/ready` and `/metrics`, for the machine it runs on unless told otherwise.

Figures are taken beside the rounds: what waits is asked of Valkey, so it is known while Postgres is away.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from redis.exceptions import RedisError

from engine.protocol import CONTROL_STREAM, stream_key
from infra.callers import may_measure
from infra.valkey import beyond, clock_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings import FlusherSettings
    from infra.valkey import Valkey

log = structlog.get_logger()

MEASURE_EVERY_S = 2.0
TAKEN_AGAIN_S = 5.0
# A round of the usual kind takes milliseconds; one that is this late stands still.
SILENT_S = 15.0

COUNTERS = {
    "elumiti_flusher_events": "Events written to Postgres, repeats too; its rate is the flush rate.",
    "elumiti_flusher_rounds": "Transactions that moved a position.",
    "elumiti_flusher_dead_letters": "Events and entries that were set aside with a reason.",
    "elumiti_flusher_troubles": "Times that Postgres or Valkey failed and the round was done again.",
}
GAUGES = {
    "elumiti_flusher_round_age_seconds": "Since the last round that ended well, busy or idle.",
    "elumiti_flusher_stream_lag_seconds": "From the oldest entry that is not in Postgres to the newest, of the stream where it is longest.",
    "elumiti_flusher_oldest_open_receipt_seconds": "Age of the oldest entry that was acknowledged and is not in Postgres; 0: none.",
    "elumiti_flusher_open_streams": "Streams that are still read.",
    "elumiti_flusher_unsealed": "Hand-ins that wait for their receipt.",
    "elumiti_flusher_connected": "1 while the flusher has its connection to Postgres.",
}


class Figures:
    """What the flusher counts; its rounds only add to it."""

    def __init__(self) -> None:
        self.events = 0
        self.rounds = 0
        self.dead = 0
        self.troubles = 0
        self.unsealed = 0
        self.connected = False
        self.round_at = 0.0
        # stream → its durable position
        self.positions: Mapping[int, tuple[int, int]] = {}
        self.lag_s = 0.0
        self.oldest_s = 0.0

    async def measure_for_ever(self, valkey: Valkey) -> None:
        """Ask Valkey again and again what lies behind the positions."""
        while True:
            try:
                await self.measure(valkey)
            except (RedisError, OSError) as error:
                log.info("flusher.figures.not_measured", reason=str(error) or type(error).__name__)
            await asyncio.sleep(MEASURE_EVERY_S)

    async def measure(self, valkey: Valkey) -> None:
        """Ask once: what waits behind each position, for how long. RedisError, OSError: Valkey does not answer."""
        now_ms = await clock_ms(valkey, CONTROL_STREAM)
        waiting = await beyond(valkey, {stream_key(stream): at for stream, at in self.positions.items()})
        self.oldest_s = max([0, *(now_ms - first for first, _ in waiting)]) / 1000
        # Not from the position: a stream that was quiet for minutes would lag by them with its next entry.
        self.lag_s = max([0, *(newest - first for first, newest in waiting)]) / 1000

    def reasons(self) -> dict[str, str]:
        """Why it is not ready; empty: it is."""
        found: dict[str, str] = {}
        if not self.connected:
            found["postgres"] = "no connection, or a schema of another release"
        if time.monotonic() - self.round_at > SILENT_S:
            found["rounds"] = f"none has ended well for {SILENT_S:.0f} s: is Valkey there?"
        return found

    def page(self) -> bytes:
        """The Prometheus text."""
        registry = CollectorRegistry()
        for (name, text), value in zip(
            COUNTERS.items(), (self.events, self.rounds, self.dead, self.troubles), strict=True
        ):
            Counter(name, text, registry=registry).inc(value)
        age_s = time.monotonic() - self.round_at
        gauges = (age_s, self.lag_s, self.oldest_s, len(self.positions), self.unsealed, int(self.connected))
        for (name, text), value in zip(GAUGES.items(), gauges, strict=True):
            Gauge(name, text, registry=registry).set(value)
        return generate_latest(registry)


async def serve_for_ever(figures: Figures, settings: FlusherSettings) -> None:
    """Answer at the address of the settings; where another flusher of this machine has it, take it over when it goes."""

    async def health(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def ready(_request: web.Request) -> web.Response:
        reasons = figures.reasons()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def metrics(request: web.Request) -> web.Response:
        if not may_measure(request.remote or "", request.headers.get("x-forwarded-for"), (), settings.metrics_from):
            raise web.HTTPNotFound
        return web.Response(body=figures.page(), headers={"content-type": "text/plain; charset=utf-8"})

    app = web.Application(client_max_size=1024)
    app.add_routes([web.get("/health", health), web.get("/ready", ready), web.get("/metrics", metrics)])
    # No log of requests, and signals are the flusher's own.
    runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=30)
    await runner.setup()
    try:
        await _listen(runner, settings)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: FlusherSettings) -> None:
    told = False
    while True:
        try:
            await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        except OSError as error:
            if not told:
                log.warning("flusher.figures.address_taken", port=settings.metrics_port, reason=str(error))
            told = True
            await asyncio.sleep(TAKEN_AGAIN_S)
        else:
            return
