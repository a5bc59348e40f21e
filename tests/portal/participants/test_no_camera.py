"""Who sat a proctored sitting without a camera is found: a person confirms who he is (SAFETY R1)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene


def test_who_sat_without_a_camera_is_found(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Started, and no picture of him came, whatever his consent says. In a sitting without a camera there is nobody."""
    scene = make_sitting()
    seen, unseen, _absent = scene.pupils
    for pupil in (seen, unseen):
        house.sql(
            "insert into attempt (id, sitting_id, signed_in_at, started_at) values ($1, $2, now(), now())",
            *(pupil, scene.id),
        )
    admin = house.worker("test-administrator")
    asked = f"/sittings/{scene.id}/participants?state=no-camera"

    def listed() -> list[int]:
        text = admin.get(asked).text
        return [pupil for pupil in scene.pupils if f'/participants/{pupil}"' in text]

    assert listed() == []
    house.sql("insert into sitting_watch (sitting_id) values ($1)", scene.id)
    house.sql("select make_watch_partition($1)", scene.id)
    house.sql(
        """
        insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset,
                             byte_length, key_id)
        values ($1, $2, 1, 'snapshot', $3, $3, gen_random_uuid(), 0, 9, '\\x0011223344556677')
        """,
        *(scene.id, seen, int(time.time() * 1000)),
    )
    assert listed() == [unseen]
    assert "кім екенін адам растайды" in admin.get(f"/sittings/{scene.id}/participants/{unseen}").text
    # At the end of their term all pictures go: who had none cannot be told from who had some.
    house.sql("delete from picture where sitting_id = $1", scene.id)
    house.sql("insert into picture_erasure (sitting_id, reason) values ($1, 'term')", scene.id)
    assert listed() == []
