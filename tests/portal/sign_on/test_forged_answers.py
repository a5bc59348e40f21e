"""Answers of a provider that prove nothing: forged, replayed, another's, stale. None signs anybody in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from portal.core.front import Front
from portal.features.sign_on import protocol
from tests.portal.sign_on.conftest import known
from tests.portal.sign_on.test_sign_in_elsewhere import PLAIN, come, linked, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Visitor
    from tests.portal.sign_on.conftest import At


@pytest.fixture
def way(house: House, at: At) -> tuple[Visitor, str]:
    """A visitor on his way to a provider where an account opens a login."""
    linked(house, at, house.person(PLAIN), "known")
    at.honest()
    visitor = house.visitor()
    return visitor, visitor.get(f"/sign-in/with/{at.code}").headers["location"]


def refused(visitor: Visitor, back: str, status: int = 403) -> None:
    answer = visitor.get(back)
    assert answer.status_code == status, answer.headers
    assert not signed_in(visitor)
    assert "elumiti_identity" not in visitor.cookies, "nobody waits either"


def test_what_is_sent_along(house: House, at: At, way: tuple[Visitor, str]) -> None:
    """Code, PKCE with S256, state, nonce, and the redirect address of the settings whatever the request's host says."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(way[1]).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == house.settings.portal_url.rstrip("/") + f"/sign-in/answer/{at.code}"
    drawn = {asked["state"], asked["nonce"], asked["code_challenge"]}
    assert len(drawn) == 3
    assert min(map(len, drawn)) >= 43
    assert signed_in_after(way[0], at, way[1]), "and an honest answer opens the door"


def signed_in_after(visitor: Visitor, at: At, way: str) -> bool:
    visitor.get(at.authorize(way, subject="known"))
    return signed_in(visitor)


LIES = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://accounts.google.com"},
    "another audience": {"aud": "somebody-else"},
    "two audiences without a party": {"aud": ["elumiti", "somebody-else"]},
    "another party": {"aud": ["elumiti", "x"], "azp": "x"},
    "expired": {"exp": time.time() - 3600},
    "no end": {"exp": None},
    "from the future": {"iat": time.time() + 3600},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 7},
    "a subject that no column holds": {"sub": "known\0"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_claim_that_is_not_right(at: At, way: tuple[Visitor, str], lie: str) -> None:
    """Each alone is enough."""
    back = at.authorize(way[1], subject="known")
    at.claims |= LIES[lie]
    refused(way[0], back)


def part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def whole(at: At, way: str) -> dict[str, object]:
    nonce = parse_qs(urlsplit(way).query)["nonce"][0]
    return {
        "iss": at.issuer,
        "aud": "elumiti",
        "nonce": nonce,
        "iat": time.time(),
        "exp": time.time() + 99,
        "sub": "known",
    }


def test_no_signature(at: At, way: tuple[Visitor, str]) -> None:
    """`alg: none` in its spellings, and a token with its signature cut off."""
    visitor, there = way
    for alg in ("none", "None", "NONE"):
        at.token = f"{part({'alg': alg})}.{part(whole(at, there))}."
        refused(visitor, at.authorize(there, subject="known"), 403)
        there = visitor.get(f"/sign-in/with/{at.code}").headers["location"]
    at.token = f"{part({'alg': 'ES256', 'kid': 'first'})}.{part(whole(at, there))}."
    refused(visitor, at.authorize(there, subject="known"))


def test_another_signature(at: At, way: tuple[Visitor, str]) -> None:
    """A key that the provider does not publish, also under its name; a key that the token brings along."""
    visitor, there = way
    own = ECKey.generate_key("P-256", parameters={"kid": "first"})
    forged = [
        jwt.encode({"alg": "ES256", "kid": "first"}, whole(at, there), own),
        jwt.encode({"alg": "ES256", "kid": "other"}, whole(at, there), own),
        jwt.encode({"alg": "ES256", "jwk": own.as_dict(private=False)}, whole(at, there), own),
    ]
    for token in forged:
        at.token = token
        refused(visitor, at.authorize(there, subject="known"))
        there = visitor.get(f"/sign-in/with/{at.code}").headers["location"]


def test_a_public_key_taken_for_a_secret(at: At, way: tuple[Visitor, str]) -> None:
    """HS256 over what everybody can read, or over our own secret: nothing with a shared secret is taken."""
    visitor, there = way
    public = at.key.as_pem(private=False)
    for secret in (public, b"a secret between the two"):
        # By hand: the library does not lend itself to it.
        signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(whole(at, there))}"
        digest = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
        at.token = f"{signed}.{digest}"
        refused(visitor, at.authorize(there, subject="known"))
        there = visitor.get(f"/sign-in/with/{at.code}").headers["location"]


def test_an_answer_counts_once(house: House, at: At, way: tuple[Visitor, str]) -> None:
    """A state that was used, was never drawn, is missing, or took too long."""
    visitor, there = way
    back = at.authorize(there, subject="known")
    assert visitor.get(back).headers["location"] == "/"
    here = f"/sign-in/answer/{at.code}"
    for address in (back, f"{here}?code=x&state=never", f"{here}?code=x", here, "/sign-in/answer/nobody?code=x"):
        assert house.visitor().get(address).status_code == 410
    slow = house.visitor()
    there = slow.get(f"/sign-in/with/{at.code}").headers["location"]
    house.sql("update signon_flow set ends_at = now()")
    refused(slow, at.authorize(there, subject="known"), 410)


def test_an_answer_is_of_the_browser_that_began(house: House, at: At, way: tuple[Visitor, str]) -> None:
    """Session fixation and forged sign-in: an attacker's answer in a victim's browser signs nobody in, and is not used up."""
    visitor, there = way
    back = at.authorize(there, subject="known")
    refused(house.visitor(), back, 410)
    assert visitor.get(back).headers["location"] == "/"


def test_a_linking_is_of_the_session_that_began(house: House, at: At) -> None:
    """An attacker's account there is not linked to a victim's login by a link that he opens."""
    attacker, victim = house.worker(PLAIN), house.worker(PLAIN)
    page = attacker.post(f"/account/linked/{at.code}", {"present": "steppe and sky"}).text
    there = page.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")
    back = at.authorize(there, subject="attacker")
    assert victim.get(back).status_code == 410
    assert house.sql("select 1 from account_identity where subject = 'attacker' and issuer = $1", at.issuer) == []


def test_mix_up(house: House, make_issuer: Callable[[], At]) -> None:
    """An answer that names another provider, or none where the provider always names itself."""
    at, other = make_issuer(), make_issuer()
    at.metadata = {"authorization_response_iss_parameter_supported": True}
    visitor = house.visitor()
    for more in (f"&iss={other.issuer}", ""):
        there = visitor.get(f"/sign-in/with/{at.code}").headers["location"]
        refused(visitor, at.authorize(there, subject="x") + more)
    there = visitor.get(f"/sign-in/with/{at.code}").headers["location"]
    assert visitor.get(at.authorize(there, subject="x") + f"&iss={at.issuer}").headers["location"] == "/sign-in/link"
    # An old provider names nobody; a code of one is then refused by the other's token endpoint.
    there = visitor.get(f"/sign-in/with/{other.code}").headers["location"]
    state = parse_qs(urlsplit(there).query)["state"][0]
    stolen = at.authorize(there, subject="x").partition("code=")[2].partition("&")[0]
    refused_there = visitor.get(f"/sign-in/answer/{other.code}?code={stolen}&state={state}")
    assert refused_there.status_code == 403


def test_a_lying_provider_gets_no_code_of_an_honest_one(house: House, make_issuer: Callable[[], At]) -> None:
    """The honest one does not name itself in its answers; the liar sends its visitor there with an attacker's nonce and challenge.

    Then the code that the honest one gave would be handed to the liar, and signs the attacker in as the visitor
    (RFC 9700 §4.4). Each provider has an address of its own, and the honest one leads back to no other.
    """
    honest, liar = make_issuer(), make_issuer()
    linked(house, honest, house.person(PLAIN), "victim")
    honest.honest()
    attacker, victim = house.visitor(), house.visitor()
    planned = parse_qs(urlsplit(attacker.get(f"/sign-in/with/{honest.code}").headers["location"]).query)
    asked = parse_qs(urlsplit(victim.get(f"/sign-in/with/{liar.code}").headers["location"]).query)
    # As the liar writes it: the victim's state, everything else of the attacker's own beginning.
    mixed = {name: values[0] for name, values in planned.items()} | {"state": asked["state"][0]}
    back = honest.authorize(f"{honest.issuer}/authorize?{urlencode(mixed)}", subject="victim")
    refused(victim, back, 410)
    assert "token" not in liar.asked, "the liar never saw the code"
    caught = parse_qs(urlsplit(back).query)["code"][0]
    assert planned["redirect_uri"] != asked["redirect_uri"], (
        "and what leads back to the liar the honest one does not know"
    )
    # The victim's own way was not used up by it.
    own = liar.authorize(
        f"{liar.issuer}/authorize?{urlencode({name: values[0] for name, values in asked.items()})}", subject="x"
    )
    assert victim.get(own).headers["location"] == "/sign-in/link"
    assert caught


def test_a_code_without_its_verifier_is_of_no_use(house: House, at: At) -> None:
    """PKCE: a code that was caught in one browser is not redeemed by another's way."""
    victim, thief = house.visitor(), house.visitor()
    first = victim.get(f"/sign-in/with/{at.code}").headers["location"]
    second = thief.get(f"/sign-in/with/{at.code}").headers["location"]
    caught = at.authorize(first, subject="victim").partition("code=")[2].partition("&")[0]
    state = parse_qs(urlsplit(second).query)["state"][0]
    refused(thief, f"/sign-in/answer/{at.code}?code={caught}&state={state}")


def test_who_says_no_is_told_so(house: House, at: At, way: tuple[Visitor, str]) -> None:
    """And what the provider writes along is not shown."""
    state = parse_qs(urlsplit(way[1]).query)["state"][0]
    answer = way[0].get(f"/sign-in/answer/{at.code}?error=access_denied&error_description=<b>boo</b>&state={state}")
    assert answer.status_code == 403
    assert "boo" not in answer.text


def test_a_new_key_of_the_provider_is_fetched(
    house: House, at: At, way: tuple[Visitor, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are kept for an hour; a kid that is unknown fetches them again, but not at each forged token."""
    linked(house, at, house.person(PLAIN), "before")
    at.honest()
    fetched = at.asked.count("jwks")
    new = ECKey.generate_key("P-256", parameters={"kid": "second", "alg": "ES256", "use": "sig"})
    at.published, at.signs_with = [at.key, new], new
    refused(way[0], at.authorize(way[1], subject="known"))
    assert at.asked.count("jwks") == fetched, "fetched within the half minute: a forger must not make us ask and ask"
    monkeypatch.setattr(protocol, "AGAIN_S", 0.0)
    visitor = house.visitor()
    assert come(visitor, at, "known").headers["location"] == "/"
    assert at.asked.count("jwks") == fetched + 1
    come(house.visitor(), at, "known")
    assert at.asked.count("jwks") == fetched + 1, "known again"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://accounts.google.com"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"jwks_uri": "http://example.com/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": 7},
    ],
)
def test_a_configuration_that_is_not_right(
    house: House, make_issuer: Callable[[], At], metadata: dict[str, object]
) -> None:
    """Another's name, an address of our network, no HTTPS, no address at all."""
    at = make_issuer()
    at.metadata = metadata
    assert house.visitor().get(f"/sign-in/with/{at.code}").status_code == 502


def test_a_provider_that_is_away(house: House, make_issuer: Callable[..., At]) -> None:
    """A page says so; the page of keys that redirects is as away."""
    gone, _ = known(house, "http://127.0.0.1:9")
    assert house.visitor().get(f"/sign-in/with/{gone}").status_code == 502
    at = make_issuer()
    at.metadata = {"jwks_uri": f"{at.issuer}/elsewhere"}
    visitor = house.visitor()
    assert come(visitor, at, "x").status_code == 502
    house.sql("update signon_provider set is_on = false where code = $1", gone)


@pytest.fixture
def over_https(house: House) -> Iterator[None]:
    """What makes cookies, as it is in production."""
    state = house.front.inner.state
    plain, state.front = state.front, Front(house.front.inner, csrf_key=bytes(32), secure=True)
    yield
    state.front = plain


def test_a_neighbour_plants_no_account_that_waits_to_be_linked(house: House, at: At, over_https: None) -> None:
    """A cookie that any name of our domain can set would have the owner link a thief's account with his own password."""
    assert over_https is None
    thief = house.visitor()
    there = thief.get(f"/sign-in/with/{at.code}").headers["location"]
    answer = thief.get(at.authorize(there, subject="thief"))
    assert answer.headers["location"] == "/sign-in/link"
    made = answer.headers.get_list("set-cookie")
    assert made[0].startswith("__Host-elumiti_")
    name, _, value = made[0].partition(";")[0].partition("=")
    owner = house.visitor()
    assert owner.get("/sign-in/link", headers={"cookie": f"{name}={value}", "accept": "text/html"}).status_code == 200
    planted = {"cookie": f"{name.removeprefix('__Host-')}={value}", "accept": "text/html"}
    assert owner.get("/sign-in/link", headers=planted).status_code != 200


def test_the_session_of_another_site_is_one_in_production_too(house: House, at: At, over_https: None) -> None:
    """Its cookie has the name that is looked for there."""
    assert over_https is None
    linked_login = house.person(PLAIN)
    house.sql(
        "insert into account_identity (staff_id, provider_id, issuer, subject) select id, $2, $3, 'own' from staff where login = $1",
        *(linked_login, at.provider_id, at.issuer),
    )
    visitor = house.visitor()
    answer = visitor.get(at.authorize(visitor.get(f"/sign-in/with/{at.code}").headers["location"], subject="own"))
    assert answer.headers["location"] == "/"
    assert any(one.startswith("__Host-elumiti_session=") for one in answer.headers.get_list("set-cookie"))
