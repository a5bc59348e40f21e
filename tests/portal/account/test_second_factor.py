"""A privileged role needs more than a password: an app's code or a security key."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pyotp
import pytest

from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor

SECRET = re.compile(r"<code>([A-Z2-7 ]{32,})</code>")


def enrolled(house: House, login: str) -> tuple[Visitor, pyotp.TOTP]:
    """A person who has just added an app."""
    visitor = house.visitor(login, strict=True)
    found = SECRET.search(visitor.get("/second-factor").text)
    assert found
    app = pyotp.TOTP(found.group(1).replace(" ", ""))
    visitor.token = token_of(visitor)
    answer = visitor.post("/second-factor/app", {"code": app.now(), "next": "/sittings"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sittings")
    return visitor, app


def token_of(visitor: Visitor) -> str:
    """The form's secret of the page that asks."""
    found = re.search(r'name="csrf" value="([^"]+)"', visitor.get("/second-factor").text)
    assert found
    return found.group(1)


def again(house: House, login: str) -> Visitor:
    """The same person, signed in by the password."""
    visitor = house.visitor(login, strict=True)
    visitor.token = token_of(visitor)
    return visitor


def forget_steps(house: House, login: str) -> None:
    """As if half a minute had gone by: the code of now counts as not yet used."""
    house.sql("update staff_totp set last_step = 0 where staff_id = (select id from staff where login = $1)", login)


@pytest.mark.parametrize("role", ["test-administrator", "super-admin", "proctor", "myn-bala-coordinator"])
def test_a_password_alone_opens_nothing_for_a_privileged_role(house: House, role: str) -> None:
    """Every page leads to the one that asks; programs get 403."""
    visitor = house.visitor(house.person(role), strict=True)
    for path in ("/", "/sittings", "/account", "/staff", "/acts"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/second-factor?next={path}")
    answer = visitor.get("/sittings", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-wanted")


def test_a_role_of_one_school_needs_only_its_password(house: House) -> None:
    """As the data says: the permission «with a password alone»."""
    visitor = house.visitor(house.person("myn-bala-school-manager"), strict=True)
    assert visitor.get("/sittings").status_code == 200


def test_an_app_is_added_once_and_its_code_opens_each_further_session(house: House) -> None:
    """Also with blanks in it, as apps show it; never twice."""
    login = house.person("test-administrator")
    first, app = enrolled(house, login)
    assert first.get("/sittings").status_code == 200
    second = again(house, login)
    assert second.get("/sittings").status_code == 303
    used = app.now()
    assert second.post("/second-factor/code", {"code": used}).status_code == 422, "a code is used once"
    forget_steps(house, login)
    assert second.post("/second-factor/code", {"code": f"{used[:3]} {used[3:]}"}).status_code == 303
    assert second.get("/sittings").status_code == 200
    acts = [
        row["act"]
        for row in house.sql(
            "select act from audit where object_kind = 'staff' and staff_id = (select id from staff where login = $1) order by id",
            login,
        )
    ]
    assert [act for act in acts if act.startswith(("account.app", "account.factor"))] == [
        "account.app.added",
        "account.factor.missed",
        "account.factor.shown",
    ]


def test_five_wrong_codes_let_the_app_rest(house: House) -> None:
    """Then the right one does not fit either, for a while."""
    login = house.person("analyst")
    _, app = enrolled(house, login)
    forget_steps(house, login)
    visitor = again(house, login)
    wrong = "000000" if app.now() != "000000" else "111111"
    for _ in range(5):
        assert visitor.post("/second-factor/code", {"code": wrong}).status_code == 422
    assert visitor.post("/second-factor/code", {"code": app.now()}).status_code == 422
    house.sql("update staff_totp set rests_until = now() - interval '1 second'")
    assert visitor.post("/second-factor/code", {"code": app.now()}).status_code == 303


def test_a_stolen_password_adds_no_app_of_its_own(house: House) -> None:
    """Where there is a proof, it is asked for; the page shows no secret and takes no new one."""
    login = house.person("test-administrator")
    enrolled(house, login)
    thief = again(house, login)
    assert not SECRET.search(thief.get("/second-factor").text)
    other = pyotp.TOTP(pyotp.random_base32())
    assert thief.post("/second-factor/app", {"code": other.now()}).status_code == 404
    assert thief.post("/second-factor/new-key", {"name": "x", "credential": "{}"}).status_code == 404
    assert thief.get("/account/app/remove").status_code in {303, 405}
    assert thief.post("/account/app/remove", {"present": PASSWORD}).status_code == 303
    assert house.sql(
        "select confirmed_at from staff_totp where staff_id = (select id from staff where login = $1)", login
    )[0]["confirmed_at"]


def test_the_table_of_apps_makes_no_codes(house: House) -> None:
    """The secret is sealed with a key that is not in the database."""
    login = house.person("proctor")
    _, app = enrolled(house, login)
    stored = house.sql("select secret from staff_totp where staff_id = (select id from staff where login = $1)", login)
    assert app.secret.encode() not in stored[0]["secret"]


def test_a_lost_phone_is_taken_off_the_login(house: House) -> None:
    """By whoever gives roles; sessions end, and the next sign-in asks to add a new one."""
    login = house.person("proctor")
    visitor, _ = enrolled(house, login)
    number = house.sql("select id from staff where login = $1", login)[0]["id"]
    assert house.worker("super-admin").post(f"/staff/{number}/factor").status_code == 303
    assert visitor.get("/sittings").headers["location"].startswith("/sign-in")
    assert SECRET.search(house.visitor(login, strict=True).get("/second-factor").text)


def test_codes_of_the_neighbouring_half_minutes_fit(house: House) -> None:
    """A phone's clock is a little off."""
    login = house.person("proctor")
    _, app = enrolled(house, login)
    for step in (-1, 1):
        forget_steps(house, login)
        visitor = again(house, login)
        assert visitor.post("/second-factor/code", {"code": app.at(int(time.time()) + 30 * step)}).status_code == 303
    forget_steps(house, login)
    assert again(house, login).post("/second-factor/code", {"code": app.at(int(time.time()) - 120)}).status_code == 422


def test_the_policy_is_data(house: House) -> None:
    """A role that loses «with a password alone» is asked from the next click on."""
    visitor = house.visitor(house.person("myn-bala-school-manager"), strict=True)
    assert visitor.get("/sittings").status_code == 200
    pair = ("myn-bala-school-manager", "account.password-alone")
    house.sql("delete from role_permission where role = $1 and permission = $2", *pair)
    try:
        assert visitor.get("/sittings").headers["location"] == "/second-factor?next=/sittings"
    finally:
        house.sql("insert into role_permission (role, permission) values ($1, $2)", *pair)
