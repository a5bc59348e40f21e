"""Stop and go on with the reserve form (SAFETY D1): two persons, one start, and only what was stopped."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from portal.core.i18n import ASTANA
from tests.portal.conftest import make_forms
from tests.portal.live.test_controls import controls, tell

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor


def tomorrow(hour: int = 10) -> dt.datetime:
    return (dt.datetime.now(ASTANA) + dt.timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def written(moment: dt.datetime) -> str:
    """As the field of the form sends it."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def act_of(house: House, scene: Scene) -> int:
    return house.sql("select id from pending_act where sitting_id = $1 and state = 'waits'", scene.id)[0]["id"]


@pytest.fixture
def stopped(house: House, make_sitting) -> tuple[Scene, Visitor, Visitor]:  # noqa: ANN001
    """A sitting whose region two persons have stopped."""
    main, reserve = make_forms(house, 2)
    scene = make_sitting(form=main, reserve=reserve)
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    assert tell(admin, scene.id, "region", scene.place.region, "stop").status_code == 202
    assert controls(house, scene.id) == []
    assert second.post(f"/acts/{act_of(house, scene)}/decide", {"do": "do"}).status_code == 303
    return scene, admin, second


def test_a_region_goes_on_the_next_day_by_two_persons(house: House, stopped: tuple[Scene, Visitor, Visitor]) -> None:
    """Players are told the form, its start and the last entry; nothing is told before the second person agreed."""
    scene, admin, second = stopped
    page = admin.get(f"/sittings/{scene.id}/controls/new?scope=region&id={scene.place.region}&kind=restart")
    assert page.status_code == 200
    region = scene.place.region
    asked = tell(admin, scene.id, "region", region, "restart", starts_at=written(tomorrow()), entry_min=20)
    assert asked.status_code == 202, asked.text[-2000:]
    assert [kind for _, kind, _ in controls(house, scene.id)] == ["stop"]
    assert second.post(f"/acts/{act_of(house, scene)}/decide", {"do": "do"}).status_code == 303
    scope, kind, body = controls(house, scene.id)[-1]
    starts_ms = round(tomorrow().timestamp() * 1000)
    assert (scope, kind) == ("region", "restart")
    assert body == {"starts_ms": starts_ms, "last_entry_ms": starts_ms + 20 * 60_000, "manifest": "0" * 64}
    assert {row["act"] for row in house.sql("select act from audit where object_id = $1", str(scene.id))} >= {
        "control.sitting.stopped",
        "control.sitting.restarted",
    }


def test_the_reserve_has_one_start(house: House, stopped: tuple[Scene, Visitor, Visitor]) -> None:
    """A second stop finds the reserve burnt for any other time than its first one."""
    scene, admin, second = stopped
    region, school = scene.place.region, scene.place.schools[0]
    tell(admin, scene.id, "region", region, "restart", starts_at=written(tomorrow()), entry_min=20)
    second.post(f"/acts/{act_of(house, scene)}/decide", {"do": "do"})
    assert tell(admin, scene.id, "school", school, "stop").status_code == 303
    refused = tell(admin, scene.id, "school", school, "restart", starts_at=written(tomorrow(15)), entry_min=20)
    assert refused.status_code == 409
    again = tell(admin, scene.id, "school", school, "restart", starts_at=written(tomorrow()), entry_min=20)
    assert again.status_code == 202


def test_only_what_is_stopped_goes_on_and_only_with_a_sealed_reserve(house: House, make_sitting) -> None:  # noqa: ANN001
    """Each refusal says what to do instead."""
    admin = house.worker("test-administrator")
    main, reserve = make_forms(house, 2)
    scene = make_sitting(form=main, reserve=reserve)
    school = scene.place.schools[0]
    when = written(tomorrow())
    assert tell(admin, scene.id, "school", school, "restart", starts_at=when).status_code == 409
    assert tell(admin, scene.id, "attempt", scene.pupils[0], "stop").status_code == 404
    assert tell(admin, scene.id, "school", school, "stop").status_code == 303
    assert tell(admin, scene.id, "school", school, "stop").status_code == 409
    soon = written(dt.datetime.now(ASTANA) + dt.timedelta(minutes=3))
    assert tell(admin, scene.id, "school", school, "restart", starts_at=soon).status_code == 422
    house.sql("update form set state = 'draft' where id = $1", reserve)
    assert tell(admin, scene.id, "school", school, "restart", starts_at=when).status_code == 409
