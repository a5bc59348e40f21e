"""Everybody sees what he did himself; what others did, who may read the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import House


def staff_id(house: House, login: str) -> int:
    return house.sql("select id from staff where login = $1", login)[0]["id"]


def test_my_history_is_mine(house: House) -> None:
    """With the sign-ins and their devices; nothing that others did."""
    login, other = house.person("proctor"), house.person("proctor")
    me, neighbour = house.visitor(), house.visitor(other)
    house.sql("update staff set demo = true where login = $1", login)
    agent = {"accept": "text/html", "user-agent": "Browser 1.0"}
    me.post("/sign-in", {"login": login, "password": PASSWORD}, headers=agent)
    me.token = None
    me.post("/account/phone", {"phone": "+77001234567"})
    neighbour.post("/account/phone", {"phone": "+77009999999"})
    shown = me.get("/history?lang=en").text
    assert "Changed the own phone number" in shown
    assert "Signed in" in shown
    assert "+77009999999" not in shown
    signs = me.get("/history?act=account.session.began&lang=en").text
    assert me.address in signs
    assert "Browser 1.0" in signs
    assert '<th scope="row">Changed the own phone number' not in signs


def test_a_history_is_filtered_and_taken_away(house: House) -> None:
    """As a file with the fingerprints; that it was taken is on record."""
    login = house.person("proctor")
    me = house.visitor(login)
    me.post("/account/phone", {"phone": "+77001234567"})
    file = me.get("/history/export/csv?act=account.phone.changed")
    assert file.headers["content-type"].startswith("text/csv")
    lines = file.content.decode("utf-8-sig").strip().splitlines()
    assert len(lines) == 2
    assert "+77001234567" in lines[1]
    record = house.sql(
        "select after from audit where act = 'account.history.exported' and staff_id = $1", staff_id(house, login)
    )
    assert [row["after"] for row in record] == [{"rows": 1, "side": "by"}]
    assert me.get("/history?since=2031-01-01&lang=en").text.count("No record fits this filter") == 1
    assert me.get("/history/export/doc").status_code == 404


def test_anothers_history_is_for_readers_of_the_trail(house: House) -> None:
    """What he did, and what was done to his login."""
    login = house.person("proctor")
    number = staff_id(house, login)
    house.visitor(login).post("/account/phone", {"phone": "+77001234567"})
    boss = house.worker("super-admin")
    boss.post(f"/staff/{number}/password")
    did = boss.get(f"/staff/{number}/history?lang=en").text
    assert '<th scope="row">Changed the own phone number' in did
    assert '<th scope="row">Set a new password for a login' not in did
    done = boss.get(f"/staff/{number}/history?side=on&lang=en").text
    assert '<th scope="row">Set a new password for a login' in done
    assert house.worker("test-administrator").get(f"/staff/{number}/history").status_code == 403
    assert boss.get("/staff/999999999/history").status_code == 404
    assert boss.get(f"/staff/{number}/history/export/xlsx?side=on").content[:2] == b"PK"
