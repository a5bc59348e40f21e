"""The endpoints. Each asks for the token of a system; what is wrong is said as RFC 7644 §3.12 says it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Response, delete, get, patch, post, put, route
from scim2_models import (
    Context,
    InvalidSyntaxException,
    ListResponse,
    NotFoundException,
    PatchOp,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
    ScimFilter,
    SearchRequest,
)

from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.machines.clients import Client, MachineStopped, by_token, one_at_a_time, stop
from portal.features.scim import queries, writing
from portal.features.scim.answers import SCIM_HANDLERS, scim
from portal.features.scim.filters import SORTS, Sql
from portal.features.scim.resources import MOST_ROWS, PROVIDER, SchoolUser, User, as_resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from portal.features.scim.resources import Login

ROOT = "/scim/v2"
MOST_BODY = 2**18
_door = {"guards": [by_token], "exception_handlers": SCIM_HANDLERS, "opt": {"by_token": True}}
_get = functools.partial(get, **_door)
_write = {**_door, "request_max_body_size": MOST_BODY}


@_get(f"{ROOT}/ServiceProviderConfig")
async def config() -> Response[bytes]:
    """What we can."""
    assert PROVIDER.config is not None
    return scim(PROVIDER.config.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


@_get([f"{ROOT}/ResourceTypes", f"{ROOT}/ResourceTypes/{{name:str}}"])
async def resource_types(name: str | None = None) -> Response[bytes]:
    """Users, and nothing else: roles are given by a login's own attribute."""
    return _described([(str(one.id or one.name), one) for one in PROVIDER.resource_types], name)


@_get([f"{ROOT}/Schemas", f"{ROOT}/Schemas/{{name:str}}"])
async def schemas(request: StaffRequest, name: str | None = None) -> Response[bytes]:
    """The attributes that we keep, and the roles that this system may give."""
    known = [one.model_copy(deep=True) for one in PROVIDER.schemas]
    for schema in known:
        for attribute in schema.attributes or []:
            for part in attribute.sub_attributes or []:
                if (attribute.name, part.name) == ("roles", "value"):
                    part.canonical_values = list(_client(request).roles)
    return _described([(str(one.id), one) for one in known], name)


@route(f"{ROOT}/{{rest:path}}", http_method=["GET", "POST", "PUT", "PATCH", "DELETE"], **_door)
async def nothing(rest: str) -> None:  # noqa: ARG001 (the framework hands it over)
    """What is not there, in the protocol's words too."""
    raise NotFoundException


@_get(f"{ROOT}/Users")
async def list_users(request: StaffRequest, db: Connection) -> Response[bytes]:
    """The logins that this system sees: filtered, sorted, a page of them."""
    return await _search(request, db, dict(request.query_params))


@post([f"{ROOT}/Users/.search", f"{ROOT}/.search"], status_code=200, **_write)
async def search_users(request: StaffRequest, db: Connection) -> Response[bytes]:
    """The same, asked in a body."""
    return await _search(request, db, await _body(request))


@_get(f"{ROOT}/Users/{{public_id:str}}")
async def show_user(request: StaffRequest, db: Connection, public_id: str) -> Response[bytes]:
    """One login."""
    row = await _find(request, db, public_id)
    if request.headers.get("if-none-match") == row.version:
        return Response(b"", status_code=304, headers={"etag": row.version})
    return _one(request, row, Context.RESOURCE_QUERY_RESPONSE)


@post(f"{ROOT}/Users", **_write)
async def make_user(request: StaffRequest, db: Connection) -> Response[bytes]:
    """A new login, without a password: its person sets one by e-mail or signs in by a linked account."""
    with PROVIDER:
        wished = SchoolUser.model_validate(await _body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)

    async def run() -> Login:
        return await writing.make(db, _client(request), wished)

    row = await _written(request, db, run)
    answer = _one(request, row, Context.RESOURCE_CREATION_RESPONSE, status=201)
    answer.headers["location"] = f"{_base(request)}/Users/{row.public_id}"
    return answer


@put(f"{ROOT}/Users/{{public_id:str}}", **_write)
async def replace_user(request: StaffRequest, db: Connection, public_id: str) -> Response[bytes]:
    """The login as it is said here."""
    with PROVIDER:
        wished = SchoolUser.model_validate(await _body(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)

    async def run() -> Login:
        row = await _find(request, db, public_id, lock=True)
        return await writing.change(db, _client(request), row, wished)

    return _one(request, await _written(request, db, run), Context.RESOURCE_REPLACEMENT_RESPONSE)


@patch(f"{ROOT}/Users/{{public_id:str}}", **_write)
async def patch_user(request: StaffRequest, db: Connection, public_id: str) -> Response[bytes]:
    """Parts of it; all of them or none."""
    with PROVIDER:
        wished = PatchOp[SchoolUser].model_validate(await _body(request), scim_ctx=Context.RESOURCE_PATCH_REQUEST)

    async def run() -> Login:
        row = await _find(request, db, public_id, lock=True)
        resource = as_resource(row, _base(request))
        with PROVIDER:
            changed = wished.patch(resource)
        return await writing.change(db, _client(request), row, resource) if changed else row

    return _one(request, await _written(request, db, run), Context.RESOURCE_PATCH_RESPONSE)


@delete(f"{ROOT}/Users/{{public_id:str}}", status_code=204, **_door)
async def delete_user(request: StaffRequest, db: Connection, public_id: str) -> None:
    """Shut, its roles of the project ended, and no longer there for this system. What it did stays on record."""

    async def run() -> Login:
        row = await _find(request, db, public_id, lock=True)
        await writing.close(db, _client(request), row)
        return row

    await _written(request, db, run)


async def _written(request: StaffRequest, db: Connection, run: Callable[[], Awaitable[Login]]) -> Login:
    """A write in its turn. Beyond the measure it is undone, and the system stays stopped (SAFETY P4)."""
    client = _client(request)
    try:
        async with db.transaction():
            await one_at_a_time(db, client)
            return await run()
    except MachineStopped:
        await stop(db, client)
        raise


async def _search(request: StaffRequest, db: Connection, asked: dict[str, object]) -> Response[bytes]:
    with PROVIDER:
        wish = SearchRequest[SchoolUser].model_validate(asked)
    condition, given = "true", list[object]()
    if wish.filter:
        sql = Sql(first=3)
        condition, given = sql.visit(ScimFilter[SchoolUser](str(wish.filter)).ast), sql.given
    column = SORTS.get(str(wish.sort_by or "username").lower(), "login")
    way = "desc" if wish.sort_order is SearchRequest.SortOrder.descending else "asc"
    count = MOST_ROWS if wish.count is None else min(wish.count, MOST_ROWS)
    start = min(wish.start_index or 1, 2**31)
    rows, total = await queries.logins(
        db, _client(request), condition, given, f"{column} {way}, id", limit=count, offset=start - 1
    )
    listed = ListResponse[SchoolUser](
        total_results=total,
        start_index=start,
        items_per_page=len(rows),
        resources=[as_resource(row, _base(request)) for row in rows],
    )
    with PROVIDER:
        return scim(listed.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wish))


async def _find(request: StaffRequest, db: Connection, public_id: str, *, lock: bool = False) -> Login:
    """The login, of the version that the request asks for."""
    try:
        known = UUID(public_id)
    except ValueError as error:
        raise NotFoundException from error
    row = await queries.find(db, _client(request), known, lock=lock)
    if row is None:
        raise NotFoundException
    wanted = request.headers.get("if-match")
    if lock and wanted not in {None, "*", row.version}:
        raise PreconditionFailedException
    return row


async def _body(request: StaffRequest) -> dict[str, object]:
    try:
        body = await request.json()
    except SCIMException:
        raise
    except Exception as error:
        raise InvalidSyntaxException(detail="The body is no JSON.") from error
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="The body is no JSON object.")
    return body


def _one(request: StaffRequest, row: Login, context: Context, *, status: int = 200) -> Response[bytes]:
    asked = {
        name: value for name, value in request.query_params.items() if name in {"attributes", "excludedAttributes"}
    }
    resource = as_resource(row, _base(request))
    with PROVIDER:
        wish = ResponseParameters[SchoolUser].model_validate(asked)
        said = resource.model_dump(scim_ctx=context, response_parameters=wish)
    return scim(said, status=status, headers={"etag": row.version})


def _described(things: list[tuple[str, object]], name: str | None) -> Response[bytes]:
    said = [(key, one.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)) for key, one in things]  # type: ignore[attr-defined]
    if name is not None:
        for key, one in said:
            if key.lower() == name.lower():
                return scim(one)
        raise NotFoundException
    return scim(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(said),
            "startIndex": 1,
            "itemsPerPage": len(said),
            "Resources": [one for _, one in said],
        }
    )


def _client(request: StaffRequest) -> Client:
    return request.state.machine


def _base(request: StaffRequest) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{ROOT}"


ROUTES = [
    *[config, resource_types, schemas, list_users, search_users, show_user],
    nothing,
    *[make_user, replace_user, patch_user, delete_user],
]
__all__ = ["ROUTES", "User"]
