"""Nobody is a superuser all day: a reason, an end, and reading without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor


def at_rest(house: House) -> tuple[str, Visitor]:
    """A super-admin who has not raised his session."""
    login = house.person("super-admin")
    house.sql("update staff set demo = true where login = $1", login)
    return login, house.visitor(login, strict=True)


def test_at_rest_he_reads_the_house_and_changes_nothing(house: House) -> None:
    """And the page says how to go on."""
    _, boss = at_rest(house)
    for path in ("/staff", "/roles", "/audit", "/sittings", "/why"):
        assert boss.get(path).status_code == 200, path
    for path in ("/staff/new", "/scores", "/live", "/receipts", "/incidents", "/grants"):
        answer = boss.get(path, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (403, "needs-raised-session"), path
    assert 'href="/raise?next=/live"' in boss.get("/live").text
    assert boss.post("/roles", {"given": "proctor:audit.view"}).status_code == 403


def test_raised_he_may_until_the_end_and_the_frame_says_so(house: House) -> None:
    """The reason is on every page and in the trail; ended by hand, it is over at once."""
    login, boss = at_rest(house)
    assert boss.post("/raise", {"reason": "", "minutes": "30"}).status_code == 422
    assert boss.post("/raise", {"reason": "Түркістанға жаңа логиндер", "minutes": "600"}).status_code == 422
    assert boss.get("/live").status_code == 403
    answer = boss.post("/raise", {"reason": "Түркістанға жаңа логиндер", "minutes": "15", "next": "/live"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/live")
    shown = boss.get("/live?lang=en")
    assert shown.status_code == 200
    assert "Raised session: 15 min left" in shown.text
    assert "Түркістанға жаңа логиндер" in shown.text
    record = house.sql("select reason, after from audit where act = 'account.raise.began' order by id desc limit 1")[0]
    assert (record["reason"], record["after"]["minutes"]) == ("Түркістанға жаңа логиндер", 15)
    assert boss.post("/raise/end").status_code == 303
    assert boss.get("/live").status_code == 403
    assert house.sql(
        "select 1 from audit a join staff s on s.id = a.staff_id where act = 'account.raise.ended' and login = $1",
        login,
    )


def test_it_ends_by_itself(house: House) -> None:
    """At its time, without a word."""
    login, boss = at_rest(house)
    boss.post("/raise", {"reason": "Тексеру", "minutes": "15"})
    assert boss.get("/live").status_code == 200
    house.sql(
        "update staff_session set raised_until = now() - interval '1 second' where staff_id = (select id from staff where login = $1)",
        login,
    )
    assert boss.get("/live").status_code == 403


def test_who_has_no_such_role_has_no_such_page(house: House) -> None:
    """Nothing to raise."""
    worker = house.worker("test-administrator")
    assert worker.get("/raise").status_code == 404
    assert worker.post("/raise", {"reason": "Тексеру", "minutes": "15"}).status_code == 404
