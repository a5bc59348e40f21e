"""What the routes share: reading a bounded body, who asks, and the fixed headers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from granian._granian import RSGIProtocolClosed

from engine.problems import Problem
from engine.protocol import MAX_BODY_BYTES
from engine.reads import HungUp
from infra.callers import caller, may_measure, place_of

if TYPE_CHECKING:
    from typing import TypeVar

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.reads import Reads
    from engine.roster import Pupil, Sitting
    from engine.tokens import Claims
    from engine.worker import Worker

    T = TypeVar("T")

JSON = [("content-type", "application/json"), ("cache-control", "no-store")]
DRAINED_AT_MOST = 16 * 2**20
encode = msgspec.json.Encoder().encode


async def bounded_body(worker: Worker, scope: Scope, proto: HTTPProtocol, limit: int = MAX_BODY_BYTES) -> bytes:
    """The body; a larger one is refused before it is read, one of unknown length as soon as it is too long.

    Who is too slow hears so; who hangs up in the middle is `HungUp`.
    """
    reads = worker.reads
    length = scope.headers.get("content-length")
    if length is None or not length.isdigit() or int(length) > limit:
        return await _without_length(reads, length, proto, limit)
    waiting = proto()
    reads.running[waiting] = reads.turn
    try:
        body = await waiting
    except asyncio.CancelledError:
        if waiting in reads.running:
            raise
        raise Problem("body-slow") from None
    except RSGIProtocolClosed:
        raise HungUp from None
    finally:
        reads.running.pop(waiting, None)
    if len(body) < int(length):
        raise Problem("body-truncated", expected=int(length), seen=len(body))
    return body


async def _without_length(reads: Reads, length: str | None, proto: HTTPProtocol, limit: int) -> bytes:
    """A body whose length is not told, is nonsense or is too much: no player sends one."""
    try:
        async with asyncio.timeout(reads.limit_s):
            if length is not None:
                await _let_it_finish(length, proto)
                raise Problem("body-too-large", limit=limit)
            chunks: list[bytes] = []
            size = 0
            async for chunk in proto:
                size += len(chunk)
                if size > limit:
                    raise Problem("body-too-large", limit=limit)
                chunks.append(chunk)
            return b"".join(chunks)
    except TimeoutError:
        raise Problem("body-slow") from None
    except RSGIProtocolClosed:
        raise HungUp from None


async def _let_it_finish(length: str, proto: HTTPProtocol) -> None:
    """Most clients hear an answer only after they have sent everything: throw away what is not absurdly much."""
    if not length.isdigit() or int(length) > DRAINED_AT_MOST:
        return
    async for _ in proto:
        pass


def compressed(scope: Scope) -> Problem | None:
    """The problem of a body that came compressed. Asked only of bodies that can't be read: the others are not."""
    encoding = (scope.headers.get("content-encoding") or "identity").strip().lower()
    return None if encoding == "identity" else Problem("encoding-refused", encoding=encoding[:64])


def read_body(scope: Scope, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A body of known shape, or the problem that names the field."""
    try:
        return _read(decoder, body)
    except Problem as problem:
        raise (compressed(scope) or problem) from problem


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at ")
        raise Problem("body-invalid", field=field.strip("`"), reason=reason) from error
    except RecursionError as error:
        raise Problem("too-deep") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        code = "body-truncated" if "truncated" in str(error) else "body-invalid"
        raise Problem(code, reason=str(error)) from error


def live_claims(worker: Worker, scope: Scope) -> Claims:
    """The claims of a token that holds and has not expired (saves alone accept an expired one)."""
    claims = worker.tokens.verify(scope.headers.get("authorization"))
    if claims is None or claims.expires_s * 1000 < worker.real_ms():
        raise Problem("token-rejected")
    return claims


async def whose(worker: Worker, claims: Claims) -> tuple[Pupil, Sitting]:
    """Whom a token of ours speaks of. Who isn't known here signed in at another worker: this one is behind, and reads."""
    if claims.attempt not in worker.roster.pupils or claims.sitting not in worker.roster.sittings:
        await worker.catch_up()
    pupil = worker.roster.pupils.get(claims.attempt)
    sitting = worker.roster.sittings.get(claims.sitting)
    if pupil is None or sitting is None:
        raise Problem("try-later", retry_after_s=2)
    return pupil, sitting


def caller_address(worker: Worker, scope: Scope) -> str:
    """What counts as one address a request comes from (of IPv6 the subscriber's network)."""
    return place_of(caller(*_said(scope), worker.settings.trusted_proxies))


def asks_for_figures(worker: Worker, scope: Scope) -> bool:
    """Whether this caller may read `/metrics`."""
    settings = worker.settings
    return may_measure(*_said(scope), settings.trusted_proxies, settings.metrics_from)


def _said(scope: Scope) -> tuple[str, str | None]:
    """Who is at the other end, and for whom he says to ask."""
    return scope.client.rpartition(":")[0], scope.headers.get("x-forwarded-for")
