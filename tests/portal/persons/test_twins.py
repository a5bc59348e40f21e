"""Duplicates: flagged by themselves, compared, merged and undone, or told apart for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.persons.conftest import an_iin, form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor

ROW = "select last_name, first_name, phone, school_id, status, merged_into, external_id, projects, search_key from person where id = $1"


@pytest.fixture
def admin(house: House) -> Visitor:
    return house.worker("test-administrator")


@pytest.fixture
def pair(admin: Visitor, place: Place, add: Callable[..., int]) -> tuple[int, int]:
    """One child written down twice: in Kazakh letters at one school, in Russian at another."""
    born = f"{(int(place.region[1:]) % 27) + 1:02d}.04.2014"
    first = add(
        admin,
        last_name="Әлиева",
        first_name="Күләш",
        birth_date=born,
        phone="+7 700 1",
        external_id=f"{place.region}-a",
    )
    second = add(
        admin,
        last_name="Алиева",
        first_name="Куляш",
        birth_date=born,
        phone="+7 700 22222",
        school=str(place.schools[1]),
        external_id=f"{place.region}-b",
    )
    assert admin.post(f"/persons/{first}/projects/myn-bala", {"role": "pupil"}).status_code == 303
    assert admin.post(f"/persons/{second}/projects/qabilet", {"role": "test-taker"}).status_code == 303
    return first, second


def test_two_spellings_of_one_child_are_flagged(
    house: House, admin: Visitor, place: Place, pair: tuple[int, int]
) -> None:
    """On both cards and in the list; a change that makes them differ takes the flag away."""
    first, second = pair
    assert f"/persons/twins/{first}/{second}" in admin.get("/persons/twins").text
    admin.post(f"/persons/{second}/edit", form_of(place, last_name="Бекова", birth_date="01.01.2013"))
    assert not house.sql("select 1 from person_twin where first_id = $1", first)


def test_the_same_iin_is_flagged_whatever_the_name(house: House, admin: Visitor, add: Callable[..., int]) -> None:
    number = an_iin()
    first, second = add(admin, iin=number, sex="f"), add(admin, iin=number, sex="f", last_name="Басқа")
    row = house.sql("select same_name, same_iin from person_twin where first_id = $1 and second_id = $2", first, second)
    assert [tuple(one) for one in row] == [(False, True)]


def test_merged_with_what_was_chosen_of_each_and_undone(
    house: House, admin: Visitor, place: Place, pair: tuple[int, int]
) -> None:
    """Telephone and school of the other, projects of both; undone, both rows are as they were."""
    first, second = pair
    before = [house.sql(ROW, person)[0] for person in pair]
    page = admin.get(f"/persons/twins/{first}/{second}").text
    assert all(name in page for name in ("Әлиева", "Алиева", 'name="of.phone"', 'name="of.place"'))
    chosen = {"do": "merge", "keep": "first", "of.phone": "second", "of.place": "second", "of.external_id": "second"}
    assert admin.post(f"/persons/twins/{first}/{second}", chosen).headers["location"] == f"/persons/{first}"
    kept, gone = (house.sql(ROW, person)[0] for person in pair)
    assert (kept["last_name"], kept["phone"], kept["school_id"]) == ("Әлиева", "+7 700 22222", place.schools[1])
    assert (kept["external_id"], kept["projects"]) == (f"{place.region}-b", ["myn-bala", "qabilet"])
    assert (gone["status"], gone["merged_into"]) == ("merged", first)
    assert f'href="/persons/{second}"' not in admin.get(f"/persons?region={place.region}").text
    assert admin.post(f"/persons/twins/{first}/{second}", chosen).status_code == 409
    merge = house.sql("select id from person_merge where kept_id = $1", first)[0]["id"]
    assert admin.post(f"/persons/merges/{merge}/undo").status_code == 303
    assert [house.sql(ROW, person)[0] for person in pair] == before
    assert admin.post(f"/persons/merges/{merge}/undo").status_code == 409
    assert f"/persons/twins/{first}/{second}" in admin.get("/persons/twins").text


def test_a_participant_goes_along_with_his_person_and_comes_back(
    house: House,
    admin: Visitor,
    pair: tuple[int, int],
    make_sitting,  # noqa: ANN001
) -> None:
    """Else the camera consent of the kept row would not be found (SAFETY P6)."""
    first, second = pair
    pupil = make_sitting(starts_in_s=3600).pupils[0]

    def whose() -> int:
        return house.sql("select person_id from participant where id = $1", pupil)[0]["person_id"]

    house.sql("update participant set person_id = $1 where id = $2", second, pupil)
    admin.post(f"/persons/twins/{first}/{second}", {"do": "merge", "keep": "first"})
    assert whose() == first
    merge = house.sql("select id from person_merge where kept_id = $1", first)[0]["id"]
    admin.post(f"/persons/merges/{merge}/undo")
    assert whose() == second


def test_what_was_changed_after_a_merge_outlives_its_undo(
    house: House, admin: Visitor, place: Place, pair: tuple[int, int]
) -> None:
    first, second = pair
    admin.post(f"/persons/twins/{first}/{second}", {"do": "merge", "keep": "first", "of.phone": "second"})
    admin.post(f"/persons/{first}/edit", form_of(place, phone="+7 700 33333"))
    merge = house.sql("select id from person_merge where kept_id = $1", first)[0]["id"]
    assert admin.post(f"/persons/merges/{merge}/undo").status_code == 303
    assert house.sql(ROW, first)[0]["phone"] == "+7 700 33333"


def test_not_a_duplicate_is_kept_with_its_reason(
    house: House, admin: Visitor, place: Place, pair: tuple[int, int]
) -> None:
    """Asked once: a later change of either does not raise it again; it can be taken back."""
    first, second = pair
    where = f"/persons/twins/{first}/{second}"
    assert admin.post(where, {"do": "distinct", "reason": ""}).status_code == 422
    assert admin.post(where, {"do": "distinct", "reason": "Немере қарындастар"}).status_code == 303
    assert where not in admin.get("/persons/twins").text
    assert where in admin.get("/persons/twins?state=distinct").text
    assert "Немере қарындастар" in admin.get(f"/persons/{first}/history").text
    born = house.sql("select birth_date from person where id = $1", first)[0]["birth_date"].strftime("%d.%m.%Y")
    admin.post(f"/persons/{first}/edit", form_of(place, last_name="Алиева", first_name="Күлаш", birth_date=born))
    assert where not in admin.get("/persons/twins").text
    admin.post(where, {"do": "reopen"})
    assert where in admin.get("/persons/twins").text
