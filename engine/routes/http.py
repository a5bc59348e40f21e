"""What the routes share: reading a body of known shape, who asks, and the fixed headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.problems import Problem
from infra.callers import caller, may_measure, place_of

if TYPE_CHECKING:
    from typing import TypeVar

    from granian.rsgi import Scope

    from engine.roster import Pupil, Sitting
    from engine.tokens import Claims
    from engine.worker import Worker

    T = TypeVar("T")

JSON = [("content-type", "application/json"), ("cache-control", "no-store")]
encode = msgspec.json.Encoder().encode


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
