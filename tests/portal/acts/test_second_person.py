"""Two persons are two: a login that one of them made or opened is not the second (SAFETY J5)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene, Visitor

ADMIN = "test-administrator"
MESSAGE = {"kind": "message", "scope": "sitting", "text_kk": "Асықпаңдар.", "reason": "Ақау"}


def staff_id(house: House, login: str) -> int:
    """A login's number."""
    return house.sql("select id from staff where login = $1", login)[0]["id"]


def ask(house: House, visitor: Visitor, scene: Scene, **more: str) -> int:
    """A message over a whole sitting, which waits; its number."""
    answer = visitor.post(f"/sittings/{scene.id}/controls", {**MESSAGE, "id": str(scene.id), **more})
    assert answer.status_code == 202, answer.text
    return house.sql("select max(id) as id from pending_act where sitting_id = $1", scene.id)[0]["id"]


def state(house: House, act: int) -> str:
    """How an act stands."""
    return house.sql("select state from pending_act where id = $1", act)[0]["state"]


def grant(house: House, boss: Visitor, login: str, role: str = ADMIN) -> None:
    """Give a role as people do."""
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).strftime("%Y-%m-%d")
    answer = boss.post(f"/staff/{staff_id(house, login)}/grant", {"role": role, "ends_on": ends})
    assert answer.status_code == 303, answer.text


def test_a_login_of_his_own_making_is_no_second_person(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Neither agrees to the other's acts; to refuse is open, and a third person is two again."""
    scene = make_sitting()
    boss_login = house.person("super-admin")
    boss = house.visitor(boss_login)
    name = f"ghost{scene.id}"
    made = boss.post("/staff/new", {"login": name, "full_name": "Елес", "password": PASSWORD, "language": "kk"})
    assert made.status_code == 303, made.text
    grant(house, boss, name, "super-admin")
    ghost = house.visitor(name)
    for asks, agrees in ((boss, ghost), (ghost, boss)):
        act = ask(house, asks, scene)
        shown = agrees.get("/acts?lang=en").text
        assert "A third colleague has to agree." in shown
        answer = agrees.post(f"/acts/{act}/decide?lang=en", {"do": "do"})
        assert (answer.status_code, "Ask a third colleague" in answer.text) == (403, True)
        assert state(house, act) == "waits"
        assert agrees.post(f"/acts/{act}/decide", {"do": "refuse"}).status_code == 303
    act = ask(house, boss, scene)
    assert house.worker(ADMIN).post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert state(house, act) == "done"


@pytest.mark.parametrize("hand", ["password", "disable", "grant"])
def test_a_colleagues_login_that_he_changed_is_no_second_person(
    house: House, make_sitting: Callable[..., Scene], hand: str
) -> None:
    """A password reset, a login opened, a role given; a month later the two are two again."""
    scene, login = make_sitting(), house.person(ADMIN)
    boss = house.worker("super-admin")
    if hand == "grant":
        grant(house, boss, login)
    elif hand == "password":
        assert boss.post(f"/staff/{staff_id(house, login)}/password").status_code == 200
        stored = "update staff set password_hash = (select password_hash from staff where login = $2) where login = $1"
        house.sql(stored, login, house.person("proctor"))
    else:
        for _ in range(2):
            assert boss.post(f"/staff/{staff_id(house, login)}/disable").status_code == 303
    colleague = house.visitor(login)
    act = ask(house, boss, scene)
    assert colleague.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403
    assert state(house, act) == "waits"


def test_a_month_later_two_are_two_again(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Only what the trail holds of the last thirty days counts."""
    scene = make_sitting()
    first, second = house.person(ADMIN), house.person(ADMIN)
    house.sql(
        """
        insert into audit (at, staff_id, acting_as, address, act, object_kind, object_id, previous_hash, hash)
        values (now() - interval '31 days', $1, '-', '-', 'staff.password.reset', 'staff', $2, '', '')
        """,
        *(staff_id(house, first), str(staff_id(house, second))),
    )
    act = ask(house, house.visitor(first), scene)
    assert house.visitor(second).post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303


def test_without_a_word_nothing_is_decided(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Neither done nor refused: the page comes back and says what is missing."""
    scene = make_sitting()
    act, second = ask(house, house.worker(ADMIN), scene), house.worker(ADMIN)
    for word in ({}, {"do": "perhaps"}):
        answer = second.post(f"/acts/{act}/decide?lang=en", word)
        assert (answer.status_code, "Please choose one of the list." in answer.text) == (422, True)
    assert state(house, act) == "waits"


def test_of_the_same_act_asked_twice_one_is_done(house: House, make_sitting: Callable[..., Scene]) -> None:
    """The twin is withdrawn on record; another message, and the same one to another sitting, still wait."""
    scene, other_scene = make_sitting(), make_sitting()
    first, second = house.worker(ADMIN), house.worker(ADMIN)
    done, twin = ask(house, first, scene), ask(house, second, scene)
    others = [ask(house, first, scene, text_kk="Тынышталыңдар."), ask(house, first, other_scene)]
    assert second.post(f"/acts/{done}/decide", {"do": "do"}).status_code == 303
    assert [state(house, act) for act in (done, twin, *others)] == ["done", "withdrawn", "waits", "waits"]
    record = house.sql(
        "select staff_id, after from audit where act = 'act.twin.withdrawn' and object_id = $1", str(twin)
    )
    assert [(row["staff_id"], row["after"]) for row in record] == [(None, {"done": done})]
    assert first.post(f"/acts/{twin}/decide", {"do": "do"}).status_code == 409
    assert len(house.sql("select 1 from control where sitting_id = $1", scene.id)) == 1
    assert second.get("/acts").status_code == 200


def test_what_others_cannot_see_hides_nothing(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Six hundred acts of another region, older and newer: mine is on my page."""
    scene = make_sitting()
    flood = """
        insert into pending_act (sitting_id, act, payload, before, after, reason, made_by)
        select null, 'control.message', '{"regions": ["ELSEWHERE"]}', '[]', '[]', 'flood', $1
        from generate_series(1, 600)
        """
    maker = staff_id(house, house.person("proctor"))
    second = house.worker(ADMIN, region=scene.place.region)
    house.sql(flood, maker)
    act = ask(house, house.worker(ADMIN, region=scene.place.region), scene)
    house.sql(flood, maker)
    try:
        for page in ("/acts", "/"):
            assert second.get(page).status_code == 200
        assert f"/acts/{act}/decide" in second.get("/acts").text
    finally:
        house.sql("delete from pending_act where reason = 'flood'")
