"""Every route of the application × every role, over HTTP with real sessions: allowed and refused as the data says."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar.routes import HTTPRoute

from portal.core.accounts import Place, create_staff, give_role, sessions
from portal.core.accounts.sessions import key_hash
from portal.core.db import prepare
from portal.core.permissions.catalogue import CODES, EVERYBODY
from portal.core.permissions.guards import Allows, Public
from portal.core.permissions.modules import MODULES, module_of
from portal.core.projects import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Scene

HOLE = re.compile(r"\{(\w+):(\w+)\}")
# An id that no row has, so that whoever passes the guard changes nothing.
ABSENT = {"int": "999999999", "str": "csv", "path": "app.css"}
# They end the session that the test asks with.
LEFT_OUT = {"/sign-in", "/sign-out", "/raise/end", "/oauth/logout/confirm"}
REFUSED = {"not-allowed", "needs-raised-session", "not-signed-in", "second-factor-wanted", "module-off", "form-expired"}
# What a control needs besides its route's permission: the one of its kind.
OF_CONTROLS = {"control.message", "control.time", "control.end"}
AT_ONCE = 8
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("-")
addresses = itertools.count(1)


class Route(msgspec.Struct, frozen=True):
    """A method of a route, with the permission it names (None: it forgot)."""

    method: str
    pattern: str
    permission: str | None

    def address(self, **known: int) -> str:
        """Its address: with rows that are known, with ids of nothing for the rest."""
        return HOLE.sub(lambda hole: str(known.get(hole.group(1), ABSENT[hole.group(2)])), self.pattern)


def routes(house: House) -> Iterator[Route]:
    """From the table that requests are matched with, not from the lists that it was made of."""
    for route in house.front.inner.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            named = [guard for guard in handler.resolve_guards() if isinstance(guard, (Allows, Public))]
            for method in sorted(handler.http_methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                yield Route(method, route.path, named[0].permission if named else None)


def test_no_route_of_the_application_forgot_its_permission(house: House) -> None:
    """Also those that a library adds."""
    table = list(routes(house))
    assert len(table) > 100
    assert [route for route in table if route.permission not in CODES | {"public"}] == []


class Session(msgspec.Struct, frozen=True):
    """A signed-in person."""

    role: str
    cookie: str
    token: str
    address: str


async def begin(house: House, role: str, place: Place, *, raised: bool, project: str = PROJECT) -> Session:
    """A person of one role, with his second factor shown; made by the accounts' own functions."""
    db = await asyncpg.connect(house.owner_url)
    await prepare(db)
    try:
        number, now = next(addresses), dt.datetime.now(dt.UTC)
        address = f"10.77.{number // 250}.{number % 250}"
        staff = await create_staff(db, login=f"matrix-{number}", full_name=f"Матрица {number}", password="-" * 12)
        ends = now + dt.timedelta(days=1)
        await give_role(db, staff_id=staff, role=role, ends_at=ends, place=place, project=project)
        # A password that is cheap to compare, and an app in use: four thousand requests draw no square codes.
        await db.execute("update staff set password_hash = $2 where id = $1", staff, CHEAP)
        await db.execute("insert into staff_totp (staff_id, secret, confirmed_at) values ($1, '', now())", staff)
        cookie = await sessions.begin(db, staff, address, "matrix", now)
        await sessions.show_factor(db, key_hash(cookie), now)
        if raised:
            await sessions.raise_session(db, key_hash(cookie), "Матрица", now + dt.timedelta(hours=1))
        token = await db.fetchval("select csrf from staff_session where key_hash = $1", key_hash(cookie))
        return Session(role, cookie, token, address)
    finally:
        await db.close()


async def ask(house: House, session: Session, asked: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Status and problem's code (empty for a page) of each, a few at once."""
    headers = {
        "cookie": f"{sessions.COOKIE}={session.cookie}",
        "x-csrf-token": session.token,
        "accept": "application/json",
        "host": "portal.test",
    }
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(method: str, path: str) -> tuple[int, str]:
        async with turn:
            return await _answer(house, session.address, method, path, sent)

    return await asyncio.gather(*(one(*each) for each in asked))


async def _answer(
    house: House, address: str, method: str, path: str, headers: list[tuple[bytes, bytes]]
) -> tuple[int, str]:
    """One request by ASGI itself: a client takes a fifth of the time of ten thousand."""
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""}
    scope |= {"method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    scope |= {"client": (address, 1), "server": ("portal.test", 80)}
    heard: list[dict[str, Any]] = []
    told: list[dict[str, object]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, object]:
        # Who listens on meets one that waits for his answer.
        return told.pop() if told else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        heard.append(message)

    await house.front(scope, receive, send)  # type: ignore[arg-type]
    problem = dict(heard[0]["headers"]).get(b"content-type", b"").startswith(b"application/problem+json")
    body = b"".join(message["body"] for message in heard[1:] if message.get("body")) if problem else b""
    return heard[0]["status"], msgspec.json.decode(body)["code"] if problem else ""


def held(house: House, role: str, *, at_rest: bool = False) -> set[str]:
    """What the data gives a role."""
    rows = house.sql("select permission from role_permission where role = $1 and (at_rest or not $2)", role, at_rest)
    return {row["permission"] for row in rows} | EVERYBODY | {"public"}


def roles(house: House) -> list[tuple[str, bool]]:
    """(role, whether it works in raised sessions)."""
    return [(row["code"], row["raised"]) for row in house.sql("select code, raised from role order by code")]


@pytest.mark.parametrize("quarter", range(4))
def test_each_role_on_each_route(house: House, quarter: int) -> None:
    """Refused exactly where the role's permissions lack the route's; a super-admin at rest and raised."""
    table = [route for route in routes(house) if route.pattern not in LEFT_OUT]
    asked = [(route.method, route.address()) for route in table]
    known = roles(house)
    assert len(known) >= 24
    wrong: list[object] = []
    for role, works_raised in known[quarter::4]:
        for raised in {False, works_raised}:
            session = house.loop.run(begin(house, role, Place(), raised=raised))
            may, in_all = held(house, role, at_rest=works_raised and not raised), held(house, role)
            answers = house.loop.run(ask(house, session, asked), 60)
            for route, (status, code) in zip(table, answers, strict=True):
                if "/controls" in route.pattern and route.permission in may and not OF_CONTROLS & may:
                    fits = (status, code) in {(403, "not-allowed"), (404, "not-there")}
                elif route.permission in may:
                    fits = code not in REFUSED and status < 500
                else:
                    fits = (status, code) == (
                        403,
                        "needs-raised-session" if route.permission in in_all else "not-allowed",
                    )
                if not fits:
                    wrong.append((role, raised, route, status, code))
    assert wrong == []


def test_a_module_that_is_off_is_nowhere(house: House) -> None:
    """404 with its page for whoever holds the permission and for whoever does not; the house itself stays."""
    project = "birge-oqy"
    table = [route for route in routes(house) if route.pattern not in LEFT_OUT]
    asked = [(route.method, route.address()) for route in table]
    house.sql("insert into project_module select $1, unnest($2::text[]), false", project, list(MODULES))
    try:
        for role in ("test-administrator", "proctor"):
            session = house.loop.run(begin(house, role, Place(), raised=False, project=project))
            for route, answer in zip(table, house.loop.run(ask(house, session, asked), 60), strict=True):
                off = module_of(route.permission or "") in MODULES
                assert (answer == (404, "module-off")) is off, (role, route, answer)
        elsewhere = house.loop.run(begin(house, "proctor", Place(), raised=False))
        assert house.loop.run(ask(house, elsewhere, [("GET", "/sittings")]), 60) == [(200, "")]
    finally:
        house.sql("delete from project_module where project = $1", project)


def test_what_lies_in_another_territory_is_absent(house: House, make_sitting) -> None:  # noqa: ANN001
    """To each role that may open such a thing at all, a sitting or pupil of another region is what one is that never was."""
    scene: Scene = make_sitting()
    other = f"X{scene.id}"
    house.sql("insert into region values ($1, 'Басқа', 'Другая', 'Other')", other)
    whole = [route for route in routes(house) if "{sitting_id:int}" in route.pattern]
    there = {"sitting_id": scene.id, "participant_id": scene.pupils[0], "attempt_id": scene.pupils[0]}
    for role, raised in roles(house):
        may = held(house, role)
        # That the others are refused whatever they name, the matrix above shows.
        table = [route for route in whole if route.permission in may]
        foreign = [(route.method, route.address(**there)) for route in table]
        absent = [(route.method, route.address()) for route in table]
        session = house.loop.run(begin(house, role, Place(region=other), raised=raised))
        answers = house.loop.run(ask(house, session, [*foreign, *absent]), 60)
        for route, seen, never in zip(table, answers, answers[len(table) :], strict=False):
            assert seen == never, (role, route, seen, never)
            if "/controls" not in route.pattern or OF_CONTROLS & may:
                assert seen[0] in {400, 404, 422}, (role, route, seen)
        visitor = [("GET", "/"), ("GET", "/search?q=серік"), ("GET", "/sittings"), ("GET", "/live")]
        assert house.loop.run(text_of(house, session, visitor)).find("Сынақ") == -1, role


async def text_of(house: House, session: Session, asked: list[tuple[str, str]]) -> str:
    """What the pages say, one after the other."""
    transport = httpx.ASGITransport(app=house.front, client=(session.address, 1))  # type: ignore[arg-type]
    headers = {"cookie": f"{sessions.COOKIE}={session.cookie}", "accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test", headers=headers) as client:
        return "".join([(await client.request(*each)).text for each in asked])


@pytest.mark.parametrize("project", ["qabilet", "birge-oqy"])
def test_a_role_of_one_project_gives_nothing_in_another(house: House, make_sitting, project: str) -> None:  # noqa: ANN001
    """A test administrator there neither sees nor finds what belongs to Myń Bala, over the whole country."""
    scene: Scene = make_sitting()
    session = house.loop.run(begin(house, "test-administrator", Place(), raised=False, project=project))
    asked = [("GET", f"/sittings/{scene.id}"), ("GET", f"/sittings/{scene.id}/participants/{scene.pupils[0]}")]
    assert house.loop.run(ask(house, session, asked)) == [(404, "not-there")] * 2
    lists = [("GET", path) for path in ("/", "/search?q=серік", "/sittings", "/live", "/acts", "/sittings/export/csv")]
    assert "Сынақ" not in house.loop.run(text_of(house, session, lists))
