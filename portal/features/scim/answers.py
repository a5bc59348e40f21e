"""Answers and errors in the protocol's own form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import orjson
from asyncpg.exceptions._base import DataError as UnwritableValue
from litestar import Response
from litestar.exceptions import HTTPException
from pydantic import ValidationError
from scim2_models import Error, SCIMException

from portal.core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts import StaffRequest

MEDIA = "application/scim+json"


def scim(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A body of the protocol."""
    return Response(orjson.dumps(body), status_code=status, media_type=MEDIA, headers=dict(headers or {}))


def refuse(status: int, detail: str, scim_type: str | None = None) -> Response[bytes]:
    """RFC 7644 §3.12."""
    headers = {"www-authenticate": 'Bearer realm="elumiti"'} if status == 401 else {}
    error = Error(status=status, scim_type=scim_type or None, detail=detail)
    return scim(error.model_dump(), status=status, headers=headers)


def from_scim(_request: StaffRequest, error: SCIMException) -> Response[bytes]:
    """The library's."""
    return refuse(error.status, error.detail, error.scim_type)


def from_validation(_request: StaffRequest, error: ValidationError) -> Response[bytes]:
    """What does not fit the schema: the first thing, with its place."""
    said = Error.from_validation_error(error.errors(include_url=False)[0])
    return refuse(said.status or 400, said.detail or "This request does not fit the schema.", said.scim_type)


def from_problem(_request: StaffRequest, problem: Problem) -> Response[bytes]:
    """One of ours."""
    title, advice = problem.said()
    return refuse(problem.status, f"{title} {advice}")


def from_http(_request: StaffRequest, error: HTTPException) -> Response[bytes]:
    """Litestar's own."""
    return refuse(error.status_code, error.detail or "This request could not be read.")


def from_unknown_value(_request: StaffRequest, _error: Exception) -> Response[bytes]:
    """A letter or a number that no column can hold."""
    return refuse(400, "A value holds a character or a number that cannot be kept.", "invalidValue")


SCIM_HANDLERS = {
    asyncpg.DataError: from_unknown_value,
    UnwritableValue: from_unknown_value,
    SCIMException: from_scim,
    ValidationError: from_validation,
    Problem: from_problem,
    HTTPException: from_http,
}
