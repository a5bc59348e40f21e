"""One error shape: RFC 9457 for programs, a page with advice for people, in their language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from portal.core.front import Front
from tests.portal.conftest import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene

KEYS = {"type", "title", "status", "detail", "code"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, "not-there"),
        ("/sittings/999999999", 404, "not-there"),
        ("/sittings/x", 404, "not-there"),
        ("/audit", 403, "not-allowed"),
        ("/sittings/export/doc", 404, "not-there"),
    ],
)
def test_a_program_gets_the_canonical_error(house: House, path: str, status: int, code: str) -> None:
    """Same keys, right type, stable code."""
    answer = house.worker("proctor").get(path, headers={"accept": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == KEYS
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("language", "title"), [("kk", "Бұл мекенжайда ештеңе жоқ."), ("ru", "По этому адресу ничего нет.")]
)
def test_a_person_gets_a_page_in_his_language(house: House, language: str, title: str) -> None:
    """With advice and a code for support."""
    answer = house.worker("proctor").get(f"/nowhere?lang={language}")
    assert answer.status_code == 404
    assert title in answer.text
    assert "not-there" in answer.text


def test_every_answer_carries_the_security_headers(house: House) -> None:
    """Also errors and redirects; nothing inline is allowed."""
    for answer in (house.visitor().get("/"), house.visitor().get("/sign-in"), house.visitor().get("/nowhere")):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers, "a demo has no certificate"


def test_with_a_certificate_nobody_asks_in_the_clear_again(house: House) -> None:
    """Whatever the answer, and the cookies go over HTTPS alone."""
    front = Front(house.front.inner, csrf_key=bytes(32), secure=True)

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=front)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="https://portal.test") as client:
            return await client.get(path)

    for path in ("/sign-in", "/nowhere", "/static/dist/icons.svg"):
        answer = house.loop.run(ask(path))
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


def test_with_a_certificate_a_neighbour_plants_no_session(house: House) -> None:
    """Cookies are this host's alone (`__Host-`); one by the plain name, which any name of our domain can set, is nobody's."""
    front = Front(house.front.inner, csrf_key=bytes(32), secure=True)
    visitor = house.worker("proctor")
    session = visitor.cookies["elumiti_session"]

    async def ask(name: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=front)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="https://portal.test") as client:
            return await client.get("/account", headers={"cookie": f"{name}={session}", "accept": "text/html"})

    assert house.loop.run(ask("__Host-elumiti_session")).status_code == 200
    stranger = house.loop.run(ask("elumiti_session"))
    assert stranger.status_code == 303
    assert all(
        cookie.startswith("__Host-") and "Path=/" in cookie for cookie in stranger.headers.get_list("set-cookie")
    )


@pytest.mark.parametrize(
    "path",
    [
        "/sittings/2147483648",
        "/sittings/{id}/participants/99999999999999999999",
        "/jobs/9223372036854775808",
        "/sittings/{id}/scores/1/differences/9999999999",
        "/sittings/{id}/controls/new?kind=message&scope=region&id=%00",
        "/sittings/{id}/controls/new?kind=extra&scope=attempt&id=99999999999999999999",
        "/sittings/" + "9" * 5000,
    ],
)
def test_a_value_that_no_column_holds_is_nothing_there(
    house: House, make_sitting: Callable[..., Scene], path: str
) -> None:
    """Larger than the column's type, or a letter that the database cannot hold."""
    answer = house.worker("super-admin").get(path.format(id=make_sitting().id))
    assert answer.status_code == 404, answer.text[-500:]
    assert "not-there" in answer.text


def test_the_figures_are_there_for_this_machine_only(house: House) -> None:
    """To the public `/metrics` is an address like any that leads nowhere."""
    visitor = Visitor(house)
    answers = [visitor.get(path, headers={"accept": "application/json"}) for path in ("/metrics", "/nowhere")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    visitor.address = "127.0.0.1"
    assert "python_info" in visitor.get("/metrics").text
    assert visitor.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404
