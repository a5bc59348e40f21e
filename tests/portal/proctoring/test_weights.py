"""What events weigh in one sitting: said by a page, on record, and never against a poor line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proctoring.risk.rules import HOUSE, INNOCENT, rules_of

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor


@pytest.fixture
def manager(house: House) -> Visitor:
    return house.worker("quality-manager")


def weigh(visitor: Visitor, scene: Scene, said: dict[str, str]) -> int:
    """Keep these; the status."""
    return visitor.post(f"/sittings/{scene.id}/weights", said).status_code


def stored(house: House, scene: Scene) -> object:
    return house.sql("select rules from sitting_watch where sitting_id = $1", scene.id)[0]["rules"]


def test_a_rule_weighs_otherwise_in_one_sitting_and_scores_are_worked_out_anew(
    house: House, watched: Scene, manager: Visitor
) -> None:
    """An empty field and the house's own number say nothing; a comma is a decimal point here."""
    page = manager.get(f"/sittings/{watched.id}/weights").text
    assert 'placeholder="0,3"' in page
    assert weigh(manager, watched, {"tab-left.weight": "1,5", "tab-left.per_s": "0,3", "paste.most": ""}) == 303
    assert stored(house, watched) == {"tab-left": {"weight": 1.5}}
    again = house.sql("select attempt_id from watch_to_score where sitting_id = $1", watched.id)
    assert {row["attempt_id"] for row in again} == set(watched.pupils)
    assert 'value="1,5"' in manager.get(f"/sittings/{watched.id}/weights").text
    (act,) = house.sql("select after from audit where act = 'watch.weights.set' and object_id = $1", str(watched.id))
    assert act["after"] == {"tab-left": {"weight": 1.5}}
    rule = rules_of('{"tab-left": {"weight": 1.5}}')["tab-left"]
    assert (rule.weight, rule.per_s) == (1.5, HOUSE["tab-left"].per_s)


@pytest.mark.parametrize("typed", ["-1", "101", "nan", "inf", "x", "1e9", "<b>"])
def test_a_number_that_is_none_changes_nothing(house: House, watched: Scene, manager: Visitor, typed: str) -> None:
    before = stored(house, watched)
    answer = manager.post(f"/sittings/{watched.id}/weights", {"paste.weight": typed, "copy.weight": "3"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<b>»" not in answer.text
    assert 'value="3"' in answer.text, "what was typed beside it is still there"
    assert stored(house, watched) == before


def test_half_a_time_is_no_time(watched: Scene, manager: Visitor) -> None:
    assert weigh(manager, watched, {"paste.free_times": "1,5"}) == 422


@pytest.mark.parametrize("kind", sorted(INNOCENT))
def test_a_poor_house_is_no_guilt_in_any_sitting(house: House, watched: Scene, manager: Visitor, kind: str) -> None:
    """Neither by the page nor by a row that somebody wrote past it."""
    assert f'name="{kind}.weight"' not in manager.get(f"/sittings/{watched.id}/weights").text
    assert manager.post(f"/sittings/{watched.id}/weights", {f"{kind}.weight": "50"}).status_code == 303
    assert stored(house, watched) == {}
    assert rules_of(f'{{"{kind}": {{"weight": 50}}}}')[kind].weight == 0


def test_only_who_reviews_the_whole_of_it(house: House, watched: Scene) -> None:
    """A proctor does not choose what makes a child suspicious, nor does who has a part of the sitting."""
    assert house.worker("proctor").get(f"/sittings/{watched.id}/weights").status_code == 403
    part = house.worker("quality-manager", school=watched.place.schools[0])
    assert weigh(part, watched, {"paste.weight": "1"}) in {403, 404}
    assert house.worker("analyst").post(f"/sittings/{watched.id}/weights", {}).status_code == 403
