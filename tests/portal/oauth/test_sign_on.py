"""A system signs its people in with us: the whole way by a library that knows nothing of us, and what it gets to know."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client.errors import OAuthError

from tests.portal.conftest import PASSWORD
from tests.portal.oauth.conftest import at, said_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House
    from tests.portal.oauth.conftest import Party

MANAGER = "myn-bala-school-manager"


def staff_of(house: House, login: str) -> int:
    return house.sql("select id from staff where login = $1", login)[0]["id"]


def onward(text: str) -> str:
    """Where a page leads on to."""
    return text.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")


def test_the_configuration_names_addresses_that_are_there(house: House, party: Party) -> None:
    """Under the issuer's name, which ID tokens have too."""
    said = house.visitor().get("/.well-known/openid-configuration").json()
    home = house.settings.portal_url.rstrip("/")
    assert said["issuer"] == home
    for name, value in said.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(home + "/"), name
    assert party.claims(party.redeem(party.code(house.worker(MANAGER)))["id_token"])["iss"] == home


def test_the_whole_way(house: House, party: Party) -> None:
    """From a stranger to a person with a name; nothing of ours (number, login) is told."""
    login, visitor = house.person(MANAGER), house.visitor()
    house.sql("update staff set email = $2, email_proven_at = now() where login = $1", login, f"{login}@mail.test")
    sent = visitor.get(party.way())
    assert sent.headers["location"].startswith("/sign-in?next=")
    target = parse_qs(urlsplit(sent.headers["location"]).query)["next"][0]
    landed = visitor.post("/sign-in", {"login": login, "password": PASSWORD, "next": target})
    assert landed.headers["location"] == target
    # After a form a page leads on: browsers hold «form-action 'self'» against a form's redirects.
    page = visitor.get(target)
    assert page.status_code == 200
    said = said_in(onward(page.text), party.redirect_uri)
    assert (said["state"], said["iss"]) == ("of the system", house.settings.portal_url.rstrip("/"))
    given = party.redeem(said["code"])
    claims = party.claims(given["id_token"])
    assert (claims["aud"], claims["nonce"]) == (party.client_id, "drawn by the system")
    assert abs(claims["auth_time"] - dt.datetime.now(dt.UTC).timestamp()) < 60
    assert {"login", "name", "email"} & claims.keys() == set()
    person = party.userinfo(given["access_token"]).json()
    assert person == {
        "sub": claims["sub"],
        "name": f"Адам {login}",
        "locale": "kk",
        "email": f"{login}@mail.test",
        "email_verified": True,
        "roles": [MANAGER],
    }
    assert claims["sub"] not in {login, str(staff_of(house, login))}


def test_single_sign_on_and_another_number_at_each(house: House, make_party: Callable[..., Party]) -> None:
    """Signed in once, he passes at the second system without typing; the two cannot join their lists."""
    first, second = make_party(), make_party()
    visitor = house.worker(MANAGER)
    one = first.claims(first.redeem(first.code(visitor))["id_token"])
    two = second.claims(second.redeem(second.code(visitor))["id_token"])
    again = first.claims(first.redeem(first.code(visitor))["id_token"])
    assert one["sub"] == again["sub"] != two["sub"]
    assert one["sid"] == again["sid"] != two["sid"]


def test_what_was_not_asked_for_or_is_not_the_systems_is_not_told(
    house: House, make_party: Callable[..., Party]
) -> None:
    """Scopes are those of the request and of the system both; an e-mail that is not proven is none."""
    narrow = make_party(scopes=["openid", "email"])
    given = narrow.redeem(narrow.code(house.worker(MANAGER)))
    assert given["scope"] == "openid email"
    assert set(narrow.userinfo(given["access_token"]).json()) == {"sub"}
    wide = make_party()
    given = wide.redeem(wide.code(house.worker(MANAGER), scope="openid profile unheard-of"))
    assert set(wide.userinfo(given["access_token"]).json()) == {"sub", "name", "locale"}


def test_roles_are_of_the_systems_project_and_of_now(house: House, make_party: Callable[..., Party]) -> None:
    """Of another project none; one that was taken is gone at the next look; none without the second proof it wants."""
    here, there = make_party(project="myn-bala"), make_party(project="qabilet")
    login = house.person(MANAGER)
    visitor = house.visitor(login, strict=True)
    ours = here.redeem(here.code(visitor))["access_token"]
    theirs = there.redeem(there.code(visitor))["access_token"]
    assert here.userinfo(ours).json()["roles"] == [MANAGER]
    assert there.userinfo(theirs).json()["roles"] == []
    house.sql(
        """
        insert into staff_grant (staff_id, role, project, ends_at)
        select $1, 'test-administrator', 'myn-bala', now() + interval '1 day'
        """,
        staff_of(house, login),
    )
    assert here.userinfo(ours).json()["roles"] == [], "he has not shown his second proof"
    house.sql("update staff_session set factor_at = now() where staff_id = $1", staff_of(house, login))
    assert here.userinfo(ours).json()["roles"] == [MANAGER, "test-administrator"]
    house.sql("update staff_grant set ends_at = now() where staff_id = $1", staff_of(house, login))
    assert here.userinfo(ours).json()["roles"] == []


def test_a_foreign_system_asks_once(house: House, make_party: Callable[..., Party]) -> None:
    """The page says what it will know; a no goes back as one; more than he allowed asks again; taken back, it asks anew."""
    foreign = make_party(is_own=False)
    login = house.person(MANAGER)
    visitor = house.visitor(login)
    page = visitor.get(foreign.way(scope="openid profile"))
    assert page.status_code == 200
    assert "Жүйе" in page.text
    fields = {name: values[0] for name, values in parse_qs(urlsplit(foreign.way(scope="openid profile")).query).items()}
    no = visitor.post("/oauth/authorize", {**fields, "answer": "no"})
    assert said_in(onward(no.text), foreign.redirect_uri)["error"] == "access_denied"
    assert house.visitor(login).ask("POST", "/oauth/authorize", data={**fields, "answer": "yes"}).status_code == 403, (
        "CSRF"
    )
    yes = visitor.post("/oauth/authorize", {**fields, "answer": "yes"})
    given = foreign.redeem(said_in(onward(yes.text), foreign.redirect_uri)["code"])
    assert foreign.code(visitor, scope="openid profile")
    assert visitor.get(foreign.way()).status_code == 200, "it wants to know more"
    assert visitor.get(foreign.way(scope="openid", prompt="consent")).status_code == 200
    assert f"/oauth/consent/{foreign.id}/forget" in visitor.get("/account").text
    assert visitor.post(f"/oauth/consent/{foreign.id}/forget").status_code == 303
    assert foreign.userinfo(given["access_token"]).status_code == 401
    assert visitor.get(foreign.way(scope="openid profile")).status_code == 200


def test_a_yes_that_was_changed_on_its_way_is_looked_at_anew(house: House, make_party: Callable[..., Party]) -> None:
    """The hidden fields of the page are nobody's word."""
    foreign = make_party(is_own=False)
    visitor = house.worker(MANAGER)
    fields = {name: values[0] for name, values in parse_qs(urlsplit(foreign.way()).query).items()}
    for changed in ({"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}):
        assert visitor.post("/oauth/authorize", {**fields, **changed, "answer": "yes"}).status_code == 400


def test_prompts(house: House, make_party: Callable[..., Party]) -> None:
    """None asks nothing and says what is missing; login and max_age ask for the password once more."""
    party, foreign = make_party(), make_party(is_own=False)

    def error(visitor: object, who: Party, **more: str) -> str:
        answer = visitor.get(who.way(**more))  # type: ignore[attr-defined]
        return said_in(answer.headers["location"], who.redirect_uri)["error"]

    stranger, visitor = house.visitor(), house.worker(MANAGER)
    assert error(stranger, party, prompt="none") == "login_required"
    assert error(visitor, foreign, prompt="none") == "consent_required"
    assert error(visitor, party, prompt="none login") == "invalid_request"
    assert error(visitor, party, prompt="none", max_age="0") == "login_required"
    assert party.code(visitor, prompt="none")
    assert party.code(visitor, max_age="600")
    house.sql("update staff_session set started_at = started_at - interval '20 minutes'")
    for more in ({"prompt": "login"}, {"max_age": "600"}):
        way = visitor.get(party.way(**more)).headers["location"]
        assert way.startswith("/oauth/again?next=")
        assert visitor.get(way).status_code == 200
        target = parse_qs(urlsplit(way).query)["next"][0]
        assert visitor.post("/oauth/again", {"present": "wrong", "next": target}).status_code == 422
        assert visitor.post("/oauth/again", {"present": PASSWORD, "next": target}).headers["location"] == target
        code = said_in(onward(visitor.get(target).text), party.redirect_uri)["code"]
        claims = party.claims(party.redeem(code)["id_token"])
        assert claims["iat"] - claims["auth_time"] < 60
        house.sql("update staff_session set proven_at = proven_at - interval '20 minutes'")


def test_who_has_not_shown_his_second_proof_is_not_in(house: House, party: Party) -> None:
    """A password alone opens no other system either."""
    visitor = house.visitor(house.person("proctor"), strict=True)
    assert visitor.get(party.way()).headers["location"].startswith("/second-factor?next=%2Foauth%2Fauthorize")
    answer = visitor.get(party.way(prompt="none"))
    assert said_in(answer.headers["location"], party.redirect_uri)["error"] == "login_required"


def test_refresh_goes_round_and_ends_with_the_session(house: House, party: Party) -> None:
    """Each is good once; the newest works until the session ends."""
    login = house.person(MANAGER)
    visitor = house.visitor(login)
    given = party.redeem(party.code(visitor))
    for _ in range(3):
        given = party.refresh(given["refresh_token"])
        assert party.userinfo(given["access_token"]).status_code == 200
    visitor.post("/sign-out")
    assert party.userinfo(given["access_token"]).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        party.refresh(given["refresh_token"])


@pytest.mark.parametrize("end", ["password", "disabled", "over", "others"])
def test_tokens_end_with_whatever_ends_the_session(house: House, party: Party, end: str) -> None:
    """A new password, a login that is shut, twelve hours, «end all others»."""
    login = house.person(MANAGER)
    visitor = house.visitor(login)
    given, code = party.redeem(party.code(visitor)), party.code(visitor)
    if end == "password":
        visitor.post("/account/password", {"old": PASSWORD, "new": "ұзақ әрі жаңа құпиясөз"})
    elif end == "disabled":
        house.worker("super-admin").post(f"/staff/{staff_of(house, login)}/disable")
    elif end == "over":
        house.sql("update staff_session set ends_at = now() where staff_id = $1", staff_of(house, login))
    else:
        house.visitor(login).post("/account/sessions/end-others")
    assert party.userinfo(given["access_token"]).status_code == 401
    for try_it in (lambda: party.refresh(given["refresh_token"]), lambda: party.redeem(code)):
        with pytest.raises(OAuthError, match="invalid_grant"):
            try_it()


def test_a_public_client_needs_no_secret_and_pkce_all_the_same(house: House, make_party: Callable[..., Party]) -> None:
    """An app of a phone: it is asked for each time, since any app can claim its scheme."""
    app = make_party(public=True, redirect_uris=["kz.elumiti.app:/back"])
    visitor = house.worker(MANAGER)
    assert visitor.get(app.way()).status_code == 200
    fields = {name: values[0] for name, values in parse_qs(urlsplit(app.way()).query).items()}
    yes = visitor.post("/oauth/authorize", {**fields, "answer": "yes"})
    assert "id_token" in app.redeem(said_in(onward(yes.text), app.redirect_uri)["code"])
    assert visitor.get(app.way()).status_code == 200


def test_revoking(house: House, make_party: Callable[..., Party]) -> None:
    """A refresh token takes its access tokens along; another system's revokes nothing; nobody's is no error."""
    party, other = make_party(), make_party()
    given = party.redeem(party.code(house.worker(MANAGER)))

    async def go(who: Party, token: str) -> int:
        async with who.client() as client:
            return (await client.revoke_token(at("/oauth/revoke"), token=token)).status_code

    assert house.loop.run(go(other, given["refresh_token"])) == 200
    assert party.userinfo(given["access_token"]).status_code == 200
    assert house.loop.run(go(party, "nobody's")) == 200
    assert house.loop.run(go(party, given["refresh_token"])) == 200
    assert party.userinfo(given["access_token"]).status_code == 401


def test_a_new_key_signs_and_the_old_one_is_published(house: House, party: Party) -> None:
    """What it signed is still believed for a day; then it goes."""
    visitor, chief = house.worker(MANAGER), house.worker("system-admin")
    old = party.redeem(party.code(visitor))["id_token"]
    before = {key["kid"] for key in house.visitor().get("/oauth/jwks").json()["keys"]}
    assert chief.post("/sign-on/systems/key").status_code == 303
    new = party.redeem(party.code(visitor))["id_token"]
    keys = house.visitor().get("/oauth/jwks").json()["keys"]
    assert {key["kid"] for key in keys} > before
    assert all(set(key) <= {"kty", "n", "e", "kid", "use", "alg"} for key in keys), "public halves alone"
    assert party.claims(old)["sub"] == party.claims(new)["sub"]
    house.sql("update oauth_key set made_at = made_at - interval '2 days'")
    newest = {key["kid"] for key in house.visitor().get("/oauth/jwks").json()["keys"]}
    assert len(newest) == 1
    assert not newest & before
    house.sql("update oauth_key set made_at = made_at - interval '100 days'")
    assert party.claims(party.redeem(party.code(visitor))["id_token"]), "and one too old is replaced by itself"
