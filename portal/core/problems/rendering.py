"""The one place where an error becomes an answer: a page for people, RFC 9457 for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import asyncpg
import orjson
import structlog
from asyncpg.exceptions._base import DataError as UnwritableValue
from litestar import Response
from litestar.exceptions import HTTPException

from portal.core.i18n import N_
from portal.core.problems import NotSignedIn, NotThere, Problem, SecondFactorWanted
from portal.core.ui.pages import page

if TYPE_CHECKING:
    from portal.core.accounts import StaffRequest

log = structlog.get_logger()


class Unexpected(Problem):
    """A bug: logged with its context, told without it."""

    code = "unexpected"
    status = 500
    title = N_("Something of ours broke.")
    advice = N_("Nothing was changed. It is on record for the engineers; please try again in a minute.")


class BadRequest(Problem):
    """What the browser sent could not be read."""

    code = "bad-request"
    status = 400
    title = N_("This request could not be read.")
    advice = N_("Go back, reload the page and try again.")


class MethodUnknown(Problem):
    """The address exists, this verb does not."""

    code = "method-unknown"
    status = 405
    title = N_("This address is not for opening.")
    advice = N_("Go back and use the button on the page.")


class Busy(Problem):
    """A lock or the database was not to be had in time."""

    code = "busy"
    status = 503
    title = N_("The database is busy.")
    advice = N_("Nothing was changed. Please try again in a few seconds.")


def answer(request: StaffRequest, problem: Problem) -> Response[bytes] | Response[str]:
    """A problem as the asker can read it."""
    headers = {"retry-after": "60"} if problem.status == 429 else {}
    if isinstance(problem, NotSignedIn) and wants_page(request):
        wished = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/sign-in" if request.method != "GET" else f"/sign-in?next={quote(wished)}"
        if request.headers.get("hx-request"):
            return Response("", status_code=401, headers={"hx-redirect": target})
        return Response("", status_code=303, headers={"location": target})
    if isinstance(problem, SecondFactorWanted) and wants_page(request):
        if request.headers.get("hx-request"):
            return Response("", status_code=403, headers={"hx-redirect": "/second-factor"})
        return Response("", status_code=303, headers={"location": f"/second-factor?next={quote(request.url.path)}"})
    title, advice = problem.said()
    if wants_page(request):
        context = {"problem": problem, "title": title, "advice": advice}
        return page(request, "problem.html", status=problem.status, headers=headers, **context)
    body = {
        "type": f"/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": advice,
        "code": problem.code,
    }
    return Response(
        orjson.dumps(body), status_code=problem.status, media_type="application/problem+json", headers=headers
    )


def wants_page(request: StaffRequest) -> bool:
    """Browsers ask for HTML."""
    return "text/html" in request.headers.get("accept", "") or bool(request.headers.get("hx-request"))


def from_problem(request: StaffRequest, problem: Problem) -> Response[bytes] | Response[str]:
    """One of ours."""
    return answer(request, problem)


def from_http(request: StaffRequest, error: HTTPException) -> Response[bytes] | Response[str]:
    """Litestar's own."""
    kinds: dict[int, type[Problem]] = {404: NotThere, 405: MethodUnknown}
    kind = kinds.get(error.status_code, BadRequest if error.status_code < 500 else Unexpected)
    if kind is Unexpected:
        log.error("portal.request.failed", path=request.url.path, exc_info=error)
    return answer(request, kind())


def from_database(request: StaffRequest, error: Exception) -> Response[bytes] | Response[str]:
    """Postgres away, or a lock too long."""
    log.warning("portal.database.busy", path=request.url.path, error=repr(error))
    return answer(request, Busy())


def from_unknown_value(request: StaffRequest, error: Exception) -> Response[bytes] | Response[str]:
    """A number or a letter that no column can hold: no row has it, so nothing is there."""
    log.warning("portal.value.impossible", path=request.url.path, error=repr(error))
    return answer(request, NotThere())


def from_bug(request: StaffRequest, error: Exception) -> Response[bytes] | Response[str]:
    """Anything else."""
    log.error("portal.request.failed", path=request.url.path, exc_info=error)
    return answer(request, Unexpected())


HANDLERS = {
    Problem: from_problem,
    HTTPException: from_http,
    asyncpg.LockNotAvailableError: from_database,
    asyncpg.DeadlockDetectedError: from_database,
    asyncpg.QueryCanceledError: from_database,
    asyncpg.PostgresConnectionError: from_database,
    ConnectionError: from_database,
    # The server's, and the driver's own of the same name, which it raises while it writes a value down.
    asyncpg.DataError: from_unknown_value,
    UnwritableValue: from_unknown_value,
    Exception: from_bug,
}
