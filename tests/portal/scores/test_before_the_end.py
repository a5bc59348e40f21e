"""Results: nothing before the end, and publication by two persons (SAFETY J5, J6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local import environment
from infra.settings import ScoringSettings, read
from portal.scoring_work import run_one

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House

SUMMARY = {
    "participants": 3, "scored": 2, "absent": 1, "excluded": {}, "waiting_attempts": 0, "waiting_answers": 0,
    "unreadable_responses": 0, "mixed_forms": 0, "forms": [], "late_policy": "person", "quota_places": 0,
    "quota_given": 0, "quota_at_line": 0, "quota_from_home": False,
}  # fmt: skip


def test_scoring_a_running_sitting_is_refused_with_a_sentence(house: House, stack: Stack, make_sitting) -> None:  # noqa: ANN001
    """No run, no figure; the page says why."""
    scene = make_sitting()
    analyst = house.worker("analyst")
    assert analyst.post(f"/sittings/{scene.id}/scores/run").status_code == 303
    job = house.sql("select id from job where kind = 'score' and sitting_id = $1", scene.id)[0]["id"]
    settings = read(ScoringSettings, environment(stack.home, "scoring"))
    house.loop.run(run_one(house.front.inner.state.pool, settings, job))
    row = house.sql("select state, result from job where id = $1", job)[0]
    assert (row["state"], row["result"]["kind"]) == ("failed", "not-over"), row["result"]
    assert house.sql("select 1 from score_run where sitting_id = $1", scene.id) == []
    assert "Somebody may still be writing" in analyst.get(f"/sittings/{scene.id}/scores?lang=en").text


def test_results_are_published_by_two(house: House, make_sitting) -> None:  # noqa: ANN001
    """The first person asks; nothing is published until a second one agrees."""
    scene = make_sitting(starts_in_s=-20_000)
    run = house.sql(
        """
        insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary)
        values ($1, 1, '{}', 's', 'r', 'c', $2) returning id
        """,
        *(scene.id, SUMMARY),
    )[0]["id"]
    first, second = house.worker("analyst"), house.worker("analyst")
    assert first.post(f"/sittings/{scene.id}/scores/1/publish", {"reason": "Тексерілді"}).status_code == 303
    published = "select published_at from score_run where id = $1"
    assert house.sql(published, run)[0]["published_at"] is None
    act = house.sql("select id from pending_act where sitting_id = $1", scene.id)[0]["id"]
    assert house.worker("test-administrator").post(f"/acts/{act}/decide", {"do": "do"}).status_code == 404
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert house.sql(published, run)[0]["published_at"] is not None
