"""SAFETY R4: «shouldn't be seen» by one tap; nobody but the child-safety officer, with a reason, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.proctoring.test_wall import take, wall

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.proctoring.conftest import Looker


@pytest.fixture
def officer(house: House) -> Visitor:
    """The country's child-safety officer."""
    return house.worker("child-safety-officer")


@pytest.fixture
def sealed(house: House, watched: Scene, officer: Visitor) -> int:
    """The first child's picture, sealed by a proctor; its number."""
    proctor = house.worker("proctor")
    take(proctor, watched, 1)
    return seal(house, proctor, watched.pupils[0])


def seal(house: House, proctor: Visitor, child: int, seq: int = 1) -> int:
    """One tap."""
    at = house.sql("select taken_ms from picture where attempt_id = $1 and seq = $2", child, seq)[0]["taken_ms"]
    answer = proctor.post(f"/watch/{child}/seal", {"shot": f"{seq}-{at}", "back": "wall"})
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/wall")
    return house.sql("select max(id) as id from picture_seal where attempt_id = $1", child)[0]["id"]


def test_one_tap_takes_a_picture_from_every_page_at_once(
    house: House, watched: Scene, officer: Visitor, looker: Looker
) -> None:
    """Wall, child's page, review: not there; the officer is told; who sealed it is on record."""
    proctor, child = house.worker("proctor"), watched.pupils[0]
    take(proctor, watched, 1)
    assert f"/watch/{child}/pictures/1" in wall(proctor, watched)
    number = seal(house, proctor, child)
    assert f"/watch/{child}/pictures/1" not in wall(proctor, watched)
    assert f"/watch/{child}/pictures/1" not in proctor.get(f"/watch/{child}").text
    assert "Бір сурет жасырылды" in officer.get("/notices").text
    links = house.sql("select link from notice where kind = 'watch.sealed' and about = $1", str(number))
    assert {row["link"] for row in links} == {f"/safety/{number}"}
    assert f"№ {child % 100_000}" in officer.get("/safety").text
    acts = house.sql("select reason from audit where act = 'watch.picture.sealed' and object_id = $1", str(child))
    assert len(acts) == 1
    # A second tap changes nothing, and a picture that is not there cannot be sealed.
    proctor.post(f"/watch/{child}/seal", {"shot": "1-5", "back": "child"})
    assert house.sql("select count(*) from picture_seal where attempt_id = $1", child)[0][0] == 1
    for bad in ({}, {"shot": "x-1"}, {"shot": "1-x"}, {"shot": "1"}, {"shot": "-"}, {"shot": f"{9:0<30}-1"}):
        assert proctor.post(f"/watch/{child}/seal", bad).status_code == 404
    assert looker.asked == []


def test_a_wall_keeps_its_filters_after_a_seal_without_script(house: House, watched: Scene) -> None:
    """The form says them; what is no filter of ours, or leads elsewhere, is left out."""
    proctor, child = house.worker("proctor"), watched.pupils[0]
    take(proctor, watched, 1)
    page = proctor.get(f"/sittings/{watched.id}/wall?state=flagged&event=paste&quiet=hide").text
    for name, value in (("state", "flagged"), ("event", "paste"), ("quiet", "hide")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    at = house.sql("select taken_ms from picture where attempt_id = $1 and seq = 1", child)[0]["taken_ms"]
    filters = {"state": "flagged", "event": "paste", "quiet": "hide"}
    answer = proctor.post(f"/watch/{child}/seal", {"shot": f"1-{at}", "back": "wall", **filters})
    assert answer.headers["location"].endswith(f"/sittings/{watched.id}/wall?state=flagged&event=paste&quiet=hide")
    strange = {"state": "//x.example", "event": "line-lost", "quiet": "1"}
    answer = proctor.post(f"/watch/{child}/seal", {"shot": f"1-{at}", "back": "wall", **strange})
    assert answer.headers["location"].endswith(f"/sittings/{watched.id}/wall")


def test_another_childs_picture_is_not_sealed_by_who_does_not_hold_it(house: House, watched: Scene) -> None:
    """404, as if it were not there."""
    stranger = house.worker("proctor")
    answer = stranger.post(f"/watch/{watched.pupils[0]}/seal", {"shot": "1-1"})
    assert answer.status_code == 404
    assert house.sql("select count(*) from picture_seal where sitting_id = $1", watched.id)[0][0] == 0


def test_the_officer_looks_with_a_reason_and_only_he(
    house: House, watched: Scene, officer: Visitor, sealed: int, looker: Looker
) -> None:
    """No reason, no picture; a look is written down twice over and opens for its own officer alone."""
    assert officer.get(f"/safety/{sealed}/picture").status_code == 404
    assert officer.post(f"/safety/{sealed}/open", {"reason": " "}).status_code == 422
    assert officer.post(f"/safety/{sealed}/open", {"reason": "Проктор шақырды"}).status_code == 303
    assert f"/safety/{sealed}/picture" in officer.get(f"/safety/{sealed}").text
    assert officer.get(f"/safety/{sealed}/picture").status_code == 200
    assert "/v1/look/" in looker.asked[0][0]
    reasons = house.sql("select reason from watch_look where attempt_id = $1 and reason <> ''", watched.pupils[0])
    assert [row["reason"] for row in reasons] == ["Проктор шақырды"]
    assert house.sql("select reason from audit where act = 'watch.sealed.opened' order by id desc limit 1")[0][0]
    second = house.worker("child-safety-officer")
    assert second.get(f"/safety/{sealed}/picture").status_code == 404
    house.sql("update picture_seal_look set at = now() - interval '6 minutes' where seal_id = $1", sealed)
    assert officer.get(f"/safety/{sealed}/picture").status_code == 404
    for role in ("proctor", "test-administrator", "quality-manager"):
        other = house.worker(role)
        for path in ("/safety", f"/safety/{sealed}", f"/safety/{sealed}/picture"):
            assert other.get(path).status_code == 403
    elsewhere = (
        house.worker("child-safety-officer", region="KZ-10")
        if house.sql("select 1 from region where code = 'KZ-10'")
        else None
    )
    if elsewhere is not None:
        assert elsewhere.get(f"/safety/{sealed}").status_code == 404


def test_what_the_officer_decides(house: House, watched: Scene, officer: Visitor, sealed: int) -> None:
    """Stays, then erase: not taken back; a mistake brings the picture back to its wall."""
    child = watched.pupils[0]
    assert officer.post(f"/safety/{sealed}/decide", {"state": "erase", "words": ""}).status_code == 422
    assert officer.post(f"/safety/{sealed}/decide", {"state": "open", "words": "x"}).status_code == 422
    for state in ("stays", "erase"):
        assert officer.post(f"/safety/{sealed}/decide", {"state": state, "words": "Киінбеген"}).status_code == 303
    assert officer.post(f"/safety/{sealed}/decide", {"state": "unsealed", "words": "x"}).status_code == 404
    assert house.sql("select sealed_at from picture where attempt_id = $1", child)[0]["sealed_at"]
    assert "Барлық" not in officer.get(f"/safety/{sealed}").text
    proctor = house.worker("proctor")
    take(proctor, watched, 1)
    other = house.sql("select attempt_id from watch_hand where sitting_id = $1 order by taken_at desc", watched.id)[0][
        0
    ]
    number = seal(house, proctor, other)
    assert officer.post(f"/safety/{number}/decide", {"state": "unsealed", "words": "Қателік"}).status_code == 303
    assert f"/watch/{other}/pictures/1" in wall(proctor, watched)
    assert house.sql("select count(*) from audit where act = 'watch.sealed.decided'")[0][0] >= 3
