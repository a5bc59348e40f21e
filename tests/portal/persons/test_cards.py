"""A person: added, seen, changed, in projects, in the archive; all of it in his own history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.portal.persons.conftest import form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place

Add = "Callable[..., int]"


def test_it_works(house: House, place: Place, add: Callable[..., int]) -> None:
    """Added by the form, found on the card, changed, and the history says what was before and after."""
    admin = house.worker("test-administrator")
    person = add(admin)
    shown = admin.get(f"/persons/{person}").text
    assert "Серікова Айгүл" in shown
    assert "14 наурыз 2015" in shown
    changed = admin.post(f"/persons/{person}/edit", form_of(place, last_name="Серікқызы", phone="+7 700 000 00 01"))
    assert changed.status_code == 303, changed.text[-2000:]
    assert "Серікқызы Айгүл" in admin.get(f"/persons/{person}").text
    history = admin.get(f"/persons/{person}/history").text
    assert "Серікова → Серікқызы" in history
    assert "Адам" in history, "who did it"


def test_what_is_wrong_is_said_beside_the_field(house: House, place: Place) -> None:
    """Nothing is written; the page keeps what was typed."""
    admin = house.worker("test-administrator")
    before = house.sql("select count(*) from person")[0]["count"]
    wrong = form_of(place, birth_date="14 наурыз", email="aigul", phone="жоқ", grade="15", last_name="")
    answer = admin.post("/persons/new?lang=ru", wrong)
    assert answer.status_code == 422
    for field in ("birth_date", "email", "phone", "grade", "last_name"):
        assert f'href="#f-{field}"' in answer.text, field
    assert 'value="14 наурыз"' in answer.text
    assert house.sql("select count(*) from person")[0]["count"] == before


def test_two_persons_never_share_an_external_id(house: House, place: Place, add: Callable[..., int]) -> None:
    """The second form says so, instead of breaking."""
    admin = house.worker("test-administrator")
    add(admin, external_id=f"{place.region}-1")
    answer = admin.post("/persons/new", form_of(place, external_id=f"{place.region}-1"))
    assert answer.status_code == 422
    assert 'href="#f-external_id"' in answer.text


def test_a_project_and_its_own_fields(house: House, add: Callable[..., int]) -> None:
    """An administrator makes a field; the card asks for it, keeps it and shows it; a value of another kind is refused."""
    admin = house.worker("test-administrator")
    code = f"f{house.sql('select count(*) from attribute_field')[0]['count']}"
    field = {"project": "qabilet", "code": code, "kind": "choice", "title_kk": "Үйірме", "required": "1"}
    made = admin.post("/persons/fields/new", {**field, "choices": "chess; Шахмат; Шахматы; Chess\nart; Сурет"})
    assert made.status_code == 303, made.text[-2000:]
    person = add(admin)
    assert admin.post(f"/persons/{person}/projects/qabilet", {"role": "test-taker"}).status_code == 422
    done = admin.post(f"/persons/{person}/projects/qabilet", {"role": "test-taker", f"a.{code}": "chess"})
    assert done.status_code == 303, done.text[-2000:]
    assert "Шахматы" in admin.get(f"/persons/{person}?lang=ru").text
    assert house.sql("select projects from person where id = $1", person)[0]["projects"] == ["qabilet"]
    assert admin.post(f"/persons/{person}/projects/qabilet", {"do": "leave"}).status_code == 303
    assert house.sql("select projects from person where id = $1", person)[0]["projects"] == []
    house.sql("update attribute_field set retired_at = now() where code = $1", code)


def test_the_archive_and_back(house: House, place: Place, add: Callable[..., int]) -> None:
    """Out of the lists, not out of the registry."""
    admin = house.worker("test-administrator")
    person = add(admin)
    here = f"/persons?region={place.region}"
    admin.post(f"/persons/{person}/archive")
    assert f'href="/persons/{person}"' not in admin.get(here).text
    assert f'href="/persons/{person}"' in admin.get(f"{here}&status=archived").text
    admin.post(f"/persons/{person}/archive")
    assert f'href="/persons/{person}"' in admin.get(here).text
