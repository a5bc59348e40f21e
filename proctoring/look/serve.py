"""GET /v1/look/{sitting}/{attempt}/{seq}: one picture for one viewer. Also /health, /ready and /metrics of this process."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import time
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from aiohttp import web
from cryptography.exceptions import InvalidTag
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from infra.callers import may_measure
from infra.database import AWAY
from proctoring import index
from proctoring.decoding import UnreadableError
from proctoring.look.overlay import shown
from proctoring.segments import KINDS, head_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from infra.settings import ProctoringSettings
    from proctoring.store import SegmentStore

log = structlog.get_logger()
MOST_NAME = 80
NOTHING: Final = {"cache-control": "no-store"}
# Decoding and drawing let the interpreter go; more at once would only wait for the same two cores.
DRAWING = 4


class Row(msgspec.Struct, frozen=True):
    """Where a picture lies."""

    seq: int
    kind: str
    taken_ms: int
    received_ms: int
    byte_offset: int
    byte_length: int
    key_id: bytes
    object_name: str
    wrapped: bytes
    by: bytes


class Pictures:
    """Pictures by name, opened with the keys that are still there."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], store: SegmentStore, kek: bytes) -> None:
        self.pool, self.store, self._kek = pool, store, kek

    async def plain(self, sitting: int, attempt: int, seq: int, taken_ms: int, seal_look: int = 0) -> bytes | None:
        """The picture as the phone sent it; None when there is none, or it was erased or sealed.

        A sealed one is shown for a look of the child-safety officer alone, which has to stand in Postgres, five minutes old
        at the most: the portal's word is not enough.
        """
        async with self.pool.acquire() as db:
            found = await db.fetchrow(
                """
                select p.seq, p.kind, p.taken_ms, p.received_ms, p.byte_offset, p.byte_length, p.key_id, g.object_name,
                       k.wrapped, s.wrapped as by
                from picture p
                join picture_segment g on g.id = p.segment_id and g.erased_at is null
                join picture_key k on k.id = p.key_id and k.attempt_id = p.attempt_id and k.sitting_id = p.sitting_id
                join picture_sitting_key s on s.sitting_id = p.sitting_id
                where p.sitting_id = $1 and p.attempt_id = $2 and p.seq = $3 and p.taken_ms = $4
                    and (p.sealed_at is null and not exists (
                        select from picture_seal l
                        where l.attempt_id = p.attempt_id and l.seq = p.seq and l.taken_ms = p.taken_ms
                            and l.state <> 'unsealed') or exists (
                        select from picture_seal_look k
                        join picture_seal l on l.id = k.seal_id and l.state in ('open', 'stays')
                        where k.id = $5 and k.at > now() - interval '5 minutes' and l.attempt_id = p.attempt_id
                            and l.seq = p.seq and l.taken_ms = p.taken_ms))
                order by p.received_ms
                limit 1
                """,
                *(sitting, attempt, seq, taken_ms, seal_look),
            )
        if found is None:
            return None
        row = Row(**found)
        key = index.unwrapped(row.key_id, attempt, sitting, row.wrapped, row.by, self._kek)
        blob = await self.store.get(row.object_name, row.byte_offset, row.byte_length)
        head = head_of(
            *(KINDS[row.kind], row.byte_length, attempt, sitting, row.seq, row.taken_ms, row.received_ms, row.key_id)
        )
        try:
            return index.unsealed(blob, head, key.secret)
        except InvalidTag:
            log.exception("proctoring.look.not_genuine", sitting=sitting, attempt=attempt, seq=seq)
            return None

    async def can_open(self) -> bool:
        """Whether our wrapping key is the one that pictures are kept under."""
        async with self.pool.acquire(timeout=5) as db:
            return await index.opens_newest(db, self._kek)


class Look:
    """The routes of this process."""

    def __init__(self, settings: ProctoringSettings, pictures: Pictures) -> None:
        self._settings = settings
        self._pictures = pictures
        self._drawing = asyncio.Semaphore(DRAWING)
        self.looks = self.missing = self.refused = 0
        self.seconds = 0.0
        # What the other tasks of this process say about themselves: name → trouble.
        self.troubles: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    async def look(self, request: web.Request) -> web.Response:
        """The picture with its viewer's name in it; 404 for what is not there, erased or sealed, all alike."""
        began = time.monotonic()
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(
            given.encode(errors="surrogateescape"), f"Bearer {self._settings.look_key}".encode()
        ):
            self.refused += 1
            raise web.HTTPUnauthorized(headers=NOTHING)
        try:
            sitting, attempt, seq = (int(request.match_info[name]) for name in ("sitting", "attempt", "seq"))
            taken_ms, by = int(request.query["at"]), request.query["by"].strip()
            seal_look = int(request.query.get("look", "0"))
        except (KeyError, ValueError):
            raise web.HTTPBadRequest(text="at and by are needed", headers=NOTHING) from None
        if not by or len(by) > MOST_NAME or not by.isprintable():
            raise web.HTTPBadRequest(text="by is the viewer's login", headers=NOTHING)
        if (
            sitting >= 2**31
            or attempt >= 2**63
            or seq >= 2**31
            or not 0 <= taken_ms < 2**63
            or not 0 <= seal_look < 2**63
        ):
            raise web.HTTPNotFound(headers=NOTHING)
        plain = await self._pictures.plain(sitting, attempt, seq, taken_ms, seal_look)
        if plain is None:
            self.missing += 1
            raise web.HTTPNotFound(headers=NOTHING)
        small = request.query.get("small") == "1"
        at = dt.datetime.now(dt.timezone(dt.timedelta(hours=5)))
        try:
            async with self._drawing:
                body = await asyncio.to_thread(shown, plain, by, at, small=small)
        except UnreadableError:
            self.missing += 1
            raise web.HTTPNotFound(headers=NOTHING) from None
        self.looks += 1
        self.seconds += time.monotonic() - began
        return web.Response(body=body, content_type="image/webp", headers=NOTHING)

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether pictures can be opened, and the tasks beside it go round."""
        reasons: dict[str, str] = {}
        try:
            if not await self._pictures.can_open():
                reasons["keys"] = "picture_kek is not the key that the sittings' keys were wrapped by"
        except AWAY as error:
            reasons["postgres"] = str(error) or type(error).__name__
        answer = {"ready": not reasons, "reasons": reasons, "warnings": self.troubles}
        return web.json_response(answer, status=503 if reasons else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text."""
        forwarded, ours = request.headers.get("x-forwarded-for"), self._settings
        if not may_measure(request.remote or "", forwarded, ours.trusted_proxies, ours.metrics_from):
            raise web.HTTPNotFound
        registry = CollectorRegistry()
        for name, text, value in (
            ("looks", "Pictures shown to a person.", self.looks),
            ("look_seconds", "Seconds that showing them took.", self.seconds),
            ("looks_missing", "Asked for and not there, erased or sealed.", self.missing),
            ("looks_refused", "Asked for without the portal's key.", self.refused),
            *((name, f"Done by this process: {name}.", count) for name, count in sorted(self.counts.items())),
        ):
            Counter(f"elumiti_proctoring_{name}", text, registry=registry).inc(value)
        trouble = Gauge("elumiti_proctoring_troubles", "Tasks that failed at their last turn.", registry=registry)
        trouble.set(len(self.troubles))
        return web.Response(body=generate_latest(registry), headers={"content-type": "text/plain; charset=utf-8"})

    async def serve(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Listen until cancelled."""

        async def health(_request: web.Request) -> web.Response:
            return web.Response(text="ok")

        app = web.Application(client_max_size=1024)
        app.add_routes(
            [
                web.get(r"/v1/look/{sitting:\d{1,10}}/{attempt:\d{1,19}}/{seq:\d{1,10}}", self.look),
                web.get("/health", health),
                web.get("/ready", self.ready),
                web.get("/metrics", self.metrics),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=60)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._settings.look_host, self._settings.look_port).start()
            await ready()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
