"""Locking a pupil's code: the word that is sent, and nothing without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene


def locked(house: House, pupil: int) -> bool:
    """Whether the code opens nothing."""
    return house.sql("select locked_at from participant where id = $1", pupil)[0]["locked_at"] is not None


def test_a_code_is_locked_and_unlocked_by_its_word(house: House, make_sitting: Callable[..., Scene]) -> None:
    """Without one, or with another, nothing is changed and the page says so."""
    scene = make_sitting()
    pupil = scene.pupils[0]
    admin, address = house.worker("test-administrator"), f"/sittings/{scene.id}/participants/{pupil}/lock"
    for before, word in ((False, "lock"), (True, "unlock")):
        for wrong in ({}, {"do": "perhaps"}):
            answer = admin.post(f"{address}?lang=en", wrong)
            assert (answer.status_code, "Please choose one of the list." in answer.text) == (422, True)
            assert locked(house, pupil) is before
        assert admin.post(address, {"do": word}).status_code == 303
        assert locked(house, pupil) is not before
    acts = house.sql(
        "select act from audit where object_kind = 'participant' and object_id = $1 and act like '%lock%' order by id",
        str(pupil),
    )
    assert [row["act"] for row in acts] == ["participant.code.locked", "participant.code.unlocked"]
