"""Devices that a person should look at, on the live page (SAFETY J4): evidence, no verdict."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene


def sit(house: House, scene: Scene, attempt: int, phone: uuid.UUID, first_ms: int, last_ms: int) -> None:
    """A pupil's device, and when the server heard it."""
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
        attempt,
        scene.id,
    )
    house.sql(
        "insert into attempt_device (attempt_id, device, epoch, first_seen_ms, phone) values ($1, $2, 1, $3, $4)",
        *(attempt, uuid.uuid4(), first_ms, phone),
    )
    house.sql(
        "insert into attempt_pulse (attempt_id, sitting_id, last_received_ms) values ($1, $2, $3)",
        *(attempt, scene.id, last_ms),
    )


@pytest.mark.parametrize(("where", "told"), [("home", True), ("hall", False)])
def test_two_attempts_on_one_phone_at_one_time(house: House, make_sitting, where: str, told: bool) -> None:  # noqa: ANN001
    """At home it is told; in a hall children share phones."""
    scene = make_sitting()
    house.sql("update sitting set place = $2 where id = $1", scene.id, where)
    now, phone = int(time.time() * 1000), uuid.uuid4()
    sit(house, scene, scene.pupils[0], phone, now - 60_000, now)
    sit(house, scene, scene.pupils[1], phone, now - 30_000, now)
    text = house.worker("test-administrator").get(f"/sittings/{scene.id}/live?lang=en").text
    assert ("Phones with several attempts at one time: 1" in text) is told


def test_one_after_the_other_is_no_event(house: House, make_sitting) -> None:  # noqa: ANN001
    """A brother sits down when his sister has finished."""
    scene = make_sitting()
    now, phone = int(time.time() * 1000), uuid.uuid4()
    sit(house, scene, scene.pupils[0], phone, now - 90_000, now - 60_000)
    sit(house, scene, scene.pupils[1], phone, now - 30_000, now)
    text = house.worker("test-administrator").get(f"/sittings/{scene.id}/live?lang=en").text
    assert "Phones with several attempts" not in text


def test_a_device_that_is_held_back_waits_for_a_person(house: House, make_sitting) -> None:  # noqa: ANN001
    """Until somebody lets the next one in."""
    scene = make_sitting()
    house.sql("insert into device_hold (attempt_id, first_ms, newest_ms, tries) values ($1, 1, 2, 1)", scene.pupils[0])
    admin = house.worker("test-administrator")
    assert "Devices held back: 1" in admin.get(f"/sittings/{scene.id}/live?lang=en").text
    house.sql("update participant set devices_freed_at = now() where id = $1", scene.pupils[0])
    assert "Devices held back" not in admin.get(f"/sittings/{scene.id}/live?lang=en").text
