"""Looking live at a child: in one's hands only, with a consent only, on record, a reason for the second, a ticket of a minute."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from infra.live_tickets import verify
from infra.local import decode_key
from portal.features.proctoring import live
from tests.portal.proctoring.test_wall import take
from tests.support.camera_consent import give_camera, known_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Scene, Visitor

FORWARDER = "http://live.test:8122"


@pytest.fixture
def proctor(house: House) -> Visitor:
    return house.worker("proctor")


@pytest.fixture
def forwarder(house: House) -> Iterator[str]:
    """Its address in the portal's settings."""
    state = house.front.inner.state
    before = state.settings
    state.settings = msgspec.structs.replace(before, live_urls=[FORWARDER])
    yield FORWARDER
    state.settings = before


@pytest.fixture
def child(house: House, watched: Scene, proctor: Visitor, forwarder: str) -> int:
    """In the proctor's hands; his mother agreed to the camera."""
    assert forwarder
    attempt = watched.pupils[0]

    async def agree() -> None:
        db = await asyncpg.connect(house.owner_url)
        try:
            await give_camera(db, await known_person(db, attempt))
        finally:
            await db.close()

    house.loop.run(agree())
    take(proctor, watched, 1)
    return attempt


def looks(house: House, attempt: int) -> list[dict[str, object]]:
    return [dict(row) for row in house.sql("select * from watch_live where attempt_id = $1 order by id", attempt)]


def test_a_look_is_asked_for_on_record_and_has_a_ticket(house: House, proctor: Visitor, child: int) -> None:
    """The page says what the child reads; the picture's page alone may speak to the forwarder."""
    assert "Тікелей қарау" in proctor.get(f"/watch/{child}").text
    page = proctor.get(f"/watch/{child}/live").text
    assert "Үш минут" in page or "үш минут" in page
    assert 'name="reason"' not in page
    answer = proctor.post(f"/watch/{child}/live", {})
    assert answer.status_code == 303
    (row,) = looks(house, child)
    assert answer.headers["location"] == f"/watch/{child}/live/{row['id']}"
    assert row["forwarder"] == FORWARDER
    look = proctor.get(answer.headers["location"])
    assert f"connect-src 'self' {FORWARDER};" in look.headers["content-security-policy"]
    assert "connect-src 'self';" in proctor.get(f"/watch/{child}/live").headers["content-security-policy"]
    ticket = re.search(r'data-ticket="([\w-]+)"', look.text)
    assert ticket
    claims = verify(decode_key(house.settings.live_key), ticket[1])
    assert claims is not None
    assert (claims.role, claims.view, claims.attempt) == ("watch", row["id"], child)
    assert claims.expires_s - time.time() < 61
    assert "(p" in look.text.split('class="live-name"')[1][:200]
    acts = house.sql("select count(*) from audit where act = 'watch.live.asked' and object_id = $1", str(child))
    counted = house.sql("select count(*) from watch_look where attempt_id = $1 and reason = 'live'", child)
    assert (acts[0][0], counted[0][0]) == (1, 1)


def test_how_it_stands_is_said_in_words(house: House, proctor: Visitor, child: int) -> None:
    """Asked, live with the time left, ended with why; also when the forwarder is gone."""
    address = proctor.post(f"/watch/{child}/live", {}).headers["location"]

    def told() -> dict[str, object]:
        return proctor.get(f"{address}/state").json()

    assert told()["state"] == "waiting"
    house.sql(
        "update watch_live set began_at = now(), ends_at = now() + interval '3 minutes' where attempt_id = $1", child
    )
    live = told()
    assert live["state"] == "live"
    assert 170 < live["left_s"] <= 180
    house.sql("update watch_live set ended_at = now(), why = 'consent' where attempt_id = $1", child)
    assert told() == {
        "state": "ended",
        "words": "Камераға берілген келісім қайтарып алынды: енді ешкім қарай алмайды.",
        "left_s": None,
    }
    house.sql(
        "update watch_live set ended_at = null, why = null, ends_at = now() - interval '1 minute' where attempt_id = $1",
        child,
    )
    assert told()["state"] == "ended"
    assert 'data-ticket=""' in proctor.get(address).text


def test_the_second_within_ten_minutes_says_why(house: House, proctor: Visitor, child: int) -> None:
    address = proctor.post(f"/watch/{child}/live", {}).headers["location"]
    house.sql(
        "update watch_live set began_at = now(), ends_at = now() + interval '3 minutes' where attempt_id = $1", child
    )
    # One at a time.
    assert proctor.post(f"/watch/{child}/live", {"reason": "Тағы"}).headers["location"] == f"/watch/{child}/live"
    assert proctor.post(f"{address}/end").status_code == 303
    assert looks(house, child)[0]["why"] == "proctor"
    assert proctor.post(f"/watch/{child}/live", {}).status_code == 422
    assert proctor.post(f"/watch/{child}/live", {"reason": "Бөлмеде біреу сөйлеп тұр"}).status_code == 303
    assert looks(house, child)[1]["reason"] == "Бөлмеде біреу сөйлеп тұр"
    assert "Сіз аяқтадыңыз" in proctor.get(f"/watch/{child}/live").text


def test_without_a_consent_it_is_not_possible_and_says_so(house: House, proctor: Visitor, child: int) -> None:
    """No button, and a post past it makes nothing."""
    house.sql("update consent set withdrawn_at = now() where purpose = 'camera' and withdrawn_at is null")
    assert "Камераға келісім жоқ" in proctor.get(f"/watch/{child}/live").text
    assert proctor.post(f"/watch/{child}/live", {}).status_code == 422
    assert looks(house, child) == []


def test_where_no_forwarder_is_set_up_the_page_says_so(house: House, proctor: Visitor, child: int) -> None:
    state = house.front.inner.state
    state.settings = msgspec.structs.replace(state.settings, live_urls=[])
    assert "бапталмаған" in proctor.get(f"/watch/{child}/live").text
    assert proctor.post(f"/watch/{child}/live", {}).status_code == 422


def test_nobody_else_looks_live_at_this_child(house: House, watched: Scene, proctor: Visitor, child: int) -> None:
    """Not another proctor, not at a child in nobody's hands, not into another's view."""
    address = proctor.post(f"/watch/{child}/live", {}).headers["location"]
    other = house.worker("proctor")
    for path in (f"/watch/{child}/live", address, f"{address}/state", f"/watch/{watched.pupils[1]}/live"):
        assert other.get(path).status_code == 404
    assert other.post(f"/watch/{child}/live", {}).status_code == 404
    other.post(f"{address}/end")
    assert looks(house, child)[0]["ended_at"] is None
    house.sql("update watch_hand set staff_id = (select max(id) from staff) where attempt_id = $1", child)
    assert proctor.get(f"{address}/state").status_code == 404
    # Whoever looked may always stop looking.
    assert proctor.post(f"{address}/end").status_code == 303
    assert looks(house, child)[0]["why"] == "proctor"


def test_one_proctor_does_not_take_all_the_places(
    house: House, watched: Scene, proctor: Visitor, child: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few children at once; those that ended, and this child's own, are not counted."""
    monkeypatch.setattr(live, "MOST_AT_ONCE", 1)
    assert proctor.post(f"/watch/{child}/live", {}).status_code == 303
    take(proctor, watched)
    other = watched.pupils[1]

    async def agree() -> None:
        db = await asyncpg.connect(house.owner_url)
        try:
            await give_camera(db, await known_person(db, other))
        finally:
            await db.close()

    house.loop.run(agree())
    answer = proctor.post(f"/watch/{other}/live", {})
    assert answer.status_code == 409
    assert "бірнеше баланы" in answer.text
    assert looks(house, other) == []
    house.sql("update watch_live set ended_at = now(), why = 'proctor' where attempt_id = $1", child)
    assert proctor.post(f"/watch/{other}/live", {}).status_code == 303


def test_who_has_handed_in_is_looked_at_no_more(house: House, watched: Scene, proctor: Visitor, child: int) -> None:
    """The page says it and has no form; asking all the same asks nobody."""
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), now())",
        *(child, watched.id),
    )
    page = proctor.get(f"/watch/{child}/live").text
    assert "Бала жұмысын тапсырып қойды." in page
    assert f'action="/watch/{child}/live"' not in page
    assert proctor.post(f"/watch/{child}/live", {}).status_code == 422
    assert looks(house, child) == []
    assert f'href="/watch/{child}/live"' not in proctor.get(f"/watch/{child}").text
