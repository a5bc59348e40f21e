"""Every route names a permission, and each role × route is tried; the table comes from the routes themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from litestar import get

from portal.core.permissions.catalogue import CODES, EVERYBODY, ROLES
from portal.core.permissions.guards import declared, require_declared
from portal.features import ROUTES

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor

HOLE = re.compile(r"\{(\w+):(\w+)\}")
# An id that no row has, so that whoever passes the guard changes nothing.
ABSENT = {"int": "999999999", "str": "csv"}


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


@pytest.mark.parametrize("role", [*ROLES, "no-role"])
def test_each_role_on_each_route(house: House, role: str) -> None:
    """403 without the permission; with it, never 401, 403 or a broken page."""
    held = {row["permission"] for row in house.sql("select permission from role_permission where role = $1", role)}
    person: Visitor = house.worker(role)
    for method, path, permission in addresses():
        if path in {"/sign-out", "/sign-in"} or path.startswith("/account/password"):
            continue
        answer = person.get(path) if method == "GET" else person.post(path)
        if permission == "public" or permission in held | EVERYBODY:
            assert answer.status_code not in {401, 500}, (role, method, path, answer.status_code)
            # A control route needs one of three permissions besides the one it declares.
            if "/controls" not in path:
                assert answer.status_code != 403, (role, method, path)
        else:
            assert answer.status_code == 403, (role, method, path, answer.status_code)


def test_what_lies_in_another_territory_is_absent(house: House, make_sitting) -> None:  # noqa: ANN001
    """The same 404 for a sitting of another region and for none; also for its pupils and their pages."""
    scene = make_sitting()
    other = house.sql("select 'X' || $1::int as code", scene.id)[0]["code"]
    house.sql("insert into region values ($1, 'Басқа', 'Другая', 'Other')", other)
    for role in ROLES:
        neighbour = house.worker(role, region=other)
        for method, path, permission in addresses():
            here = path.replace("/sittings/999999999", f"/sittings/{scene.id}", 1)
            here = here.replace("/participants/999999999", f"/participants/{scene.pupils[0]}")
            if here == path or method == "POST":
                continue
            held = neighbour.get(here).status_code
            assert held in {403, 404}, (role, permission, here, held)
        assert "Сынақ" not in neighbour.get("/").text
        assert f"/sittings/{scene.id}/" not in neighbour.get("/search?q=серік").text


def test_the_database_gives_only_permissions_that_exist(house: House) -> None:
    """Data and code agree."""
    given = {row["permission"] for row in house.sql("select distinct permission from role_permission")}
    assert given <= CODES
    assert given == CODES - EVERYBODY
