"""A pair with keys waives the second person for half an hour; all see it, two others review it (SAFETY J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.accounts.keys import origin
from portal.core.acts import ACTS
from tests.portal.conftest import PASSWORD
from tests.portal.waiver.authenticator import SecurityKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Scene, Visitor

ADMIN = "test-administrator"
MESSAGE = {"kind": "message", "scope": "sitting", "text_kk": "Асықпаңдар.", "reason": "Ақау"}


class Duty:
    """A person with a key."""

    def __init__(self, house: House) -> None:
        self.login = house.person(ADMIN)
        self.at = house.visitor(self.login)
        self.key = SecurityKey(origin(house.settings))
        form = {"name": "Кілт", "present": PASSWORD, "credential": self.key.register(self.at)}
        assert self.at.post("/account/keys", form).status_code == 303


@pytest.fixture
def pair(house: House) -> Iterator[tuple[Duty, Duty]]:
    """Two on duty; no waiver is left to the next test."""
    yield Duty(house), Duty(house)
    house.sql("update waiver set ends_at = began_at where ends_at > now()")


def declare(house: House, first: Duty, second: Duty) -> None:
    """Both confirm with their keys."""
    asked = first.at.post("/waiver", {"reason": "Байланыс үзілді", "credential": first.key.confirm(first.at)})
    assert asked.status_code == 303, asked.text
    act = house.sql("select max(id) as id from pending_act where act = 'act.waive'")[0]["id"]
    agreed = second.at.post(f"/acts/{act}/decide", {"do": "do", "credential": second.key.confirm(second.at)})
    assert agreed.status_code == 303, agreed.text


def send_to_all(visitor: Visitor, scene: Scene) -> int:
    """A message over a whole sitting: two persons, or one under a waiver."""
    return visitor.post(f"/sittings/{scene.id}/controls", {**MESSAGE, "id": str(scene.id)}).status_code


def controls(house: House, scene: Scene) -> int:
    """How many were written."""
    return house.sql("select count(*) as n from control where sitting_id = $1", scene.id)[0]["n"]


def test_without_a_key_nobody_waives(house: House, pair: tuple[Duty, Duty]) -> None:
    """Neither the first nor the second; a stranger's key, a used answer and another page's address are no key."""
    first, second = pair
    for credential in ("", "{}", second.key.touch(first.key._options(first.at, "confirm"))):
        assert first.at.post("/waiver", {"reason": "x", "credential": credential}).status_code == 403
    once = first.key.confirm(first.at)
    assert first.at.post("/waiver", {"reason": "Ақау", "credential": once}).status_code == 303
    assert first.at.post("/waiver", {"reason": "Ақау", "credential": once}).status_code == 403
    act = house.sql("select max(id) as id from pending_act where act = 'act.waive'")[0]["id"]
    assert second.at.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403
    assert house.sql("select state from pending_act where id = $1", act)[0]["state"] == "waits"
    second.key.origin = "https://elsewhere.example"
    wrong = second.key.confirm(second.at)
    assert second.at.post(f"/acts/{act}/decide", {"do": "do", "credential": wrong}).status_code == 403
    assert house.sql("select 1 from waiver where ends_at > now()") == []


def test_under_a_waiver_one_person_acts_and_all_see_it(
    house: House, pair: tuple[Duty, Duty], make_sitting: Callable[..., Scene]
) -> None:
    """Before: it waits. During: done, marked in the act and the trail; every page says so. After: it waits again."""
    scene = make_sitting()
    worker, watcher = house.worker(ADMIN), house.worker("proctor")
    assert (send_to_all(worker, scene), controls(house, scene)) == (202, 0)
    declare(house, *pair)
    assert (send_to_all(worker, scene), controls(house, scene)) == (303, 1)
    act = house.sql("select max(id) as id from pending_act where sitting_id = $1", scene.id)[0]["id"]
    row = house.sql("select state, waiver_id, made_by, decided_by from pending_act where id = $1", act)[0]
    assert (row["state"], row["made_by"]) == ("done", row["decided_by"])
    assert row["waiver_id"] is not None
    told = house.sql("select after from audit where act = 'act.act.waived' and object_id = $1", str(act))
    assert told[0]["after"]["waiver"] == row["waiver_id"]
    banner = watcher.get("/?lang=en").text
    assert "The second person is waived until" in banner
    assert all(f"Адам {duty.login}" in banner for duty in pair)
    assert "Байланыс үзілді" in banner
    assert worker.post("/waiver/end").status_code == 409, "only the pair ends it"
    assert pair[1].at.post("/waiver/end").status_code == 303
    assert (send_to_all(worker, scene), controls(house, scene)) == (202, 1)
    assert "The second person is waived" not in watcher.get("/?lang=en").text


def test_what_was_asked_an_hour_ago_is_asked_anew(house: House, pair: tuple[Duty, Duty]) -> None:
    """A key that was touched in the morning declares nothing in the evening."""
    first, second = pair
    assert first.at.post("/waiver", {"reason": "Ақау", "credential": first.key.confirm(first.at)}).status_code == 303
    act = house.sql("select max(id) as id from pending_act where act = 'act.waive'")[0]["id"]
    house.sql("update pending_act set made_at = made_at - interval '2 hours' where id = $1", act)
    late = {"do": "do", "credential": second.key.confirm(second.at)}
    assert second.at.post(f"/acts/{act}/decide", late).status_code == 409
    assert house.sql("select 1 from waiver where ends_at > now()") == []


def test_it_ends_by_itself(house: House, pair: tuple[Duty, Duty], make_sitting: Callable[..., Scene]) -> None:
    """Half an hour, not a second more; the table refuses a longer one."""
    scene = make_sitting()
    declare(house, *pair)
    lasts = house.sql("select ends_at - began_at as lasts from waiver order by id desc limit 1")[0]["lasts"]
    assert lasts.total_seconds() == 1800
    house.sql(
        "update waiver set began_at = began_at - interval '31 minutes', ends_at = ends_at - interval '31 minutes'"
    )
    assert send_to_all(house.worker(ADMIN), scene) == 202


def test_two_others_review_each_act(house: House, pair: tuple[Duty, Duty], make_sitting: Callable[..., Scene]) -> None:
    """Not the pair, not who did it; the same person counts once."""
    scene = make_sitting()
    worker, reviewers = house.worker(ADMIN), [house.worker(ADMIN), house.worker("super-admin")]
    declare(house, *pair)
    assert send_to_all(worker, scene) == 303
    act = house.sql("select max(id) as id from pending_act where sitting_id = $1", scene.id)[0]["id"]
    for own in (pair[0].at, pair[1].at, worker):
        assert own.post(f"/waiver/acts/{act}/review").status_code == 403
    assert "wait for your review" in reviewers[0].get("/?lang=en").text
    assert "wait for your review" not in house.worker("proctor").get("/?lang=en").text
    shown = reviewers[0].get("/waiver?lang=en").text
    assert "reviewed by 0 of 2" in shown
    assert "Асықпаңдар." in shown
    for reviewer in (reviewers[0], reviewers[0], reviewers[1]):
        assert reviewer.post(f"/waiver/acts/{act}/review", {"note": ""}).status_code == 303
    assert len(house.sql("select 1 from waived_review where act_id = $1", act)) == 2
    assert len(house.sql("select 1 from audit where act = 'waiver.act.reviewed' and object_id = $1", str(act))) == 2


def test_what_moves_results_is_never_waived(
    house: House, pair: tuple[Duty, Duty], make_sitting: Callable[..., Scene]
) -> None:
    """Publishing waits for a second person under a waiver too; no act of results or of waivers can be waived."""
    scene = make_sitting(starts_in_s=-20_000)
    declare(house, *pair)
    analyst = house.worker("analyst")
    form = {"places_" + scene.place.region: "2", "tie_at_line": "all", "from_home": "1", "reason": "№ 1"}
    assert analyst.post(f"/sittings/{scene.id}/scores/quota", form).status_code == 303
    assert house.sql("select state from pending_act where sitting_id = $1", scene.id)[0]["state"] == "waits"
    assert not [code for code, act in ACTS.items() if act.waivable and not code.startswith(("control.", "rescue."))]


def test_a_key_is_added_with_the_password_only(house: House) -> None:
    """A session left open adds no key; a key is one person's; it can be removed."""
    duty = Duty(house)
    form = {"name": "Кілт", "present": "wrong words", "credential": SecurityKey(duty.key.origin).register(duty.at)}
    assert duty.at.post("/account/keys", form).status_code == 422
    other = house.worker(ADMIN)
    taken = {"name": "Кілт", "present": PASSWORD, "credential": duty.key.register(other)}
    assert other.post("/account/keys", taken).status_code == 403
    key = house.sql("select k.id from staff_key k join staff s on s.id = k.staff_id where s.login = $1", duty.login)[0][
        "id"
    ]
    assert other.post(f"/account/keys/{key}/remove").status_code == 404
    assert duty.at.post(f"/account/keys/{key}/remove").status_code == 303
    assert "None yet. A pair on duty" in duty.at.get("/account?lang=en").text


def test_who_set_the_others_password_is_no_pair(house: House, pair: tuple[Duty, Duty]) -> None:
    """A key does not make two persons of one."""
    first, second = pair
    rows = house.sql("select id, login from staff where login = any($1)", [first.login, second.login])
    numbers = {row["login"]: row["id"] for row in rows}
    house.sql(
        """
        insert into audit (staff_id, acting_as, address, act, object_kind, object_id, previous_hash, hash)
        values ($1, '-', '-', 'staff.password.reset', 'staff', $2, '', '')
        """,
        *(numbers[first.login], str(numbers[second.login])),
    )
    assert first.at.post("/waiver", {"reason": "Ақау", "credential": first.key.confirm(first.at)}).status_code == 303
    act = house.sql("select max(id) as id from pending_act where act = 'act.waive'")[0]["id"]
    agreed = second.at.post(f"/acts/{act}/decide", {"do": "do", "credential": second.key.confirm(second.at)})
    assert agreed.status_code == 403
    assert house.sql("select 1 from waiver where ends_at > now()") == []
