"""The ingest's routes: POST /v1/pictures and /v1/watch, and the small ones. No framework, no log, no database call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from infra.callers import may_measure
from infra.live_tickets import START_S, LiveClaims, sign
from infra.picture_tokens import PictureClaims
from proctoring.images import size_of
from proctoring.index import Event, encode_events
from proctoring.problems import Problem
from proctoring.segments import EVENTS, KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from proctoring.watched import Watch
    from proctoring.worker import Worker

    Route = Callable[[Worker, Scope, HTTPProtocol, list[tuple[str, str]]], Awaitable[None]]

JSON = [("content-type", "application/json"), ("cache-control", "no-store")]
PLAIN = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]
HARD_BYTES = 65_536
IDENTITY_TIMES = 4
EVENTS_BYTES = 16_384
MOST_EVENTS = 50
# So many events of a report count as a request more.
EVENTS_AS_ONE = 10
MOST_N = 2**31 - 1
# Plain digits: int() also takes spaces, signs and digits of other scripts.
FIELDS = {"n": r"\d{1,10}", "at": r"\d{1,16}", "kind": "|".join(kind for kind in KINDS if kind != "events")}
# As our phones put it: looked at and taken apart in one step.
USUAL_QUERY = re.compile("&".join(f"{name}=({form})" for name, form in FIELDS.items()), re.ASCII).fullmatch
# A clock that is wrong by more than a day is no time of a picture, nor of what happened.
DAY_MS = 86_400_000
BEARER = "Bearer "
EVENT_KINDS = frozenset(
    "tab-left tab-back full-screen-left copy paste second-display no-face several-faces head-turned camera-off camera-on "
    "camera-none picture-repeated virtual-camera light-poor line-lost line-back".split()
)
PREFLIGHT = [
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", "authorization, content-type"),
    ("access-control-max-age", "7200"),
]


class Reported(msgspec.Struct, forbid_unknown_fields=False):
    """An event as a phone sends it; what it says beyond these three is kept as data."""

    n: int
    kind: str
    at: int


decode_reported = msgspec.json.Decoder(list[Reported]).decode
decode_report = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
decode_things = msgspec.json.Decoder(list[dict[str, str | int | float | bool | None]]).decode
encode = msgspec.json.Encoder().encode


async def take_picture(worker: Worker, scope: Scope, proto: HTTPProtocol, headers: list[tuple[str, str]]) -> None:
    """200 promises: on this machine's disk, and after any crash from there to the store. `stored` says what is there."""
    now_ms = worker.now_ms()
    claims, watch = _whose(worker, scope, now_ms)
    seq, taken_ms, kind = _query(scope.query_string, claims, now_ms)
    limit = watch.most_bytes
    if kind != "snapshot":
        if not (watch.identity if kind == "identity" else watch.screen):
            raise Problem("kind-not-wanted", kind=kind)
        if kind == "identity":
            limit *= IDENTITY_TIMES
            _admit(worker, claims, now_ms, IDENTITY_TIMES - 1)
    body = await worker.reads.body(scope, proto, min(limit, HARD_BYTES))
    if size_of(body) is None:
        raise Problem("not-a-picture")
    # The one wait of the route: all pictures of this group share one fdatasync.
    await worker.spool.join(KINDS[kind], claims.attempt, claims.sitting, seq, taken_ms, now_ms, body)
    told = ",".join(map(str, worker.stored.take(claims.attempt)))
    live = _live(worker, claims.attempt, now_ms) if worker.watched.live else ""
    every_s, most = watch.every_s * worker.times, watch.most_bytes
    reply = f'{{"received":{seq},"stored":[{told}],"every_s":{every_s},"most_bytes":{most}{live}}}'
    proto.response_bytes(200, headers, reply.encode())


async def take_events(worker: Worker, scope: Scope, proto: HTTPProtocol, headers: list[tuple[str, str]]) -> None:
    """200 promises the same of events; they are read by the index, not here."""
    now_ms = worker.now_ms()
    claims, _ = _whose(worker, scope, now_ms)
    body = await worker.reads.body(scope, proto, EVENTS_BYTES)
    events = _events(body, claims, now_ms)
    if events:
        _admit(worker, claims, now_ms, len(events) // EVENTS_AS_ONE)
        try:
            sealed = encode_events(events)
        except OverflowError as error:
            raise Problem("body-invalid", field="events", reason="a number is too large") from error
        first = events[0]
        await worker.spool.join(EVENTS, claims.attempt, claims.sitting, first.n, first.at, now_ms, sealed)
    received = ",".join(str(event.n) for event in events)
    reply = f'{{"received":[{received}]{_live(worker, claims.attempt, now_ms)}}}'
    proto.response_bytes(200, headers, reply.encode())


def _live(worker: Worker, attempt: int, now_ms: int) -> str:
    """What a phone is told while a proctor asks to look live: where to, and a ticket of a minute."""
    ask = worker.watched.live.get(attempt)
    if ask is None:
        return ""
    ticket = sign(worker.live_key, LiveClaims("publish", ask.view, attempt, now_ms // 1000 + START_S))
    return f',"live":{{"url":"{ask.forwarder}","ticket":"{ticket}"}}'


def _whose(worker: Worker, scope: Scope, now_ms: int) -> tuple[PictureClaims, Watch]:
    """Whose this is, if it may come now."""
    given = scope.headers.get("authorization") or ""
    claims = worker.tokens.verify(given[len(BEARER) :]) if given.startswith(BEARER) else None
    if claims is None:
        raise Problem("token-rejected")
    if now_ms < claims.opens_s * 1000:
        raise Problem("not-open-yet", opens_s=claims.opens_s)
    if now_ms > claims.expires_s * 1000:
        raise Problem("token-expired")
    if claims.attempt in worker.watched.refused:
        raise Problem("camera-consent-needed")
    newest = worker.watched.newest.get(claims.attempt)
    if newest and claims.device and claims.device != newest:
        raise Problem("device-replaced")
    watch = worker.watched.sittings.get(claims.sitting)
    if watch is None:
        if not worker.watched.read_at and not worker.watched.sittings:
            # Nothing was ever read: that is our trouble, not the child's.
            raise Problem("try-later")
        raise Problem("not-watched")
    _admit(worker, claims, now_ms, 1)
    return claims, watch


def _admit(worker: Worker, claims: PictureClaims, now_ms: int, times: int) -> None:
    if not worker.admit(claims.attempt, now_ms, times):
        raise Problem("slow-down", retry_after_s=60)


def _may_be(at_ms: int, claims: PictureClaims, now_ms: int) -> bool:
    """Whether anything can have happened then: an hour of the year 287 000 would break every page that shows it."""
    return claims.opens_s * 1000 - DAY_MS <= at_ms <= now_ms + DAY_MS


def _query(text: str, claims: PictureClaims, now_ms: int) -> tuple[int, int, str]:
    """n, at and kind."""
    usual = USUAL_QUERY(text)
    n, at, kind = usual.groups() if usual is not None else _unusual_query(text)
    seq, taken_ms = int(n), int(at)
    if seq > MOST_N:
        raise Problem("query-invalid", field="n")
    if not _may_be(taken_ms, claims, now_ms):
        raise Problem("query-invalid", field="at")
    return seq, taken_ms, kind


def _unusual_query(text: str) -> list[str]:
    """The same of a query that is put otherwise."""
    try:
        given = {"kind": "snapshot"} | dict(part.split("=", 1) for part in text.split("&"))
        found = [given[name] for name in FIELDS]
    except (ValueError, KeyError) as error:
        raise Problem("query-invalid") from error
    for (name, form), value in zip(FIELDS.items(), found, strict=True):
        if not re.fullmatch(form, value, re.ASCII):
            raise Problem("query-invalid", field=name)
    return found


def _events(body: bytes, claims: PictureClaims, now_ms: int) -> list[Event]:
    """The events of a report, or the problem that names the field."""
    try:
        report = decode_report(body)
        raw = report["events"]
        things = decode_things(raw)
        told = decode_reported(raw)
    except KeyError as error:
        raise Problem("body-invalid", field="events", reason="is missing") from error
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at ")
        raise Problem("body-invalid", field=field.strip("`").replace("$", "events"), reason=reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("body-invalid", reason=str(error)) from error
    if len(told) > MOST_EVENTS:
        raise Problem("body-invalid", field="events", reason=f"{len(told)} events; {MOST_EVENTS} at the most")
    events: list[Event] = []
    for number, (event, thing) in enumerate(zip(told, things, strict=True)):
        if event.kind not in EVENT_KINDS:
            raise Problem("body-invalid", field=f"events[{number}].kind", reason="not a kind of docs/pictures.md")
        if not (0 <= event.n <= MOST_N and _may_be(event.at, claims, now_ms)):
            raise Problem("body-invalid", field=f"events[{number}]", reason="n or at is out of range")
        events.append(Event(event.n, event.kind, event.at, _beside(thing)))
    return events


def _beside(thing: dict[str, str | int | float | bool | None]) -> dict[str, object]:
    """What an event says beyond its number, kind and time. NUL is nothing that Postgres keeps."""
    data: dict[str, object] = {
        name.replace("\0", ""): value.replace("\0", "") if isinstance(value, str) else value
        for name, value in thing.items()
        if name not in {"n", "kind", "at"}
    }
    # That the server saw it, its own check says alone: it weighs otherwise.
    if data.get("by") == "server":
        del data["by"]
    return data


async def health(_worker: Worker, _scope: Scope, proto: HTTPProtocol, _headers: list[tuple[str, str]]) -> None:
    """The process lives."""
    proto.response_bytes(200, PLAIN, b"ok")


async def ready(worker: Worker, _scope: Scope, proto: HTTPProtocol, _headers: list[tuple[str, str]]) -> None:
    """It takes pictures; a store or a Postgres that is away is a warning, for it takes them all the same."""
    reasons: dict[str, str] = {}
    if worker.spool.full:
        reasons["spool"] = worker.spool.full
    if not worker.watched.read_at and not worker.watched.sittings:
        reasons["sittings"] = "none were ever read: is Postgres there?"
    warnings = dict(worker.reasons)
    if worker.uploads.trouble:
        warnings["store"] = worker.uploads.trouble
    body = encode({"ready": not reasons, "reasons": reasons, "warnings": warnings})
    proto.response_bytes(503 if reasons else 200, JSON, body)


async def metrics(worker: Worker, scope: Scope, proto: HTTPProtocol, _headers: list[tuple[str, str]]) -> None:
    """Prometheus text over all workers of this machine; for others it is not there."""
    settings = worker.settings
    said = scope.client.rpartition(":")[0], scope.headers.get("x-forwarded-for")
    if not may_measure(*said, settings.trusted_proxies, settings.metrics_from):
        raise Problem("not-found")
    proto.response_bytes(200, PLAIN, worker.metrics.page(worker))


# Each names what it asks of the caller (tests read this table).
ROUTES: dict[tuple[str, str], tuple[str, Route]] = {
    ("POST", "/v1/pictures"): ("token", take_picture),
    ("POST", "/v1/watch"): ("token", take_events),
    ("GET", "/health"): ("public", health),
    ("GET", "/ready"): ("public", ready),
    ("GET", "/metrics"): ("public", metrics),
}
PATHS = {path for _, path in ROUTES}


async def answer(worker: Worker, scope: Scope, proto: HTTPProtocol, allowed: list[tuple[str, str]]) -> None:
    """Answer one request; Problems are the caller's."""
    found = ROUTES.get((scope.method, scope.path))
    if found is not None:
        await found[1](worker, scope, proto, JSON + allowed if allowed else JSON)
        worker.metrics.ok[scope.path] += 1
    elif scope.method == "OPTIONS" and scope.path in PATHS:
        proto.response_bytes(204, PREFLIGHT + allowed if allowed else [], b"")
    elif scope.path in PATHS:
        raise Problem("method-not-allowed")
    else:
        raise Problem("not-found")


def allowed_for(worker: Worker | None, scope: Scope) -> list[tuple[str, str]]:
    """The headers that let the player's page read the answer; no other site's."""
    origin = scope.headers.get("origin")
    if worker is None or origin not in worker.origins:
        return []
    return [
        ("access-control-allow-origin", origin),
        ("vary", "origin"),
        ("access-control-expose-headers", "retry-after"),
    ]
