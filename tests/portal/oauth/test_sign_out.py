"""Signing out reaches each system that was entered, by whatever the session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from portal.features.oauth.backchannel import EVENT, PAUSES, send_logouts
from tests.portal.conftest import PASSWORD
from tests.portal.oauth.test_sign_on import MANAGER, onward, staff_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Visitor
    from tests.portal.oauth.conftest import Party


def round_of(house: House) -> None:
    """The worker's."""
    state = house.front.inner.state
    house.loop.run(send_logouts(state.pool, state.settings))


def entered(party: Party, visitor: Visitor) -> dict[str, object]:
    """Signed in at the system; the claims of its ID token, and the token."""
    token = party.redeem(party.code(visitor))["id_token"]
    return {**party.claims(token), "token": token}


def logout(visitor: Visitor, **said: str):  # noqa: ANN201 (an answer)
    return visitor.get("/oauth/logout?" + urlencode(said))


def test_one_sign_out_reaches_both_systems(house: House, make_party: Callable[..., Party]) -> None:
    """Each by a token of its own; a session of another browser goes on."""
    first, second = make_party(), make_party()
    login = house.person(MANAGER)
    visitor, other = house.visitor(login), house.visitor(login)
    at_first, at_second, elsewhere = entered(first, visitor), entered(second, visitor), entered(first, other)
    assert visitor.post("/sign-out").status_code == 303
    round_of(house)
    for party, known in ((first, at_first), (second, at_second)):
        assert len(party.heard) == 1
        said = party.claims(party.heard[0], "logout+jwt")
        assert (said["aud"], said["sub"], said["sid"]) == (party.client_id, known["sub"], known["sid"])
        assert said["events"] == {EVENT: {}}
        assert "nonce" not in said
        assert 0 < said["exp"] - said["iat"] <= 120
        assert said["jti"]
    assert first.code(other)
    assert elsewhere["sid"] != at_first["sid"]
    round_of(house)
    assert (len(first.heard), len(second.heard)) == (1, 1), "told once"


@pytest.mark.parametrize("end", ["password", "disabled", "ended", "over"])
def test_whatever_ends_the_session(house: House, party: Party, end: str) -> None:
    """Also without a sign-out."""
    login = house.person(MANAGER)
    visitor = house.visitor(login)
    entered(party, visitor)
    if end == "password":
        visitor.post("/account/password", {"old": PASSWORD, "new": "ұзақ әрі жаңа құпиясөз"})
    elif end == "disabled":
        house.worker("super-admin").post(f"/staff/{staff_of(house, login)}/disable")
    elif end == "ended":
        house.visitor(login).post("/account/sessions/end-others")
    else:
        house.sql("update staff_session set ends_at = now() where staff_id = $1", staff_of(house, login))
        house.worker(MANAGER)
    round_of(house)
    assert len(party.heard) == 1


def test_a_system_asks_for_it_with_its_word(house: House, make_party: Callable[..., Party]) -> None:
    """An ID token of ours that names the person: he is out at once, and led back to the system's own address."""
    first, second = make_party(), make_party()
    visitor = house.worker(MANAGER)
    known = entered(first, visitor)
    entered(second, visitor)
    answer = logout(
        visitor, id_token_hint=str(known["token"]), post_logout_redirect_uri=first.logout_uri, state="of the system"
    )
    assert answer.headers["location"] == first.logout_uri + "?state=of+the+system"
    assert visitor.get("/account").status_code == 303
    round_of(house)
    assert (len(first.heard), len(second.heard)) == (1, 1)


def test_without_its_word_a_page_asks(house: House, make_party: Callable[..., Party]) -> None:
    """Any site can send a browser there: no hint, a forged one, another person's, another system's name beside it."""
    party, other = make_party(), make_party()
    visitor, stranger = house.worker(MANAGER), house.worker(MANAGER)
    known, theirs = entered(party, visitor), entered(party, stranger)
    cut = str(known["token"])[:-8] + "AAAAAAAA"
    tries = [
        {},
        {"client_id": party.client_id},
        {"id_token_hint": cut},
        {"id_token_hint": str(theirs["token"])},
        {"id_token_hint": str(known["token"]), "client_id": other.client_id},
    ]
    for said in tries:
        answer = logout(visitor, post_logout_redirect_uri=party.logout_uri, **said)
        assert answer.status_code == 200, said
        assert visitor.get("/account").status_code == 200
    said = {"client_id": party.client_id, "post_logout_redirect_uri": party.logout_uri}
    page = visitor.post("/oauth/logout/confirm", said)
    assert onward(page.text) == party.logout_uri
    assert visitor.get("/account").status_code == 303
    assert logout(visitor, **said).headers["location"] == party.logout_uri, "who is out already goes on"


def test_a_form_of_the_system_leads_to_the_same(house: House, party: Party) -> None:
    """Its browser brings no cookie with such a form, so it is opened once more as an address."""
    form = {"client_id": party.client_id, "post_logout_redirect_uri": party.logout_uri, "x": "y"}
    answer = house.visitor().ask("POST", "/oauth/logout", data=form, headers={"sec-fetch-site": "cross-site"})
    parts = urlsplit(answer.headers["location"])
    assert parts.path == "/oauth/logout"
    assert set(parse_qs(parts.query)) == {"client_id", "post_logout_redirect_uri"}


@pytest.mark.parametrize("wrong", ["/", "?x=1", "#x", ".evil.example"])
def test_an_address_that_is_almost_right_is_not_gone_to(house: House, party: Party, wrong: str) -> None:
    """He is out all the same, and stays with us."""
    visitor = house.worker(MANAGER)
    known = entered(party, visitor)
    answer = logout(visitor, id_token_hint=str(known["token"]), post_logout_redirect_uri=party.logout_uri + wrong)
    assert answer.headers["location"] == "/sign-in?said=out"
    assert visitor.get("/account").status_code == 303


def test_a_system_that_is_away_is_told_later(house: House, party: Party) -> None:
    """Tried again until it hears; what it refuses for good is given up, and the page of systems says so."""
    visitor = house.worker(MANAGER)
    entered(party, visitor)
    party.says = 503
    visitor.post("/sign-out")
    for _ in range(2):
        round_of(house)
        house.sql("update oauth_logout set next_at = now()")
    assert len(party.heard) == 2
    assert "503" in house.worker("system-admin").get("/sign-on/systems").text
    party.says = 200
    round_of(house)
    round_of(house)
    assert len(party.heard) == 3
    assert {row["state"] for row in house.sql("select state from oauth_logout")} == {"sent"}
    party.says = 400
    again = house.worker(MANAGER)
    entered(party, again)
    again.post("/sign-out")
    round_of(house)
    states = [row["state"] for row in house.sql("select state from oauth_logout order by id")]
    assert states == ["sent", "given_up"]


def test_it_is_given_up_at_last(house: House, party: Party) -> None:
    """Nobody is asked for ever."""
    visitor = house.worker(MANAGER)
    entered(party, visitor)
    party.says = 500
    visitor.post("/sign-out")
    for _ in range(len(PAUSES) + 3):
        round_of(house)
        house.sql("update oauth_logout set next_at = now()")
    assert len(party.heard) == len(PAUSES) + 1
    assert [row["state"] for row in house.sql("select state from oauth_logout")] == ["given_up"]


def test_an_address_of_our_own_network_is_never_told(house: House, make_party: Callable[..., Party]) -> None:
    """Whoever wrote it into the table."""
    party = make_party(backchannel_uri="https://10.0.0.1/logout")
    visitor = house.worker(MANAGER)
    entered(party, visitor)
    visitor.post("/sign-out")
    round_of(house)
    rows = house.sql("select state, said from oauth_logout where client_id = $1", party.id)
    assert [tuple(row) for row in rows] == [("given_up", "not a public address")]
