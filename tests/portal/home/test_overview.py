"""The overview has a next step for whoever signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene


def test_without_sittings_the_rooms_are_offered(house: House) -> None:
    """Who holds none and makes none is led on to what he may open, not to an empty list of sittings."""
    teacher = house.visitor(house.person("birge-teacher", project="birge-oqy"))
    assert teacher.post("/project", {"project": "birge-oqy"}).status_code == 303
    main = teacher.get("/").text.partition("<main")[2]
    for room in ("/persons", "/registrations", "/help"):
        assert f'class="way" href="{room}"' in main, room
    assert "/staff" not in main


def test_a_teacher_without_pupils_is_told_why(house: House) -> None:
    """He is not told to import a list that he may not import."""
    teacher = house.visitor(house.person("birge-teacher", project="birge-oqy"))
    assert teacher.post("/project", {"project": "birge-oqy"}).status_code == 303
    shown = teacher.get("/persons").text
    assert "бекітілмеген" in shown
    assert "Excel" not in shown.partition("<main")[2]


def test_a_proctor_comes_to_his_wall_in_one_step(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Of a sitting with a camera; others lead to none, and who may not watch is shown none."""
    scene = make_sitting()
    link = f'href="/sittings/{scene.id}/wall"'
    proctor, supervisor = house.worker("proctor"), house.worker("room-supervisor", school=scene.place.schools[0])
    assert link not in proctor.get("/").text
    house.sql("insert into sitting_watch (sitting_id) values ($1)", scene.id)
    assert link in proctor.get("/").text
    assert link not in supervisor.get("/").text
