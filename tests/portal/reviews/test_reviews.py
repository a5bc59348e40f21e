"""Reviews: by who is taught, one a half-year, moderated; a child has no name there; no mean of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Visitor


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """A teacher with a child who is taught, each with a login."""

    teacher: int
    pupil: int
    tie: int
    teacher_login: Visitor
    pupil_login: Visitor
    moderator: Visitor


def login_of(house: House, person: int) -> Visitor:
    login = house.person("birge-pupil", project="birge-oqy")
    house.sql("update staff set person_id = $2 where login = $1", login, person)
    return house.visitor(login)


@pytest.fixture
def lesson(house: House, add: Callable[..., int]) -> Lesson:
    admin = house.worker("test-administrator")
    teacher = add(admin, last_name="Мұғалімова", birth_date="14.03.1985", grade="", class_letter="")
    pupil = add(admin, last_name="Оқушыев")
    admin.post(f"/persons/{teacher}/attached", {"kind": "teacher", "project": "birge-oqy", "ids": str(pupil)})
    tie = house.sql("select id from person_tie where attached_id = $1", pupil)[0]["id"]
    return Lesson(
        teacher=teacher,
        pupil=pupil,
        tie=tie,
        teacher_login=login_of(house, teacher),
        pupil_login=login_of(house, pupil),
        moderator=house.worker("content-manager"),
    )


def newest(house: House, about: int) -> int:
    return house.sql("select max(id) as id from review where about_id = $1", about)[0]["id"]


def test_it_works(house: House, lesson: Lesson) -> None:
    """Written, closed until approved, then read by the teacher without the child's name."""
    path = f"/me/reviews/{lesson.tie}"
    assert lesson.pupil_login.post(path, {"stars": "5", "body": "Түсінікті айтады"}).status_code == 303
    assert "Түсінікті айтады" not in lesson.teacher_login.get("/me/reviews").text
    queue = lesson.moderator.get("/reviews").text
    assert "Түсінікті айтады" in queue
    assert "Оқушыев" in queue
    review = newest(house, lesson.teacher)
    assert lesson.moderator.post(f"/reviews/{review}/decide", {"do": "approve"}).status_code == 303
    shown = lesson.teacher_login.get("/me/reviews?lang=en").text
    assert "Түсінікті айтады" in shown
    assert "Оқушыев" not in shown
    assert "a pupil" in shown
    assert "The mean is shown from 5 reviews on." in shown
    staff = house.worker("test-administrator").get(f"/persons/{lesson.teacher}/reviews").text
    assert "Түсінікті айтады" in staff
    assert "Оқушыев" not in staff


def test_who_is_reviewed_finds_no_author_in_a_child_s_history(house: House, lesson: Lesson) -> None:
    """The teacher opens the card of his own pupil: that and when it wrote a review stands in no list he may read."""
    assert (
        lesson.pupil_login.post(f"/me/reviews/{lesson.tie}", {"stars": "2", "body": "Тез сөйлейді"}).status_code == 303
    )
    pupil = house.sql("select author_id from review where id = $1", newest(house, lesson.teacher))[0]["author_id"]
    shown = house.worker("test-administrator").get(f"/persons/{pupil}/history")
    assert shown.status_code == 200
    assert "Пікір" not in shown.text.partition('class="timeline"')[2]


def test_one_a_half_year_and_it_waits_again(house: House, lesson: Lesson) -> None:
    """The author changes it; it is read anew before it is shown."""
    path = f"/me/reviews/{lesson.tie}"
    lesson.pupil_login.post(path, {"stars": "5", "body": "Жақсы"})
    review = newest(house, lesson.teacher)
    lesson.moderator.post(f"/reviews/{review}/decide", {"do": "approve"})
    lesson.pupil_login.post(path, {"stars": "2", "body": "Өзгерттім"})
    rows = house.sql("select id, stars, state from review where about_id = $1", lesson.teacher)
    assert [dict(row) for row in rows] == [{"id": review, "stars": 2, "state": "waits"}]
    assert "Жақсы" not in lesson.teacher_login.get("/me/reviews").text


def test_a_refusal_has_a_reason_that_the_author_reads(house: House, lesson: Lesson) -> None:
    """And nobody else sees the words."""
    lesson.pupil_login.post(f"/me/reviews/{lesson.tie}", {"stars": "1", "body": "Дөрекі сөз"})
    decide = f"/reviews/{newest(house, lesson.teacher)}/decide"
    assert lesson.moderator.post(decide, {"do": "reject", "reason": ""}).status_code == 422
    assert lesson.moderator.post(decide, {"do": "reject", "reason": "Дөрекі"}).status_code == 303
    assert "Дөрекі" in lesson.pupil_login.get("/me/reviews").text
    assert "Дөрекі" not in lesson.teacher_login.get("/me/reviews").text


@pytest.mark.parametrize("values", [{"stars": "0"}, {"stars": "6"}, {"stars": ""}, {"body": "х" * 1001}])
def test_what_is_wrong_is_said(house: House, lesson: Lesson, values: dict[str, str]) -> None:
    """Nothing is written."""
    answer = lesson.pupil_login.post(f"/me/reviews/{lesson.tie}", {"stars": "5", "body": "", **values})
    assert answer.status_code == 422
    assert newest(house, lesson.teacher) is None


def test_only_who_is_taught_writes(house: House, lesson: Lesson, add: Callable[..., int]) -> None:
    """Not a stranger by another's tie, not the teacher of himself, not after the tie ended, not a parent's tie."""
    admin = house.worker("test-administrator")
    stranger = login_of(house, add(admin, last_name="Бөтен"))
    path = f"/me/reviews/{lesson.tie}"
    for visitor in (stranger, lesson.teacher_login):
        assert visitor.post(path, {"stars": "5"}).status_code == 404
    house.sql("update person_tie set kind = 'parent', project = null where id = $1", lesson.tie)
    assert lesson.pupil_login.post(path, {"stars": "5"}).status_code == 404
    house.sql(
        "update person_tie set kind = 'tutor', project = 'birge-oqy', ended_at = now(), ended_by = made_by where id = $1",
        lesson.tie,
    )
    assert lesson.pupil_login.post(path, {"stars": "5"}).status_code == 404
    assert newest(house, lesson.teacher) is None


def test_nobody_moderates_what_concerns_himself(house: House, lesson: Lesson) -> None:
    """The reviewed teacher who is a content manager too does not decide."""
    lesson.pupil_login.post(f"/me/reviews/{lesson.tie}", {"stars": "1", "body": "Қатал"})
    house.sql("update staff set person_id = null where person_id = $1", lesson.teacher)
    login = house.person("content-manager")
    house.sql("update staff set person_id = $2 where login = $1", login, lesson.teacher)
    own = house.visitor(login)
    assert (
        own.post(f"/reviews/{newest(house, lesson.teacher)}/decide", {"do": "reject", "reason": "жоқ"}).status_code
        == 404
    )


def test_five_make_a_mean_and_an_adult_is_named(house: House, lesson: Lesson, add: Callable[..., int]) -> None:
    """Four do not: one voice would be heard through it."""
    admin = house.worker("test-administrator")
    authors = [add(admin, last_name=f"Автор{letter}") for letter in "АБВГД"]
    house.sql("update person set birth_date = '1990-01-01' where id = $1", authors[0])

    def write(author: int, stars: int) -> None:
        house.sql(
            """
            insert into review (author_id, about_id, kind, project, period, stars, body, state, decided_at)
            values ($1, $2, 'tutor', 'birge-oqy', '2026-2', $3, 'Пікір', 'approved', now())
            """,
            *(author, lesson.teacher, stars),
        )

    for author in authors[:4]:
        write(author, 5)
    assert "of 5</span>" not in lesson.teacher_login.get("/me/reviews?lang=en").text
    write(authors[4], 3)
    page = lesson.teacher_login.get("/me/reviews?lang=en").text
    assert "4.6 of 5" in page
    assert "АвторА" in page
    assert "АвторБ" not in page
