"""What a thief, a careless system or another site may try with codes, tokens, addresses and secrets."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from portal.features.oauth.systems import may_return
from tests.portal.oauth.conftest import said_in
from tests.portal.oauth.test_sign_on import MANAGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House
    from tests.portal.oauth.conftest import Party


def refused(party: Party, code: str, **more: str) -> None:
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.redeem(code, **more)


def test_a_code_that_comes_twice_ends_what_it_gave(house: House, party: Party) -> None:
    """Whoever redeemed it first, thief or owner."""
    code = party.code(house.worker(MANAGER))
    given = party.redeem(code)
    assert party.userinfo(given["access_token"]).status_code == 200
    refused(party, code)
    assert party.userinfo(given["access_token"]).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.refresh(given["refresh_token"])
    refused(party, code)


def test_two_at_the_same_moment_get_one_answer(house: House, party: Party) -> None:
    """A code is redeemed by one of ten."""
    import asyncio

    code = party.code(house.worker(MANAGER))

    async def one() -> bool:
        async with party.client() as client:
            try:
                await client.fetch_token("http://portal.test/oauth/token", code=code, code_verifier=party.verifier)
            except OAuthError:
                return False
        return True

    async def ten() -> list[bool]:
        return list(await asyncio.gather(*(one() for _ in range(10))))

    assert sum(house.loop.run(ten())) == 1


def test_a_refresh_token_that_comes_twice_ends_its_family(house: House, party: Party) -> None:
    """The thief's and the owner's tokens both; another authorisation of the same person goes on."""
    visitor = house.worker(MANAGER)
    first, other = party.redeem(party.code(visitor)), party.redeem(party.code(visitor))
    second = party.refresh(first["refresh_token"])
    third = party.refresh(second["refresh_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.refresh(first["refresh_token"])
    assert party.userinfo(third["access_token"]).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.refresh(third["refresh_token"])
    assert party.userinfo(other["access_token"]).status_code == 200


def test_another_systems_code_and_tokens(house: House, make_party: Callable[..., Party]) -> None:
    """They are of no use to it, and its try takes nothing from their owner."""
    party, thief = make_party(), make_party()
    thief.verifier, redirect = party.verifier, party.redirect_uri
    visitor = house.worker(MANAGER)
    code = party.code(visitor)
    refused(thief, code)
    refused(thief, code, redirect_uri=redirect)
    given = party.redeem(code)
    with pytest.raises(OAuthError, match="invalid_grant"):
        thief.refresh(given["refresh_token"])
    assert party.refresh(given["refresh_token"])


def test_pkce(house: House, party: Party) -> None:
    """A wrong verifier, none, the challenge itself; «plain», none and a short one are not begun with."""
    visitor = house.worker(MANAGER)
    code = party.code(visitor)
    for verifier in ("x" * 43, "", create_s256_code_challenge(party.verifier), party.verifier[:-1]):
        answer = party.post(
            "/oauth/token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": party.redirect_uri,
                "code_verifier": verifier,
            },
        )
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    assert party.redeem(code)
    for more in (
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
    ):
        sent = visitor.get(party.way(**more))
        assert said_in(sent.headers["location"], party.redirect_uri)["error"] == "invalid_request"


ALMOST = [
    lambda uri: uri + "/",
    lambda uri: uri + "?x=1",
    lambda uri: uri + "#x",
    lambda uri: uri + "/../back",
    lambda uri: uri.replace("https", "http"),
    lambda uri: uri.replace(".example", ".example.evil.example"),
    lambda uri: uri.replace("https://", "https://evil.example@"),
    lambda uri: uri.replace("/back", "/BACK"),
    lambda uri: uri.replace("/back", "/b%61ck"),
    lambda uri: uri + " ",
    lambda _: "javascript:alert(1)",
    lambda _: "",
    lambda _: None,
]


@pytest.mark.parametrize("change", ALMOST)
def test_a_redirect_address_that_is_almost_right(
    house: House, party: Party, change: Callable[[str], str | None]
) -> None:
    """A page says so; nobody is sent there, not even with an error."""
    for visitor in (house.worker(MANAGER), house.visitor()):
        for more in ({}, {"response_type": "nonsense"}, {"prompt": "none"}):
            answer = visitor.get(party.way(redirect_uri=change(party.redirect_uri), **more))
            assert answer.status_code == 400
            assert "location" not in answer.headers


def test_the_redirect_address_again_at_the_token_endpoint(house: House, make_party: Callable[..., Party]) -> None:
    """A code for one of a system's addresses is not redeemed for another."""
    party = make_party(redirect_uris=["https://a.example/back", "https://b.example/back"])
    code = party.code(house.worker(MANAGER))
    refused(party, code, redirect_uri="https://b.example/back")
    assert party.redeem(code)


def test_a_parameter_that_is_there_twice(house: House, party: Party) -> None:
    """Who reads the first and who the last would disagree."""
    visitor = house.worker(MANAGER)
    assert visitor.get(party.way() + "&redirect_uri=https://evil.example/").status_code == 400
    assert visitor.get(party.way() + f"&client_id={party.client_id}").status_code == 400
    answer = visitor.get(party.way() + "&scope=openid")
    assert said_in(answer.headers["location"], party.redirect_uri)["error"] == "invalid_request"
    twice = [("grant_type", "authorization_code"), ("grant_type", "refresh_token"), ("client_id", party.client_id)]
    body = "&".join(f"{name}={value}" for name, value in twice)
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = house.visitor().ask("POST", "/oauth/token", content=body, headers=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/x"}, "request_uri_not_supported"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"nonce": "x" * 2000}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_whole(house: House, party: Party, more: dict[str, str | None], error: str) -> None:
    """The system is told by the code that the standards have."""
    for visitor in (house.worker(MANAGER), house.visitor()):
        said = said_in(visitor.get(party.way(**more)).headers["location"], party.redirect_uri)
        assert (said["error"], said["state"]) == (error, "of the system")
        assert "code" not in said


def basic(name: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def test_secrets(house: House, make_party: Callable[..., Party]) -> None:
    """Wrong, empty, missing, shown twice, another's, of a system that is off."""
    party, public = make_party(), make_party(public=True)
    code = party.code(house.worker(MANAGER))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": party.redirect_uri,
        "code_verifier": party.verifier,
    }

    def ask(more: dict[str, str], headers: dict[str, str] | None = None) -> Any:
        return house.visitor().ask("POST", "/oauth/token", data={**form, **more}, headers=headers or {})

    secret = party.secret or ""
    wrong = [
        ask({"client_id": party.client_id}),
        ask({"client_id": party.client_id, "client_secret": ""}),
        ask({"client_id": party.client_id, "client_secret": "wrong"}),
        ask({"client_id": "nobody", "client_secret": secret}),
        ask({}, basic(party.client_id, "wrong")),
        ask({}, basic(party.client_id, "")),
        ask({}, {"authorization": "Basic !!!"}),
        ask({"client_id": public.client_id}, basic(party.client_id, secret)),
        ask({"client_id": public.client_id, "client_secret": "any"}),
    ]
    for answer in wrong:
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
        assert answer.headers["www-authenticate"].startswith("Basic")
    twice = ask({"client_secret": secret}, basic(party.client_id, secret))
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert ask({"client_id": public.client_id}).json() == {"error": "invalid_grant"}
    house.sql("update oauth_client set is_on = false where id = $1", party.id)
    assert ask({}, basic(party.client_id, secret)).status_code == 401
    house.sql("update oauth_client set is_on = true where id = $1", party.id)
    assert ask({}, basic(party.client_id, secret)).status_code == 200


def test_a_system_that_is_off_knows_nobody(house: House, party: Party) -> None:
    """Its tokens are gone for good, and nobody is sent to it."""
    visitor, chief = house.worker(MANAGER), house.worker("system-admin")
    given = party.redeem(party.code(visitor))
    for _ in range(2):
        assert chief.post(f"/sign-on/systems/{party.id}/switch").status_code == 303
        assert party.userinfo(given["access_token"]).status_code == 401
    house.sql("update oauth_client set is_on = false where id = $1", party.id)
    assert visitor.get(party.way()).status_code == 400


def test_guessing_is_slowed_down(house: House, party: Party) -> None:
    """Thirty misses a minute from one address, then nothing of it is looked at; others go on."""
    thief = house.visitor()
    form = {"grant_type": "authorization_code", "code": "x", "client_id": party.client_id, "client_secret": "guess"}
    answers = [thief.ask("POST", "/oauth/token", data=form, headers={}) for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {401}
    assert (answers[30].status_code, answers[30].headers["retry-after"]) == (429, "60")
    assert party.redeem(party.code(house.worker(MANAGER)))


def test_no_cookie_counts_at_the_machines_addresses(house: House, party: Party) -> None:
    """A signed-in browser that another site sends there gets nothing by its session."""
    visitor = house.worker(MANAGER)
    cross = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert visitor.ask("GET", "/oauth/userinfo", headers=cross).status_code == 401
    assert visitor.ask("POST", "/oauth/userinfo", headers=cross).status_code == 401
    form = {"grant_type": "authorization_code", "client_id": party.client_id}
    assert visitor.ask("POST", "/oauth/token", data=form, headers=cross).status_code == 401
    assert visitor.ask("POST", "/oauth/revoke", data={"token": "x"}, headers=cross).status_code == 401
    assert visitor.ask("POST", "/oauth/authorize", data=form, headers=cross).status_code == 403
    assert visitor.ask("POST", "/oauth/logout/confirm", headers=cross).status_code == 403
    assert visitor.get("/account").status_code == 200


def test_kinds_of_tokens_are_not_mixed(house: House, party: Party) -> None:
    """An access token refreshes nothing, a refresh token or an ID token reads nobody, a code is no token."""
    given = party.redeem(party.code(house.worker(MANAGER)))
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.refresh(given["access_token"])
    for token in (given["refresh_token"], given["id_token"], "x", ""):
        answer = party.userinfo(token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    house.sql("update oauth_token set ends_at = now() where kind = 'access'")
    assert party.userinfo(given["access_token"]).status_code == 401


def test_a_code_is_good_for_a_minute(house: House, party: Party) -> None:
    """Older ones are refused."""
    code = party.code(house.worker(MANAGER))
    house.sql("update oauth_code set ends_at = now()")
    refused(party, code)


def test_a_dump_of_the_tables_opens_nothing(house: House, party: Party) -> None:
    """Codes, tokens and secrets are there as prints, the signing key is sealed."""
    given = party.redeem(party.code(house.worker(MANAGER)))
    secrets = [party.secret or "", given["access_token"], given["refresh_token"]]
    for table in ("oauth_client", "oauth_code", "oauth_token", "oauth_login", "oauth_key"):
        dump = " ".join(row["line"] for row in house.sql(f"select t::text as line from {table} t"))
        assert dump
        assert not any(secret in dump for secret in secrets)
        assert b"PRIVATE KEY".hex() not in dump


@pytest.mark.parametrize(
    ("uri", "may"),
    [
        ("https://lms.example/back", True),
        ("https://lms.example/back?tenant=1", True),
        ("kz.elumiti.app:/back", True),
        ("http://lms.example/back", False),
        ("http://127.0.0.1:8000/back", False),
        ("https://lms.example/back#x", False),
        ("https://*.example/back", False),
        ("https://user:word@lms.example/", False),
        ("https://", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("app:/back", False),
        ("//lms.example/back", False),
        ("/back", False),
        ("https://lms.example/a b", False),
        ("https://[", False),
    ],
)
def test_which_addresses_a_system_may_return_to(uri: str, may: bool) -> None:
    """HTTPS, or an app's own scheme."""
    assert may_return(uri, loopback=False) is may
    assert may_return("http://127.0.0.1:8000/back", loopback=True)


def test_no_log_says_what_only_two_may_know(house: House, party: Party, capfd: pytest.CaptureFixture[str]) -> None:
    """Codes, tokens, secrets and verifiers pass by; the log has paths without what stands behind the question mark."""
    capfd.readouterr()
    code = party.code(house.worker(MANAGER))
    given = party.redeem(code)
    newer = party.refresh(given["refresh_token"])
    party.userinfo(newer["access_token"])
    refused(party, code)
    # The tests' own client logs its addresses on the other stream.
    said = capfd.readouterr().out
    assert "/oauth/token" in said
    assert "oauth.code.replayed" in said
    known = [
        code,
        party.secret or "",
        party.verifier,
        *(given[name] for name in ("access_token", "refresh_token", "id_token")),
    ]
    assert not [secret for secret in known if secret in said]
