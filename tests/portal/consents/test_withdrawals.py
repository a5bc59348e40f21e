"""Each purpose withdrawn: what it fed stops at once and is gone within the term, the rest stays (SAFETY P6)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.portal.consents.conftest import GIVEN
from tests.portal.mail import mail_on
from tests.portal.persons.test_import import HEAD, send, take

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place
    from tests.portal.consents.conftest import Child

WHOLE = {
    "registry": ("active", "Жарылқасын", 1),
    "contact": ("+7 700 7", 1),
    "talents": (1, 1),
    "sitting": False,
    "camera": True,
    "publication": True,
}
# What a withdrawal changes at once, and what the erasing changes besides.
AT_ONCE = {
    "registry": {"registry": ("archived", "Жарылқасын", 1)},
    "contact": {"contact": ("+7 700 7", 0)},
    "talents": {"talents": (0, 1)},
    "sitting": {"sitting": True},
    "camera": {"camera": False},
    "publication": {"publication": False},
}
ERASED = {
    "registry": {"registry": ("erased", "", 0), "contact": ("", 1)},
    "contact": {"contact": ("", 0)},
    "talents": {"talents": (0, 0)},
    "sitting": {"sitting": None},
    "camera": {"camera": False},
    "publication": {"publication": False},
}


@pytest.mark.parametrize("purpose", list(WHOLE))
def test_what_it_fed_is_gone_and_the_rest_stays(child: Child, purpose: str) -> None:
    """At once, before the day, on the day."""
    assert child.state() == WHOLE
    child.withdraw(purpose)
    assert child.state() == WHOLE | AT_ONCE[purpose]
    assert all(child.holds(other) for other in WHOLE if other != purpose)
    child.erase(due=False)
    assert child.state() == WHOLE | AT_ONCE[purpose], "its day has not come"
    report = child.erase()
    assert child.state() == WHOLE | ERASED[purpose]
    assert report["failed"] == 0
    row = child.house.sql("select outcome, report from erasure where person_id = $1", child.person)[0]
    assert row["outcome"] == "erased"
    assert bool(row["report"]) is (purpose not in {"camera", "publication"}), "row by row what was done"
    act = child.house.sql(
        "select after from audit where act = 'consent.erasure.done' and object_id = $1", str(child.person)
    )
    assert act[0]["after"]["purpose"] == purpose


def test_the_term_is_within_fifteen_days(child: Child) -> None:
    child.withdraw("talents")
    row = child.house.sql("select due_at - asked_at as term from erasure where person_id = $1", child.person)[0]
    assert row["term"] == dt.timedelta(days=14)


def test_no_letter_goes_out_after_contact_was_withdrawn(child: Child, house: House) -> None:
    """Neither one that waited nor one put in later by whoever did not ask; others' letters go."""
    child.withdraw("contact")
    late = child.write()
    with mail_on(house) as post:
        post.round()
        assert post.box.taken == []
        row = house.sql("select state, said from post where id = $1", late)[0]
        assert (row["state"], row["said"]) == ("given_up", "The consent to be written to does not hold.")


def test_a_letter_goes_out_while_contact_holds(child: Child, house: House) -> None:
    with mail_on(house) as post:
        post.round()
        assert [str(letter["to"]) for letter in post.box.taken] == ["parent@mail.test"]


def test_the_coordinator_is_told_of_a_locked_code(child: Child) -> None:
    """And no name of the child stands in it."""
    child.withdraw("sitting")
    shown = child.coordinator.get("/notices").text
    assert "бір код жабылды" in shown
    assert "Жарылқасын" not in shown
    child.withdraw("camera")


def test_a_sitting_that_has_begun_goes_on(child: Child) -> None:
    """The child writes; what it answers is the sitting's record, and the report says that it stays."""
    child.house.sql(
        "update sitting set waiting_opens_at = now() - interval '1 hour', starts_at = now() - interval '1 minute' where id = $1",
        child.sitting,
    )
    child.withdraw("sitting")
    assert child.state()["sitting"] is False


def test_a_namesake_of_another_school_keeps_its_code(child: Child, place: Place) -> None:
    """Same name and birthday, another external id and school: two such children are told apart by the school."""
    house = child.house
    house.sql(
        "update participant set external_id = 'other', last_name = 'Жарылқасын', first_name = 'Аяла', birth_date = '2015-03-14', school_id = $2 where id = $1",
        *(child.pupil, place.schools[1]),
    )
    admin = child.admin
    form = {"last_name": "Жарылқасын", "first_name": "Аяла", "birth_date": "14.03.2015", "language": "kk"}
    admin.post("/persons/new", {**form, "region": place.region, "school": str(place.schools[1]), "grade": "5"})
    child.withdraw("sitting")
    assert child.state()["sitting"] is False


def test_what_an_appeal_or_a_law_holds_is_left_and_says_so(child: Child) -> None:
    """Held with kind, day and reason; on the page, on the card; freed, it is erased."""
    child.withdraw("talents")
    number = child.house.sql("select id from erasure where person_id = $1", child.person)[0]["id"]
    until = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=40):%d.%m.%Y}"
    held = {"held_as": "appeal", "until": until, "reason": "Апелляция № 12"}
    for wrong in ({"until": "01.01.2020"}, {"until": "x"}, {"reason": ""}, {"held_as": "wish"}):
        assert child.admin.post(f"/erasures/{number}/hold", {**held, **wrong}).status_code == 422, wrong
    assert child.admin.post(f"/erasures/{number}/hold", held).status_code == 303
    for page in ("/erasures?which=held", f"/persons/{child.person}/consents"):
        shown = child.admin.get(page).text
        assert "Апелляция № 12" in shown, page
        assert until in shown, page
    child.erase()
    assert child.state()["talents"] == (0, 1), "held"
    assert child.admin.post(f"/erasures/{number}/free").status_code == 303
    child.erase(due=False)
    assert child.state()["talents"] == (0, 0)
    assert child.admin.post(f"/erasures/{number}/hold", held).status_code == 404, "nothing is left to hold"
    acts = child.house.sql(
        "select act from audit where object_id = $1 and act like 'consent.erasure.%' order by id", str(child.person)
    )
    assert [row["act"] for row in acts] == ["consent.erasure.held", "consent.erasure.freed", "consent.erasure.done"]


def test_a_hold_ends_by_itself(child: Child) -> None:
    child.withdraw("talents")
    child.house.sql(
        "update erasure set held_as = 'law', held_until = current_date - 2, held_by = (select min(id) from staff), held_reason = 'x' where person_id = $1",
        child.person,
    )
    child.erase()
    assert child.state()["talents"] == (0, 0)


def test_given_again_before_its_day_nothing_is_erased(child: Child) -> None:
    child.withdraw("contact")
    child.admin.post(f"/persons/{child.person}/consents", {**GIVEN, "purpose": "contact"})
    child.erase()
    assert child.state()["contact"] == ("+7 700 7", 0)
    assert child.house.sql("select outcome from erasure where person_id = $1", child.person)[0]["outcome"] == "renewed"


def test_erasures_of_another_region_are_absent(child: Child) -> None:
    """In the list and by number; a role without the permission is refused."""
    child.withdraw("talents")
    number = child.house.sql("select id from erasure where person_id = $1", child.person)[0]["id"]
    child.house.sql("insert into region values ('ZZ', 'Z', 'Z', 'Z') on conflict do nothing")
    other = child.house.worker("test-administrator", region="ZZ")
    assert "Жарылқасын" not in other.get("/erasures").text
    until = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=4):%d.%m.%Y}"
    sent = {"held_as": "law", "until": until, "reason": "x"}
    assert other.post(f"/erasures/{number}/hold", sent).status_code == 404
    assert other.post(f"/erasures/{number}/free").status_code == 404
    assert child.coordinator.get("/erasures").status_code == 403


def test_a_merge_takes_consents_along_and_its_undo_brings_them_back(child: Child, place: Place) -> None:
    """Withdrawals under way too."""
    admin, house = child.admin, child.house
    form = {"last_name": "Жарылкасын", "first_name": "Аяла", "birth_date": "14.03.2015", "language": "kk"}
    made = admin.post("/persons/new", {**form, "region": place.region, "school": str(place.schools[0]), "grade": "5"})
    kept = int(made.headers["location"].split("/")[-1])
    child.withdraw("camera")
    first, second = sorted((kept, child.person))
    chosen = {"do": "merge", "keep": "first" if kept == first else "second"}
    assert admin.post(f"/persons/twins/{first}/{second}", chosen).status_code == 303
    owned = "select person_id, count(*) as n from {} where person_id = any ($1::bigint[]) group by 1"
    for table, count in (("consent", 6), ("erasure", 1)):
        rows = house.sql(owned.format(table), [kept, child.person])
        assert [(row["person_id"], row["n"]) for row in rows] == [(kept, count)], table
    merge = house.sql("select id from person_merge where kept_id = $1", kept)[0]["id"]
    assert admin.post(f"/persons/merges/{merge}/undo").status_code == 303
    for table, count in (("consent", 6), ("erasure", 1)):
        rows = house.sql(owned.format(table), [kept, child.person])
        assert [(row["person_id"], row["n"]) for row in rows] == [(child.person, count)], table


def test_an_erased_person_is_a_number(child: Child) -> None:
    """Found by no search, no twin; the history still names it; a merge with it cannot be undone into data."""
    child.withdraw("registry")
    child.erase()
    assert f'href="/persons/{child.person}"' not in child.admin.get("/persons?q=жарылқасын").text
    row = child.house.sql("select * from person where id = $1", child.person)[0]
    assert {row["last_name"], row["first_name"], row["phone"], row["external_id"], row["school_id"]} == {"", None}
    assert child.admin.post(f"/persons/{child.person}/consents", {**GIVEN, "purpose": "registry"}).status_code == 404
    assert child.admin.get(f"/persons/{child.person}/history").status_code == 200


def test_an_import_without_consents_leaves_camera_and_talents_shut(house: House, place: Place) -> None:
    """The persons are there and take part; what needs a consent is shut."""
    admin = house.worker("test-administrator")
    row = f"Тест;Импорт;01.02.2014;қ;;қаз;{place.codes[0]};5;Ә;{place.region}-import"
    job = send(house, admin, HEAD + row, "myn-bala:pupil")
    take(house, admin, job)
    made = house.sql("select id, status, projects from person where import_job = $1", job)
    assert [(row["status"], row["projects"]) for row in made] == [("active", ["myn-bala"])]
    held = house.sql(
        "select purpose from unnest($2::text[]) as p (purpose) where consent_holds($1, purpose)",
        made[0]["id"],
        list(WHOLE),
    )
    assert held == [], "nothing is taken for agreed"


def watch_child(child: Child) -> None:
    """The child was seen by a camera, and is in a proctor's hands and in a reviewer's."""
    sql = child.house.sql
    sql("insert into sitting_watch (sitting_id) values ($1)", child.sitting)
    sql("select make_watch_partition($1)", child.sitting)
    sql("update participant set person_id = $2 where id = $1", child.pupil, child.person)
    sql(
        "insert into watch_score (attempt_id, sitting_id, score, reasons) values ($1, $2, 5, '[]')",
        *(child.pupil, child.sitting),
    )
    for table in ("watch_hand", "watch_review_hand"):
        sql(
            f"insert into {table} (attempt_id, sitting_id, staff_id) select $1, $2, min(id) from staff",
            *(child.pupil, child.sitting),
        )


@pytest.mark.parametrize("held", [False, True])
def test_a_withdrawn_camera_takes_the_child_out_of_all_hands_and_its_pictures_are_erased(
    child: Child, held: bool
) -> None:
    """What is told of the erasure says whether they are gone or an open case still holds them."""
    watch_child(child)
    if held:
        child.house.sql(
            "insert into picture_hold (attempt_id, sitting_id, reason) values ($1, $2, 'case')",
            *(child.pupil, child.sitting),
        )
    child.withdraw("camera")
    for table in ("watch_hand", "watch_review_hand"):
        assert not child.house.sql(f"select 1 from {table} where attempt_id = $1", child.pupil), table
    marked = "select reason from picture_erasure where sitting_id = $1 and attempt_id = $2"
    child.erase()
    assert [row["reason"] for row in child.house.sql(marked, child.sitting, child.pupil)] == ["withdrawn"]
    told = child.house.sql("select report from erasure where person_id = $1 and purpose = 'camera'", child.person)
    texts = {line["text"].partition(":")[0] for line in told[0]["report"]}
    erased, kept = "Pictures of the camera, events and the score of risk are erased", "An open case holds pictures"
    assert any(text.startswith(kept if held else erased) for text in texts), texts
    assert not any(text.startswith(erased if held else kept) for text in texts), texts
