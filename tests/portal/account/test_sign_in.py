"""Staff sign in: what they see, what a stranger learns, and what ends a session."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infra.callers import place_of
from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import House

SEED = re.compile(r'name="csrf" value="[^"]+"|value="[^"]*"')


def test_it_works(house: House) -> None:
    """Login and password lead to the page that was asked for."""
    visitor = house.visitor()
    login = house.person("myn-bala-school-manager")
    answer = visitor.post("/sign-in", {"login": login.upper(), "password": PASSWORD, "next": "/sittings"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sittings")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Lax" in answer.headers["set-cookie"]
    assert visitor.get("/sittings").status_code == 200


def test_a_strange_cookie_beside_ours_harms_nobody(house: House) -> None:
    """Another program of this host, or of a parent domain, sets what no library can read: ours still counts."""
    visitor = house.worker("proctor")
    jar = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    for strange in ("a,b=1", "path=/x; expires=0", "no-equals", '=; ;;="', 'x=["{]'):
        for header in (f"{strange}; {jar}", f"{jar}; {strange}"):
            answer = house.visitor().get("/account", headers={"cookie": header})
            assert answer.status_code == 200, strange


def test_it_never_leads_to_another_site(house: House) -> None:
    """An address to go on to is one of ours."""
    for target in ("https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "/\r/evil.test"):
        answer = house.visitor().post(
            "/sign-in", {"login": house.person("proctor"), "password": PASSWORD, "next": target}
        )
        assert answer.headers["location"] == "/"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("/\\ \t\r\n\x00\x1f\x7f.:@?#ә") | st.sampled_from("evil"), max_size=12))
@example("/\t/evil.test")
@example("/\r/../evil.test")
@example("\\\\evil.test")
@example("/evil.test")
def test_no_spelling_leads_to_another_site(house: House, tail: str) -> None:
    """As a browser reads it: without tabs and line ends, a backslash is a slash."""
    answer = house.visitor().get("/language/kk", params={"next": f"/{tail}"})
    location = answer.headers["location"]
    read = re.sub(r"[\t\r\n]", "", location.strip(" ")).replace("\\", "/")
    assert urlsplit(urljoin("http://portal.test/language/kk", read)).netloc == "portal.test"
    assert re.fullmatch(r"[!-~]+", location)


def test_an_unknown_login_and_a_wrong_password_look_the_same(house: House) -> None:
    """Nobody learns which logins exist."""
    wrong = house.visitor().post("/sign-in", {"login": house.person("proctor"), "password": "no"})
    unknown = house.visitor().post("/sign-in", {"login": "nobody-at-all", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert SEED.sub("", wrong.text) == SEED.sub("", unknown.text)


def test_after_five_misses_the_right_password_rests_too(house: House) -> None:
    """At this address, and the answer does not say so."""
    login = house.person("proctor")
    visitor = house.visitor()
    for _ in range(5):
        assert visitor.post("/sign-in", {"login": login, "password": "no"}).status_code == 401
    assert visitor.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 401
    house.sql(
        "update sign_in_address set locked_until = now() - interval '1 second' where address = $1", visitor.address
    )
    assert visitor.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/account/password", "old"),
        ("/account/email", "email_present"),
        ("/oauth/again", "present"),
        ("/account/keys", "present"),
    ],
)
def test_a_session_left_open_is_no_place_to_guess(house: House, path: str, field: str) -> None:
    """Whoever sits down at it has as many tries as at the door; the owner elsewhere is not kept out."""
    login = house.person("proctor")
    thief, owner = house.visitor(login), house.visitor(login)
    form = {"new": "тағы бір ұзын сөйлем", "email": "jana@mail.test", "name": "Кілт", "next": "/"}
    for _ in range(5):
        assert thief.post(path, {**form, field: "болжам"}).status_code == 422
    assert thief.post(path, {**form, field: PASSWORD}).status_code == 422, "it rests: a right guess shows nothing"
    assert owner.post("/oauth/again", {"next": "/", "present": PASSWORD}).status_code == 303


def test_nobody_elsewhere_keeps_the_owner_out(house: House) -> None:
    """A hundred misses from other addresses: the owner's desk signs in at once, a new one after a minute at most."""
    login = house.person("proctor")
    desk = house.visitor(login)
    for _ in range(20):
        stranger = house.visitor()
        for _ in range(5):
            assert stranger.post("/sign-in", {"login": login, "password": "no"}).status_code == 401
    owner, elsewhere = house.visitor(), house.visitor()
    owner.address = desk.address
    assert owner.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 303
    # The owner's own sign-in lets the rest go; a stranger's twenty begin anew.
    for _ in range(4):
        stranger = house.visitor()
        for _ in range(5):
            stranger.post("/sign-in", {"login": login, "password": "no"})
    assert elsewhere.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 401
    rests = house.sql("select locked_until - now() as rest from staff where login = $1", login)[0]["rest"]
    assert 0 < rests.total_seconds() <= 60
    house.sql("update staff set locked_until = now() - interval '1 second' where login = $1", login)
    assert elsewhere.post("/sign-in", {"login": login, "password": PASSWORD}).status_code == 303


def test_misses_at_the_same_moment_are_all_counted(house: House) -> None:
    """Ten wrong passwords at once are ten, not one."""
    login, visitor = house.person("proctor"), house.visitor()
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"login": "nobody-at-all", "password": "no"})
    with ThreadPoolExecutor(10) as pool:
        tries = [pool.submit(visitor.post, "/sign-in", {"login": login, "password": "no"}) for _ in range(10)]
    assert {one.result().status_code for one in tries} == {401}
    row = house.sql("select misses from sign_in_address where address = $1", visitor.address)[0]
    assert row["misses"] == 5, "those after the fifth found it at rest"


def test_of_ipv6_a_subscriber_counts_once() -> None:
    """He has 2**64 addresses; and a mapped IPv4 address is that address."""
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::"
    assert place_of("2001:db8:1:3::1") != place_of("2001:db8:1:2::1")
    assert place_of("::ffff:10.0.0.1") == place_of("10.0.0.1") == "10.0.0.1"
    assert place_of("") == ""


def test_a_form_without_its_token_changes_nothing(house: House) -> None:
    """CSRF: missing, foreign and cross-site are refused."""
    person = house.worker("super-admin")
    assert person.ask("POST", "/roles", data={"given": "proctor:audit.view"}).status_code == 403
    assert person.ask("POST", "/roles", data={"csrf": "x" * 32}).status_code == 403
    person.get("/account")
    headers = {"accept": "text/html", "origin": "https://evil.test"}
    assert person.post("/roles", {}, headers=headers).status_code == 403
    assert house.sql("select 1 from role_permission where role = 'proctor' and permission = 'audit.view'") == []


def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    """The old cookie opens nothing."""
    person = house.worker("proctor")
    cookie = person.cookies["elumiti_session"]
    assert person.post("/sign-out").status_code == 303
    person.cookies.set("elumiti_session", cookie)
    assert person.get("/account").status_code == 303


def test_the_table_of_sessions_signs_nobody_in(house: House) -> None:
    """It holds the cookie's hash, and the staff table no password."""
    login = house.person("proctor")
    cookie = house.visitor(login).cookies["elumiti_session"]
    hashes = {row["key_hash"] for row in house.sql("select key_hash from staff_session")}
    assert cookie.encode() not in hashes
    assert house.sql("select password_hash from staff where login = $1", login)[0][0].startswith("$argon2id$")


def test_a_role_taken_away_ends_with_the_next_request(house: House) -> None:
    """Roles are read with each request."""
    login = house.person("proctor")
    person = house.visitor(login)
    assert person.get("/sittings").status_code == 200
    house.sql("update staff_grant set ends_at = now() where staff_id = (select id from staff where login = $1)", login)
    assert person.get("/sittings").status_code == 403


def test_nobody_takes_the_last_keyholders_role(house: House) -> None:
    """A super-admin cannot make a house without one."""
    boss = house.worker("super-admin")
    given = {(row["role"], row["permission"]) for row in house.sql("select role, permission from role_permission")}
    wished = [f"{role}:{permission}" for role, permission in given if permission != "role.edit"]
    answer = boss.post("/roles", {"given": wished})
    assert answer.status_code == 409
    assert house.sql("select 1 from role_permission where permission = 'role.edit'")


def test_a_password_that_is_guessed_first_is_refused(house: House) -> None:
    """A common word, a row of keys, the own login: told beside the field, and the old one stays."""
    login = house.person("proctor")
    house.sql("update staff set full_name = 'Әлия Nurgaliyeva' where login = $1", login)
    visitor = house.visitor(login)
    for guessed in ("password12", "qwertyuiop", "1234567890", "Nurgaliyeva2026"):
        answer = visitor.post("/account/password", {"old": PASSWORD, "new": guessed})
        assert answer.status_code == 422, guessed
    assert visitor.post("/account/password", {"old": PASSWORD, "new": "қара тас пен көк аспан"}).status_code == 303
