"""Every route names a permission; strangers are led to the sign-in. Role × route is tried in test_matrix.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from litestar import get

from portal.core.permissions.catalogue import CODES, EVERYBODY
from portal.core.permissions.guards import declared, require_declared
from portal.features.routes import ROUTES

if TYPE_CHECKING:
    from tests.portal.conftest import House

HOLE = re.compile(r"\{(\w+):(\w+)\}")
# An id that no row has, so that whoever passes the guard changes nothing.
ABSENT = {"int": "999999999", "str": "csv", "path": "absent"}


def addresses() -> list[tuple[str, str, str]]:
    """(method, path, permission) of every route."""
    return sorted(
        (method, HOLE.sub(lambda hole: ABSENT[hole.group(2)], path), declared(handler) or "")
        for handler in ROUTES
        for path in handler.paths
        for method in handler.http_methods
        if method in {"GET", "POST"}
    )


def test_every_route_declares_a_permission_of_the_catalogue() -> None:
    """No route can be forgotten."""
    for method, path, permission in addresses():
        assert permission == "public" or permission in CODES, (method, path)


def test_a_route_without_a_guard_stops_the_start() -> None:
    """Default deny."""

    @get("/forgotten")
    async def forgotten() -> str:
        return "everybody reads this"

    with pytest.raises(RuntimeError, match="declares no permission"):
        require_declared([forgotten])


def test_a_stranger_is_led_to_the_sign_in(house: House) -> None:
    """Pages redirect with their own address; forms go to the sign-in; programs get 401."""
    stranger = house.visitor()
    for method, path, permission in addresses():
        if permission == "public":
            continue
        answer = stranger.get(path) if method == "GET" else stranger.post(path)
        assert answer.status_code == 303, (method, path, answer.status_code)
        assert answer.headers["location"].startswith("/sign-in"), path
        assert stranger.ask(method, path, headers={"accept": "application/json"}).status_code in {401, 403}


def test_the_database_gives_only_permissions_that_exist(house: House) -> None:
    """Data and code agree."""
    given = {row["permission"] for row in house.sql("select distinct permission from role_permission")}
    assert given <= CODES
    assert given == CODES - EVERYBODY
