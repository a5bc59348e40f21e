"""«See as this role» and «who may what»."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.portal.staff.test_grants import grant_of, staff_id

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place


def test_he_sees_what_the_role_sees_there_and_changes_nothing(house: House, make_sitting, place: Place) -> None:  # noqa: ANN001
    """The menu, the lists, the refusals; one button ends it; all of it on record."""
    scene = make_sitting()
    boss_login = house.person("super-admin")
    boss = house.visitor(boss_login)
    assert boss.post("/see-as", {"role": "myn-bala-school-manager", "school": place.codes[1]}).status_code == 303
    text = boss.get(f"/sittings/{scene.id}/participants?lang=en").text
    assert "You see the house as: manager of a school" in text
    assert "Бекова" in text
    assert "Серікова" not in text
    assert boss.get("/staff").status_code == 403
    assert 'href="/staff"' not in boss.get("/").text
    pupil = f"/sittings/{scene.id}/participants/{scene.pupils[2]}"
    assert boss.get(pupil).status_code == 200
    for path in (f"{pupil}/lock", "/account/password", "/roles", "/raise", "/project", "/modules"):
        answer = boss.post(path, headers={"accept": "application/json"})
        assert answer.status_code == 403, path
    assert boss.post("/account/password", headers={"accept": "application/json"}).json()["code"] == "only-looking"
    assert boss.post("/see-as/end").status_code == 303
    assert boss.get("/staff").status_code == 200
    trail = house.sql(
        "select act, acting_as from audit where staff_id = $1 and act in ('role.view.began', 'participant.card.opened', 'role.view.ended') order by id",
        staff_id(house, boss_login),
    )
    assert [(row["act"], row["acting_as"]) for row in trail] == [
        ("role.view.began", "super-admin"),
        ("participant.card.opened", "super-admin → myn-bala-school-manager"),
        ("role.view.ended", "super-admin → myn-bala-school-manager"),
    ]


def test_it_ends_with_the_raised_session_and_by_itself(house: House) -> None:
    """Nobody stays another by forgetting it."""
    login = house.person("super-admin")
    boss = house.visitor(login)
    for column in ("seen_until", "raised_until"):
        boss.post("/raise", {"reason": "Тексеру", "minutes": "15"})
        assert boss.post("/see-as", {"role": "proctor"}).status_code == 303
        assert boss.get("/staff").status_code == 403
        house.sql(
            f"update staff_session set {column} = now() - interval '1 second' where staff_id = $1",
            staff_id(house, login),
        )
        assert boss.get("/staff").status_code == 200


def test_only_whom_it_is_given_sees_as_another(house: House) -> None:
    """A test administrator would see more than his own."""
    assert house.worker("test-administrator").post("/see-as", {"role": "super-admin"}).status_code == 403


def ask(house: House, login: str, permission: str, **place: str) -> str:
    """The answer's page."""
    where = "".join(f"&{name}={value}" for name, value in place.items())
    return house.worker("super-admin").get(f"/why?lang=en&login={login}&permission={permission}{where}").text


def test_the_answer_names_the_role_that_gives_it(house: House, place: Place) -> None:
    """With its territory, end and giver; in the region yes, in the whole country no."""
    giver = house.person("super-admin")
    login = house.person("test-administrator", region=place.region, given_by=staff_id(house, giver))
    yes = ask(house, login, "slip.print", school=place.codes[0])
    assert "Yes, this person may." in yes
    assert "test administrator" in yes
    assert f"given by Адам {giver}" in yes
    assert "neither app nor key yet" in yes
    no = ask(house, login, "slip.print")
    assert "No, this person may not." in no
    assert no.count("Does not fit:") == 1
    assert "Its territory covers the place" in no


def test_the_answer_says_what_is_missing(house: House) -> None:
    """A permission, an end, a sleep, a shut login: each by its name."""
    login = house.person("room-supervisor")
    assert ask(house, login, "score.view").count("Does not fit:") == 1
    grant = grant_of(house, login)["id"]
    assert "Yes, this person may." in ask(house, login, "live.view")
    house.sql("update staff_grant set asleep_at = now() where id = $1", grant)
    assert "It is awake; nobody has used it since" in ask(house, login, "live.view")
    house.sql("update staff_grant set asleep_at = null, ends_at = $2 where id = $1", grant, dt.datetime.now(dt.UTC))
    assert "No, this person may not." in ask(house, login, "live.view")
    house.sql("update staff set disabled_at = now() where login = $1", login)
    assert ask(house, login, "live.view").count("Does not fit:") == 2
    assert "There is no such login." in ask(house, "nobody-at-all", "live.view")


def test_of_a_super_admin_it_says_that_a_raised_session_is_needed(house: House) -> None:
    """What he reads at rest needs none."""
    login = house.person("super-admin")
    assert "Only in a raised session" in ask(house, login, "score.run")
    assert "Only in a raised session" not in ask(house, login, "audit.view")
