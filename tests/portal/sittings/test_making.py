"""From a draft to a published sitting."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from portal.core.i18n import ASTANA
from portal.features.sittings import rules
from portal.features.sittings.structs import Draft
from tests.portal.conftest import make_forms

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place, Visitor

MOMENT = "%Y-%m-%dT%H:%M"


def draft(place: Place, forms: list[int], *, start: dt.datetime | None = None, **other: object) -> dict[str, object]:
    """A filled form."""
    start = start or dt.datetime.now(ASTANA).replace(hour=10, minute=0, second=0, microsecond=0) + dt.timedelta(days=3)
    return {
        "title_kk": "Мың бала, облыс",
        "form_id": str(forms[0]),
        "reserve_form_id": str(forms[1]) if len(forms) > 1 else "",
        "place": "home",
        "waiting_opens_at": (start - dt.timedelta(minutes=30)).strftime(MOMENT),
        "starts_at": start.strftime(MOMENT),
        "last_entry_at": (start + dt.timedelta(minutes=15)).strftime(MOMENT),
        "duration_min": "60",
        "grace_min": "2",
        "spread_s": "60",
        "late_policy": "person",
        "help_name": "Гүлнар",
        "help_phone": "+7 700",
        "regions": [place.region],
        **other,
    }


def make(person: Visitor, values: dict[str, object]) -> int:
    """Send the form; the new sitting's number."""
    answer = person.post("/sittings/new", values)
    assert answer.status_code == 303, answer.text[-3000:]
    return int(answer.headers["location"].split("/")[-1])


def add_pupil(house: House, sitting: int, place: Place) -> None:
    """One pupil, so that it can be published."""
    house.sql(
        "insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language, external_id) "
        "values ($1, $2, 'Серікова', 'Айгүл', '2015-03-14', 5, 'kk', 'a1')",
        *(sitting, place.schools[0]),
    )


def state(house: House, sitting: int) -> str:
    """Its state."""
    return house.sql("select state from sitting where id = $1", sitting)[0]["state"]


def test_it_works(house: House, place: Place) -> None:
    """Made, filled, rehearsed, published; the partition of its events is there; each step is on record."""
    admin = house.worker("test-administrator")
    sitting = make(admin, draft(place, make_forms(house)))
    add_pupil(house, sitting, place)
    assert admin.post(f"/sittings/{sitting}/publish").status_code == 409, "not rehearsed"
    assert "11:00" in admin.get(f"/sittings/{sitting}/clock").text
    assert admin.post(f"/sittings/{sitting}/clock").status_code == 303
    assert admin.post(f"/sittings/{sitting}/publish").status_code == 303
    assert state(house, sitting) == "published"
    assert house.sql("select 1 from pg_class where relname = $1", f"response_event_{sitting}")
    acts = [
        row["act"]
        for row in house.sql(
            "select act from audit where object_kind = 'sitting' and object_id = $1 order by id", str(sitting)
        )
    ]
    assert acts == ["sitting.draft.made", "sitting.clock.rehearsed", "sitting.sitting.published"]


def test_what_is_wrong_is_said_beside_its_field(house: House, place: Place) -> None:
    """Nothing is made, what was typed is kept."""
    admin = house.worker("test-administrator")
    values = draft(
        place, make_forms(house), title_kk="", duration_min="0", last_entry_at="2020-01-01T10:00", regions=[]
    )
    answer = admin.post("/sittings/new", values)
    assert answer.status_code == 422
    for field in ("title_kk", "duration_min", "last_entry_at"):
        assert f'id="e-{field}"' in answer.text, field
    assert "+7 700" in answer.text


def test_a_change_asks_for_a_new_rehearsal(house: House, place: Place) -> None:
    """The confirmed time line is the published one."""
    admin = house.worker("test-administrator")
    forms = make_forms(house)
    sitting = make(admin, draft(place, forms))
    admin.post(f"/sittings/{sitting}/clock")
    assert house.sql("select rehearsed_at from sitting where id = $1", sitting)[0]["rehearsed_at"] is not None
    assert admin.post(f"/sittings/{sitting}/edit", draft(place, forms, duration_min="90")).status_code == 303
    assert house.sql("select rehearsed_at from sitting where id = $1", sitting)[0]["rehearsed_at"] is None


def test_one_form_has_one_start_unless_two_persons_accept_it(house: House, place: Place) -> None:
    """SAFETY D1: the first person gets «waits», a second one of the same right does it, with the reason on record."""
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    forms = make_forms(house, 3)
    late = dt.datetime.now(ASTANA).replace(second=0, microsecond=0) + dt.timedelta(days=5)
    for number, start in enumerate((None, late)):
        sitting = make(admin, draft(place, [forms[0], forms[1 + number]], start=start))
        add_pupil(house, sitting, place)
        admin.post(f"/sittings/{sitting}/clock")
        answer = admin.post(f"/sittings/{sitting}/publish", {"reason": ""})
        if number == 0:
            assert answer.status_code == 303
    assert answer.status_code == 409, "a reason is needed"
    assert admin.post(f"/sittings/{sitting}/publish", {"reason": "Екінші ауысым, басқа нұсқа жоқ"}).status_code == 303
    assert state(house, sitting) == "draft"
    act = house.sql("select id from pending_act where sitting_id = $1", sitting)[0]["id"]
    assert admin.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403, "the same person"
    assert state(house, sitting) == "draft"
    assert "Екінші ауысым" in second.get("/acts").text
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert state(house, sitting) == "published"
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 409


def test_a_region_makes_sittings_of_its_own_only(house: House, place: Place) -> None:
    """Another region cannot be chosen, and a sitting of several regions is not his to change."""
    own = house.worker("test-administrator", region=place.region)
    forms = make_forms(house)
    foreign = house.sql("select code from region where code <> $1 limit 1", place.region)
    if foreign:
        values = draft(place, forms, regions=[place.region, foreign[0]["code"]])
        assert own.post("/sittings/new", values).status_code == 422
    sitting = make(own, draft(place, forms))
    house.sql("insert into region values ('TX' || $1::text, 'Б', 'Д', 'O') on conflict do nothing", str(sitting))
    house.sql("insert into sitting_region values ($1, 'TX' || $2::text)", sitting, str(sitting))
    assert own.get(f"/sittings/{sitting}").status_code == 200
    assert own.get(f"/sittings/{sitting}/edit").status_code == 404
    assert own.post(f"/sittings/{sitting}/publish").status_code == 404


def test_a_sitting_closes_when_nobody_can_write(house: House, make_sitting) -> None:  # noqa: ANN001
    """Before that it says until when."""
    admin = house.worker("test-administrator")
    running, over = make_sitting(), make_sitting(starts_in_s=-20_000)
    assert admin.post(f"/sittings/{running.id}/close").status_code == 409
    assert admin.post(f"/sittings/{over.id}/close").status_code == 303
    assert (state(house, running.id), state(house, over.id)) == ("published", "closed")


def test_the_rehearsed_line_has_no_gap_and_ends_with_the_grace() -> None:
    """Every course is a chain of phases; extra time moves its end, a fixed end holds for the last to enter too."""
    start = dt.datetime(2026, 11, 23, 5, 0, tzinfo=dt.UTC)
    plain = Draft(
        title={"kk": "x"},
        form_id=1,
        reserve_form_id=None,
        place="home",
        waiting_opens_at=start - dt.timedelta(minutes=30),
        starts_at=start,
        last_entry_at=start + dt.timedelta(minutes=15),
        duration_s=3600,
        ends_at=None,
        grace_s=120,
        spread_s=60,
        late_policy="person",
        help_name="",
        help_phone="",
        regions=[],
    )
    for course in rules.rehearse(plain, [45]):
        edges = [(part.since, part.until) for part in course.stretches]
        assert edges[0][0] == plain.waiting_opens_at
        assert all(before[1] == after[0] for before, after in zip(edges, edges[1:], strict=False))
        assert course.deadline - course.starts == dt.timedelta(minutes=60 + course.extra_minutes)
        assert course.over == edges[-1][1] == course.deadline + dt.timedelta(minutes=2)
    assert {course.extra_minutes for course in rules.rehearse(plain, [45])} == {0, 15, 30, 45}
