"""What a role may do is widened by two; narrowed by one (SAFETY J5)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place

GIVEN = "proctor:audit.view"


def matrix(house: House) -> set[str]:
    """All pairs as the form sends them."""
    rows = house.sql("select role, permission from role_permission")
    return {f"{row['role']}:{row['permission']}" for row in rows}


def test_a_permission_is_added_by_two_and_taken_by_one(house: House) -> None:
    """It waits, a second super-admin agrees, the record names who asked."""
    first, second = house.worker("super-admin"), house.worker("super-admin")
    before = matrix(house)
    answer = first.post("/roles", {"given": sorted(before | {GIVEN})})
    assert (answer.status_code, answer.headers["location"]) == (303, "/acts?asked=1")
    assert matrix(house) == before
    act = house.sql("select max(id) as id from pending_act where act = 'role.give'")[0]["id"]
    assert first.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403
    assert house.worker("test-administrator").post(f"/acts/{act}/decide", {"do": "do"}).status_code == 404
    assert "Read the audit trail" in second.get("/acts?lang=en").text
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert matrix(house) == before | {GIVEN}
    record = house.sql("select before, after from audit where act = 'staff.permission.given' order by id desc limit 1")[
        0
    ]
    maker = house.sql("select made_by from pending_act where id = $1", act)[0]["made_by"]
    assert (record["after"]["given"], record["after"]["asked_by"]) == (["audit.view"], maker)
    assert set(record["after"]["permissions"]) == {*record["before"]["permissions"], "audit.view"}
    answer = first.post("/roles", {"given": sorted(before)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/roles")
    assert matrix(house) == before
    record = house.sql("select before, after from audit where act = 'staff.permission.taken' order by id desc limit 1")[
        0
    ]
    assert {*record["before"]["permissions"]} - {*record["after"]["permissions"]} == {"audit.view"}


def test_who_holds_a_region_changes_no_role(house: House, place: Place) -> None:
    """A role is the same in the whole country."""
    regional, before = house.worker("super-admin", region=place.region), matrix(house)
    for wished in (before | {GIVEN}, before - {"proctor:live.view"}):
        assert regional.post("/roles", {"given": sorted(wished)}).status_code == 404
    assert matrix(house) == before


def test_who_holds_a_region_changes_no_login(house: House, place: Place) -> None:
    """Else he would give himself the country, or set the password of one who holds it."""
    own, other = house.person("super-admin", region=place.region), house.person("proctor")
    regional = house.visitor(own)
    numbers = {row["login"]: row["id"] for row in house.sql("select id, login from staff")}
    given = house.sql("select id from staff_grant where staff_id = $1", numbers[other])[0]["id"]
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).strftime("%Y-%m-%d")
    for path, form in (
        (f"/staff/{numbers[own]}/grant", {"role": "super-admin", "ends_on": ends}),
        (f"/staff/{numbers[other]}/password", {}),
        (f"/staff/{numbers[other]}/disable", {}),
        (f"/staff/grants/{given}/end", {}),
        ("/staff/new", {"login": f"{other}x", "full_name": "Елес", "password": PASSWORD, "language": "kk"}),
    ):
        assert regional.post(path, form).status_code == 404, path
    assert house.visitor(other).get("/sittings").status_code == 200


def test_a_new_role_is_born_without_rights(house: House) -> None:
    """It stands in the matrix and in the form that gives roles; its holder sees nothing yet."""
    boss = house.worker("super-admin")
    form = {"code": "class-teacher", "name_kk": "сынып жетекшісі", "name_ru": "классный руководитель", "of": "myn-bala"}
    assert boss.post("/roles/new", form | {"code": "Class Teacher"}).status_code == 422
    assert boss.post("/roles/new", form).headers["location"] == "/roles?of=myn-bala"
    assert boss.post("/roles/new", form).status_code == 422
    try:
        assert "классный руководитель" in boss.get("/roles?of=myn-bala&lang=ru").text
        assert boss.get("/roles?of=qabilet&lang=ru").text.count("классный руководитель") == 0
        assert house.worker("class-teacher").get("/sittings").status_code == 403
        record = house.sql("select after from audit where act = 'role.role.made' order by id desc limit 1")[0]["after"]
        assert (record["code"], record["of"]) == ("class-teacher", "myn-bala")
    finally:
        house.sql("delete from staff_grant where role = 'class-teacher'")
        house.sql("delete from role where code = 'class-teacher'")
