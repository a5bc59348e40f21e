"""The section: filled by rules, with its reason; out again by a newer run, a voided result, a rule switched off, a consent withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.talents.conftest import OFTEN, TOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene
    from tests.portal.talents.conftest import Section


def test_the_best_of_a_region_come_in_with_their_reason(section: Section, scene: Scene) -> None:
    """3 % of 40 is rounded up to two; found by external id, and by a name that is spelt otherwise."""
    first = section.person(last_name="Басқа", external_id="x0")
    other = section.person(last_name="Алиева", first_name="Dana", external_id=f"{scene.place.region}-other")
    third = section.person(
        last_name="Бекова",
        first_name="Нұргүл",
        school=str(scene.place.schools[1]),
        external_id=f"{scene.place.region}-3",
    )
    for person in (first, other, third):
        section.consent(person)
    section.publish(scene, dict(zip(scene.pupils, (99.0, 97.0, 95.0), strict=True)))
    section.rule(**TOP, sitting=str(scene.id))
    assert section.weigh() == {"came": 2, "left": 0, "renewed": 0, "unmatched": 0}
    assert [len(section.inside(person)) for person in (first, other, third)] == [1, 1, 0]
    page = section.specialist().get("/talents?lang=en").text
    assert "Басқа Айгүл" in page
    assert "Алиева Dana" in page
    assert "place 1 of 40 in the region" in page
    assert "Бекова" not in page
    section.house.sql("update person set external_id = null where id = $1", first)
    assert section.weigh()["came"] == 0, "nobody comes in twice"


def test_an_unpublished_run_brings_nobody(section: Section, scene: Scene) -> None:
    person = section.person(external_id=None)
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.house.sql("update score_run set published_at = null where sitting_id = $1", scene.id)
    section.rule(**TOP, sitting=str(scene.id))
    section.weigh()
    assert section.inside(person) == []


def test_a_newer_run_or_a_voided_result_takes_out_with_history(section: Section, scene: Scene) -> None:
    """In by the first run, renewed by the second, out by the third; in again, and out as the result is voided."""
    person = section.person()
    section.consent(person)
    section.rule(**TOP, sitting=str(scene.id))
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.weigh()
    section.publish(scene, {scene.pupils[0]: 99.0}, of=80)
    assert section.weigh()["renewed"] == 1
    section.publish(scene, {scene.pupils[1]: 99.0, scene.pupils[0]: 98.0}, of=20)
    assert section.weigh()["left"] == 1
    assert [why for why, _ in section.inside(person)] == ["renewed", "result"]
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.weigh()
    section.house.sql(
        "insert into exclusion (attempt_id, sitting_id, reason, note, excluded, asked_by, agreed_by) "
        "select $1, $2, 'other-person', '', true, min(id), max(id) from staff",
        *(scene.pupils[0], scene.id),
    )
    section.weigh()
    assert [why for why, _ in section.inside(person)] == ["renewed", "result", "result"]


def test_often_high_counts_sittings_not_runs(section: Section, make_sitting: Callable[..., Scene]) -> None:
    """Twice in one sitting is once; in a second sitting, in another spelling of the list, it is twice."""
    person = section.person()
    section.consent(person)
    section.rule(**OFTEN)
    one, two = (make_sitting(state="closed", starts_in_s=-7200) for _ in range(2))
    section.publish(one, {one.pupils[0]: 92.0})
    section.publish(one, {one.pupils[0]: 93.0})
    section.weigh()
    assert section.inside(person) == []
    section.house.sql("update participant set last_name = 'Serikova' where id = $1", two.pupils[0])
    section.publish(two, {two.pupils[0]: 90.0})
    section.weigh()
    assert [reason["times"] for _, reason in section.inside(person)] == [2]
    section.publish(two, {two.pupils[0]: 89.9})
    section.weigh()
    assert [why for why, _ in section.inside(person)] == ["result"]


def test_one_person_puts_no_rule_in_force_and_one_switches_it_off(section: Section, scene: Scene) -> None:
    person = section.person()
    section.consent(person)
    section.publish(scene, {scene.pupils[0]: 99.0})
    assert section.admin.post("/talents/rules/new", TOP).status_code == 303
    rule = section.house.sql("select max(id) as id from talent_rule")[0]["id"]
    section.weigh()
    assert section.inside(person) == [], "a draft weighs nothing"
    act = section.house.sql("select max(id) as id from pending_act where act = 'talent.rule'")[0]["id"]
    assert section.admin.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403
    section.agree("talent.rule")
    section.weigh()
    assert [why for why, _ in section.inside(person)] == [None]
    assert section.second.post(f"/talents/rules/{rule}/off").status_code == 303
    assert [why for why, _ in section.inside(person)] == ["rule"]


def test_without_a_consent_nobody_has_a_name_and_withdrawal_takes_out_at_once(section: Section, scene: Scene) -> None:
    """A consent to something else is none; withdrawn, the person is gone without any weighing and does not come again."""
    person = section.person(last_name="Құпиябаева")
    section.consent(person, purpose="publication")
    section.house.sql("update participant set last_name = 'Құпиябаева' where id = $1", scene.pupils[0])
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.rule(**TOP, sitting=str(scene.id))
    section.weigh()
    specialist = section.specialist(region=section.place.region)
    page = specialist.get("/talents?lang=en").text
    assert "Without a consent: no name" in page
    assert "Құпиябаева" not in page
    assert f"Мектеп {section.place.codes[0]}" not in page
    assert "Without a consent" not in specialist.get("/talents?lang=en&q=купия").text, "a search tells no name"
    assert specialist.post(f"/talents/{person}", {"reason": "Көру"}).status_code == 404
    section.consent(person)
    assert "Құпиябаева" in specialist.get("/talents").text
    gone = section.admin.post(f"/persons/{person}/consents/withdraw", {"withdrawn": "talents", "note": "Анасы, хатпен"})
    assert gone.status_code == 303
    assert "Құпиябаева" not in specialist.get("/talents").text
    assert [why for why, _ in section.inside(person)] == ["consent"]
    section.weigh()
    assert len(section.inside(person)) == 1
    held = section.admin.get(f"/persons/{person}/consents?lang=en").text
    assert "withdrawn" in held
    section.consent(person)
    section.weigh()
    assert [why for why, _ in section.inside(person)] == ["consent", None]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"relation": "self"}, "was not of age"),
        ({"given_on": "01.09.2056"}, "today or was given before"),
        ({"ends_on": "01.09.2025"}, "lies before"),
        ({"given_by": ""}, "Please fill this in"),
    ],
)
def test_a_consent_that_cannot_be_is_not_recorded(section: Section, values: dict[str, object], said: str) -> None:
    from tests.portal.talents.conftest import CONSENT

    person = section.person()
    answer = section.admin.post(f"/persons/{person}/consents?lang=en", {**CONSENT, **values})
    assert answer.status_code == 422
    assert said in answer.text
    assert section.house.sql("select 1 from consent where person_id = $1", person) == []


def test_a_run_that_cannot_be_read_leaves_all_as_it_was(section: Section, scene: Scene, house: House) -> None:
    person = section.person()
    section.consent(person)
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.rule(**TOP, sitting=str(scene.id))
    section.weigh()
    house.sql(
        "insert into score_run (sitting_id, version, parameters, snapshot_hash, result_hash, code_version, summary, "
        "published_at) values ($1, 9, '{}', '-', '-', '-', '{}', now())",
        scene.id,
    )
    with pytest.raises(AssertionError, match="talents-run-away"):
        section.weigh()
    assert [why for why, _ in section.inside(person)] == [None]
    assert "cannot be read just now" in section.admin.get("/talents/rules?lang=en").text
    house.sql("delete from score_run where sitting_id = $1 and version = 9", scene.id)


def test_a_rule_may_name_a_sitting_that_a_hundred_newer_ones_followed(section: Section, scene: Scene) -> None:
    newer = section.house.sql(
        """
        insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, state)
        select test_id, form_id, title, waiting_opens_at + day, starts_at + day, last_entry_at + day, duration_s, state
        from sitting, generate_series(1, 100) as n, lateral (select make_interval(secs => n) as day) as days
        where id = $1
        returning id
        """,
        scene.id,
    )
    try:
        assert section.rule(**TOP, sitting=str(scene.id))
    finally:
        section.house.sql("delete from sitting where id = any($1)", [row["id"] for row in newer])
