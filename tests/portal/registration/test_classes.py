"""A class's code makes requests; a teacher of that very class compares with the registry and confirms (SAFETY P3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from portal.features.registration import form as registration_form
from portal.features.registration.joining import erase_expired
from tests.portal.persons.conftest import form_of, within
from tests.portal.registration.conftest import CHILD, PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import Visitor
    from tests.portal.registration.conftest import Desk

PAPER = {"given_by": "Оспанова Сәуле", "relation": "mother", "given_on": "01.09.2026", "text_version": "2026-1"}
PAPER |= {"language": "kk"}


def person_like(desk: Desk, typed: dict[str, object], **other: object) -> tuple[Visitor, int]:
    """The school's own row of this child."""
    admin = desk.house.worker("test-administrator")
    names = {"last_name": typed["last_name"], "first_name": typed["first_name"], "birth_date": typed["birth_date"]}
    made = admin.post("/persons/new", form_of(desk.place, **{**names, "grade": "7", "class_letter": "А", **other}))
    return admin, int(made.headers["location"].split("/")[-1])


def test_the_whole_way(desk: Desk) -> None:
    """Code, request, «waits for your teacher», confirmed as a new row, signed on paper, a pupil."""
    teacher = desk.teacher()
    child, typed, answer = desk.by_code(desk.code_of(teacher).lower().replace("-", " "))
    assert answer.headers["location"] == "/own"
    assert "Мұғаліміңді күтіп тұр" in child.get("/own").text
    for path in ("/persons", "/sittings", "/registrations"):
        assert child.get(path).status_code == 403
    assert child.post("/own/parent", {"agreed": "1"}).status_code in {404, 422}, "parents come after the teacher"
    number = desk.registration(typed)
    assert str(typed["first_name"]) in teacher.get("/registrations").text
    assert teacher.get("/registrations/codes").text.count("1 / 30") == 1
    answer = teacher.post(f"/registrations/{number}/confirm", {"person": "new"})
    assert answer.headers["location"] == "/registrations?done=1"
    assert "Мұғалімің сені растады" in child.get("/own").text
    assert desk.person(typed) is None, "a parent has not agreed yet"
    assert teacher.post(f"/registrations/{number}/confirm", {"person": "new"}).status_code == 409
    refused = teacher.post(f"/registrations/{number}/paper", {**PAPER, "purposes": ["sitting"]})
    assert refused.status_code == 422
    assert (
        teacher.post(f"/registrations/{number}/paper", {**PAPER, "purposes": ["registry", "camera"]}).status_code == 303
    )
    person = desk.person(typed)
    row = desk.house.sql("select school_id, grade, class_letter, projects from person where id = $1", person)[0]
    assert tuple(row) == (desk.place.schools[0], 7, "А", ["birge-oqy"])
    held = desk.house.sql("select purpose, channel, child_agreed from consent where person_id = $1 order by id", person)
    assert [tuple(one) for one in held] == [("registry", "paper", True), ("camera", "paper", True)]
    assert "7А" in child.get("/me").text


def test_a_child_of_the_registry_is_joined_with_its_row(desk: Desk) -> None:
    """Any spelling of the name; a consent that the school recorded before is not asked again."""
    teacher = desk.teacher()
    code = desk.code_of(teacher)
    child, typed, _ = desk.by_code(code, last_name="ОСПАНОВА", first_name="Асема")
    admin, person = person_like(desk, {**typed, "last_name": "Оспанова", "first_name": "Әсема"})
    given = {**PAPER, "purpose": "registry", "channel": "paper"}
    assert admin.post(f"/persons/{person}/consents", given).status_code == 303
    number = desk.registration(typed)
    shown = teacher.get(f"/registrations/{number}").text
    assert f'value="{person}"' in shown
    assert teacher.post(f"/registrations/{number}/confirm", {"person": str(person)}).status_code == 303
    assert desk.person(typed) == person
    assert "Әсема" in child.get("/me").text
    _, twin, _ = desk.by_code(code, last_name="Оспанова", first_name="Әсема")
    again = desk.registration(twin)
    assert "логині бар" in teacher.get(f"/registrations/{again}").text
    assert teacher.post(f"/registrations/{again}/confirm", {"person": str(person)}).status_code == 409, (
        "not a second login"
    )


def test_a_teacher_joins_with_nobody_who_was_not_shown(desk: Desk) -> None:
    """Another name, another birthday, another school: 409, whatever number is sent."""
    teacher = desk.teacher()
    _, typed, _ = desk.by_code(desk.code_of(teacher))
    number = desk.registration(typed)
    for other in ({"first_name": "Мадина"}, {"birth_date": "15.03.2013"}, {"school": str(desk.place.schools[1])}):
        _, person = person_like(desk, typed, **other)
        assert teacher.post(f"/registrations/{number}/confirm", {"person": str(person)}).status_code == 409
    for junk in ("0", "-1", "x", "99999999999999999999"):
        assert teacher.post(f"/registrations/{number}/confirm", {"person": junk}).status_code == 409
    assert desk.registration(typed) == number


@pytest.mark.parametrize("where", ["class", "school", "region"])
def test_another_class_is_absent(desk: Desk, where: str) -> None:
    """Of the school beside, of the class beside, of another region: 404 alike, in list, page, acts and codes."""
    teacher = desk.teacher()
    code = desk.code_of(teacher)
    _, typed, _ = desk.by_code(code)
    number = desk.registration(typed)
    code_id = desk.house.sql("select id from class_code order by id desc limit 1")[0]["id"]
    if where == "class":
        other = desk.teacher("7Б")
    elif where == "school":
        other = desk.teacher("7А", desk.place.schools[1])
    else:
        desk.house.sql("insert into region values ('ZZ', 'Z', 'Z', 'Z') on conflict do nothing")
        other = desk.house.worker("birge-coordinator", region="ZZ", project="birge-oqy")
    assert str(typed["first_name"]) not in other.get("/registrations").text
    paths = [f"/registrations/{number}", f"/registrations/codes/{code_id}"]
    assert [other.get(path).status_code for path in paths] == [404, 404]
    for act, sent in (("confirm", {"person": "new"}), ("decline", {"reason": "x"}), ("paper", PAPER)):
        assert other.post(f"/registrations/{number}/{act}", sent).status_code == 404, act
    assert other.post(f"/registrations/codes/{code_id}/end").status_code == 404
    made = {
        "school": desk.place.codes[0],
        "grade": "7",
        "class_letter": "А",
        "most_uses": "3",
        "part": "birge-oqy:birge-pupil",
    }
    assert other.post("/registrations/codes", made).status_code == 422


def test_row_security_hides_who_waits(desk: Desk) -> None:
    """A statement without any filter, as the portal's own role: nobody of another territory, nobody without one."""
    _, typed, _ = desk.by_code(desk.code_of(desk.teacher()))
    statement = f"select 1 from registration where id = {desk.registration(typed)}"
    assert within(desk.house, statement) == []
    assert within(desk.house, statement, regions="{ZZ}", schools=f"{{{desk.place.schools[1]}}}") == []
    assert len(within(desk.house, statement, schools=f"{{{desk.place.schools[0]}}}")) == 1


def test_reading_who_waits_is_counted(desk: Desk) -> None:
    """Rows and cards, like all of the registry (SAFETY P1)."""
    teacher = desk.teacher()
    _, typed, _ = desk.by_code(desk.code_of(teacher))
    teacher.get("/registrations")
    teacher.get(f"/registrations/{desk.registration(typed)}")
    rows = desk.house.sql(
        "select kind, count from reading where staff_id = (select max(staff_id) from staff_grant where class_name = '7А') order by kind"
    )
    assert [tuple(row) for row in rows] == [("card", 1), ("row", 1)]


def test_declined_and_expired_are_erased(desk: Desk) -> None:
    """Nothing is left but a number; the login is free again, and the child's session is over."""
    teacher = desk.teacher()
    code = desk.code_of(teacher)
    child, typed, _ = desk.by_code(code, first_name="Қарлығаш")
    assert (
        teacher.post(f"/registrations/{desk.registration(typed)}/decline", {"reason": "Басқа сынып"}).status_code == 303
    )
    assert child.get("/own").status_code == 303
    late, other, _ = desk.by_code(code, first_name="Сандуғаш")
    desk.house.sql(
        "update registration set ends_at = now() - interval '1 minute' where id = $1", desk.registration(other)
    )
    desk.house.loop.run(erase_expired(desk.house.front.inner.state.pool))
    assert late.get("/own").status_code == 303
    for gone in (typed, other):
        for table, column in (("staff", "login"), ("staff", "full_name"), ("registration", "first_name")):
            value = gone["login"] if column == "login" else f"%{gone['first_name']}%"
            assert desk.house.sql(f"select 1 from {table} where {column} like $1", value) == [], (table, column)
    acts = desk.house.sql("select act from audit where act like 'registration.request.%' order by id desc limit 2")
    assert {row["act"] for row in acts} == {"registration.request.declined", "registration.request.expired"}


def test_a_code_is_for_one_class_ends_and_is_used_up(desk: Desk) -> None:
    """At most as many children as it says; a new one ends the old; one that is over makes nothing."""
    teacher = desk.teacher()
    code = desk.code_of(teacher, most_uses="2")
    answers = [desk.by_code(code)[2].status_code for _ in range(3)]
    assert answers == [303, 303, 422]
    newer = desk.code_of(teacher)
    code = desk.code_of(teacher)
    assert desk.by_code(newer)[2].status_code == 422
    _, typed, answer = desk.by_code(code, part="birge-oqy:birge-teacher", school=str(desk.place.schools[1]), grade="11")
    assert answer.status_code == 303
    row = desk.house.sql("select role, school_id, grade from registration where id = $1", desk.registration(typed))[0]
    assert tuple(row) == ("birge-pupil", desk.place.schools[0], 7), "place and part are the code's, whatever is sent"
    desk.house.sql("update class_code set ends_at = now() where ended_at is null")
    assert desk.by_code(code)[2].status_code == 422
    days = desk.house.sql("select max(ends_at - made_at) <= interval '14 days' as fits from class_code")
    assert days[0]["fits"]


def test_guessing_codes_stops(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one address; a lesson of thirty with the right code is not counted."""
    teacher = desk.teacher()
    code = desk.code_of(teacher, most_uses="60")
    monkeypatch.setattr(registration_form, "MISSES", 5)
    visitor = desk.house.visitor()
    wrong = [visitor.post("/register/class", {"code": f"AAAA-AAA{n}", **desk.form()}).status_code for n in range(2, 8)]
    assert wrong == [422] * 5 + [429]
    lesson = desk.house.visitor()
    for _ in range(8):
        lesson.cookies.clear()
        lesson.token = None
        answer = lesson.post("/register/class", {"code": code, "agreed": "1", **desk.form()})
        assert answer.status_code == 303


def test_a_code_stands_in_no_table(desk: Desk) -> None:
    code = desk.code_of(desk.teacher())
    dumped = str(desk.house.sql("select * from class_code")) + str(desk.house.sql("select * from audit"))
    assert code not in dumped
    assert code.replace("-", "") not in dumped


def test_a_waiting_child_signs_in_and_sees_nothing_else(desk: Desk) -> None:
    """Its own page, its password, its history; no menu of staff."""
    _, typed, _ = desk.by_code(desk.code_of(desk.teacher()), birth_date=CHILD)
    again = desk.house.visitor()
    assert again.post("/sign-in", {"login": typed["login"], "password": PASSWORD}).headers["location"] == "/"
    assert again.get("/").headers["location"] == "/own"
    menu = again.get("/own").text.partition('class="side"')[2].partition("</nav>")[0]
    assert set(re.findall(r'<a href="([^"]+)"', menu)) - {"/demo"} == {"/own", "/help"}


def test_a_module_that_is_off_registers_nobody(desk: Desk) -> None:
    """The project is not offered, and its teachers have no such page."""
    teacher = desk.teacher()
    desk.house.sql("insert into project_module values ('birge-oqy', 'registration', false)")
    try:
        assert teacher.get("/registrations").status_code == 404
        visitor, phone = desk.house.visitor(), desk.phone()
        token = visitor.post("/register/phone", {"phone": phone}).headers["location"].partition("token=")[2]
        visitor.post("/register/code", {"token": token, "code": desk.code_to(phone)})
        shown = visitor.get(f"/register/new?token={token}").text
        assert "birge-oqy:" not in shown
        assert "myn-bala:myn-bala-pupil" in shown
    finally:
        desk.house.sql("delete from project_module where module = 'registration'")
