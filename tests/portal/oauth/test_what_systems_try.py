"""What a joined system may try by itself: other grants, others' words, more than it may know still, a page in a frame."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client.errors import OAuthError

from tests.portal.oauth.test_sign_on import MANAGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House
    from tests.portal.oauth.conftest import Party


def test_what_a_system_may_know_no_more_it_is_not_told(house: House, party: Party) -> None:
    """Also by tokens from before, and by what they are refreshed to."""
    given = party.redeem(party.code(house.worker(MANAGER)))
    assert set(party.userinfo(given["access_token"]).json()) >= {"sub", "name", "roles"}
    house.sql("update oauth_client set scopes = array['openid'] where id = $1", party.id)
    assert set(party.userinfo(given["access_token"]).json()) == {"sub"}
    again = party.refresh(given["refresh_token"])
    assert again["scope"] == "openid"
    assert set(party.userinfo(again["access_token"]).json()) == {"sub"}


GRANTS = [
    {"grant_type": "password", "username": "x", "password": "y"},
    {"grant_type": "client_credentials"},
    {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "e30.e30.e30"},
    {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "x"},
    {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    {"grant_type": "implicit"},
]


@pytest.mark.parametrize("form", GRANTS, ids=lambda form: form["grant_type"].rpartition(":")[2])
def test_other_grants_there_are_none(party: Party, form: dict[str, str]) -> None:
    answer = party.post("/oauth/token", form)
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


def test_a_secret_is_shown_in_one_way_and_by_its_owner(house: House, party: Party) -> None:
    """An assertion with «none» or with a secret of its own, an empty secret, a body of another kind: nobody is let in."""
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    code = party.code(house.worker(MANAGER))
    base = {"grant_type": "authorization_code", "code": code, "redirect_uri": party.redirect_uri}
    base |= {"code_verifier": party.verifier, "client_id": party.client_id}
    for more in (
        {},
        {"client_secret": ""},
        {"client_secret": "\0"},
        {"client_assertion_type": kind, "client_assertion": f"{header}.e30."},
    ):
        answer = house.visitor().ask("POST", "/oauth/token", data={**base, **more})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert house.visitor().ask("POST", "/oauth/token", json={**base, "client_secret": party.secret}).status_code == 401
    assert party.redeem(code), "and the code waits for its owner"


def test_nothing_tells_one_system_about_anothers_tokens(house: House, make_party: Callable[..., Party]) -> None:
    """No introspection; revoking another's is silent and takes nothing."""
    party, other = make_party(), make_party()
    given = party.redeem(party.code(house.worker(MANAGER)))
    for path in ("/oauth/introspect", "/oauth/register", "/oauth/device"):
        assert other.post(path, {"token": given["access_token"]}).status_code in {403, 404}
    for token in (given["access_token"], given["refresh_token"]):
        assert other.post("/oauth/revoke", {"token": token}).status_code == 200
    assert party.userinfo(given["access_token"]).status_code == 200
    assert party.refresh(given["refresh_token"])


def test_a_shut_login_is_nobody_at_once(house: House, party: Party) -> None:
    """However it was shut: neither a code on its way nor tokens hold."""
    login = house.person(MANAGER)
    visitor = house.visitor(login)
    given, waiting = party.redeem(party.code(visitor)), party.code(visitor)
    house.sql("update staff set disabled_at = now() where login = $1", login)
    assert party.userinfo(given["access_token"]).status_code == 401
    for use in (lambda: party.redeem(waiting), lambda: party.refresh(given["refresh_token"])):
        with pytest.raises(OAuthError, match="invalid_grant"):
            use()


@pytest.mark.parametrize("more", [{"nonce": "a\0b"}, {"client_id": "\0"}, {"redirect_uri": "\0"}])
def test_a_letter_that_no_column_holds(house: House, party: Party, more: dict[str, str]) -> None:
    """Refused, and nobody is sent anywhere with it."""
    answer = house.worker(MANAGER).get(party.way(**more))
    assert answer.status_code in {400, 404}
    assert "location" not in answer.headers


def test_line_ends_of_a_state_stay_in_the_address(house: House, party: Party) -> None:
    answer = house.worker(MANAGER).get(party.way(state="a\r\nset-cookie: x=1"))
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["a\r\nset-cookie: x=1"]
    assert "x=1" not in str(answer.headers.get_list("set-cookie"))


def test_nobody_frames_the_page_that_asks(house: House, make_party: Callable[..., Party]) -> None:
    """Nor does a click that was aimed at something else say yes: the form wants its token, from our own page."""
    foreign = make_party(is_own=False)
    visitor = house.worker(MANAGER)
    page = visitor.get(foreign.way())
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    fields = {name: values[0] for name, values in parse_qs(urlsplit(foreign.way()).query).items()}
    for head in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = visitor.ask("POST", "/oauth/authorize", data={**fields, "answer": "yes"}, headers=head)
        assert answer.status_code == 403


def test_a_word_of_another_person_signs_nobody_out(house: House, party: Party) -> None:
    """An ID token of somebody else, a forged one, one of another system: the page asks, and leads to no address of theirs."""
    mine, others = house.worker(MANAGER), house.worker(MANAGER)
    token = party.redeem(party.code(others))["id_token"]
    head, body, _ = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for hint in (token, f"{none}.{body}.", f"{head}.{body}.AAAA", "x" * 9000):
        answer = mine.get(f"/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/")
        assert (answer.status_code, answer.headers.get("location")) == (200, None)
    assert mine.get("/account").status_code == 200, "still in"
