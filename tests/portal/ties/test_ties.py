"""Persons attached to a teacher, and what that opens: own pupils and a class, and nobody else anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.laws.test_routes import addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor

BIRGE = "birge-oqy"


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A teacher with his login, and four children: an own pupil, a classmate, one of another class, of another school."""

    teacher: int
    login: str
    own: int
    classmate: int
    other_class: int
    other_school: int

    @property
    def children(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("own", "classmate", "other_class", "other_school")}


@pytest.fixture
def school(house: House, place: Place, add: Callable[..., int]) -> School:
    admin = house.worker("test-administrator")
    teacher = add(admin, last_name="Мұғалімова", birth_date="14.03.1985", grade="", class_letter="")
    far = {"school": str(place.schools[1])}
    made = School(
        teacher=teacher,
        login=house.person("birge-coordinator", project=BIRGE, region=f"{place.region}"),
        own=add(admin, last_name="Өзінікі"),
        classmate=add(admin, last_name="Сыныптас"),
        other_class=add(admin, last_name="Басқасынып", class_letter="Б"),
        other_school=add(admin, last_name="Басқамектеп", **far),
    )
    assert attach(admin, teacher, made.own) == 303
    return made


def attach(visitor: Visitor, holder: int, *ids: int, kind: str = "teacher", **more: object) -> int:
    form = {"kind": kind, "project": BIRGE, "ids": [str(one) for one in ids], **more}
    return visitor.post(f"/persons/{holder}/attached", form).status_code


def teacher_of(house: House, known: School, *, role: str = "birge-teacher", **place: object) -> Visitor:
    """The teacher's login with a grant of a class or of own pupils."""
    own = bool(place.pop("own_pupils", False))
    login = house.person(role, project=BIRGE, **place)  # type: ignore[arg-type]
    house.sql("update staff set person_id = null where person_id = $1", known.teacher)
    house.sql("update staff set person_id = $2 where login = $1", login, known.teacher)
    if own:
        house.sql(
            "update staff_grant set own_pupils = true where staff_id = (select id from staff where login = $1)", login
        )
    return enter(house, login)


def enter(house: House, login: str) -> Visitor:
    visitor = house.visitor(login)
    assert visitor.post("/project", {"project": BIRGE}).status_code == 303
    return visitor


def seen(visitor: Visitor, school: School) -> set[str]:
    """Whose card opens."""
    return {name for name, person in school.children.items() if visitor.get(f"/persons/{person}").status_code == 200}


def listed(visitor: Visitor, query: str = "") -> set[str]:
    """Whom the list shows."""
    page = visitor.get(f"/persons?{query}").text
    names = {"Өзінікі": "own", "Сыныптас": "classmate", "Басқасынып": "other_class", "Басқамектеп": "other_school"}
    return {name for text, name in names.items() if text in page}


def test_it_works(house: House, school: School) -> None:
    """Attached by search, listed with filters, ended; the child's card says who is there for him."""
    admin = house.worker("test-administrator")
    base = f"/persons/{school.teacher}/attached"
    found = admin.get(f"{base}/new?q=сыныптас").text
    assert f'value="{school.classmate}"' in found
    assert attach(admin, school.teacher, school.classmate, kind="tutor") == 303
    assert "Сыныптас" in admin.get(f"{base}?kind=tutor").text
    assert "Өзінікі" not in admin.get(f"{base}?kind=tutor").text
    assert "Сыныптас" in admin.get(f"{base}?q=synyptas").text
    assert "Мұғалімова" in admin.get(f"/persons/{school.classmate}/attached").text
    tie = house.sql("select id from person_tie where attached_id = $1", school.classmate)[0]["id"]
    assert admin.post(f"{base}/{tie}/end").status_code == 303
    assert "Сыныптас" not in admin.get(base).text
    assert "Сыныптас" in admin.get(f"{base}?state=over").text
    history = house.sql(
        "select act from audit where object_id = $1 and act like 'tie.%' order by id", str(school.classmate)
    )
    assert [row["act"] for row in history] == ["tie.tie.made", "tie.tie.ended"]


def test_what_is_wrong_is_said(house: House, school: School) -> None:
    """Nobody ticked, days the wrong way round, a kind that is none."""
    admin = house.worker("test-administrator")
    assert attach(admin, school.teacher) == 422
    assert attach(admin, school.teacher, school.classmate, since="05.05.2026", until="04.05.2026") == 422
    assert attach(admin, school.teacher, school.classmate, since="жоқ") == 422
    assert attach(admin, school.teacher, school.classmate, kind="boss") == 422
    assert attach(admin, school.teacher, school.classmate, project="moon") == 422
    assert len(house.sql("select 1 from person_tie where holder_id = $1", school.teacher)) == 1


def test_own_pupils_open_and_nobody_else(house: House, place: Place, school: School) -> None:
    """{own pupil, classmate, other class, other school}: card, list, search, count."""
    teacher = teacher_of(house, school, own_pupils=True)
    assert seen(teacher, school) == {"own"}
    for query in ("", "sort=new", f"school={place.schools[0]}", f"region={place.region}", "grade=5"):
        assert listed(teacher, query) == {"own"}, query
    assert listed(teacher, "q=өзін") == {"own"}
    assert listed(teacher, "q=басқа") == set()
    assert "Persons: 1" in teacher.get("/persons?lang=en").text


def test_a_class_opens_and_nobody_else(house: House, place: Place, school: School) -> None:
    """The class is no school; a letter in another case is the same class."""
    teacher = teacher_of(house, school, school=place.schools[0], class_name="5Ә")
    assert seen(teacher, school) == {"own", "classmate"}
    assert listed(teacher) == {"own", "classmate"}
    assert listed(teacher, "q=сынып") == {"classmate"}
    house.sql("update person set class_letter = 'ә' where id = $1", school.classmate)
    assert "classmate" in seen(teacher, school)
    house.sql("update person set class_letter = 'Б' where id = $1", school.classmate)
    assert seen(teacher, school) == {"own"}, "who left the class is gone with the next page"


def test_own_pupils_of_a_place_are_those_within_it(house: House, place: Place, school: School) -> None:
    """A grant of own pupils in a school is narrower than the ties."""
    admin = house.worker("test-administrator")
    attach(admin, school.teacher, school.other_school)
    everywhere = teacher_of(house, school, own_pupils=True)
    assert seen(everywhere, school) == {"own", "other_school"}
    here = teacher_of(house, school, own_pupils=True, school=place.schools[1])
    assert seen(here, school) == {"other_school"}


def test_own_pupils_beside_a_school(house: House, place: Place, school: School) -> None:
    """Two grants of two roles add up; the list has both kinds, in order and counted."""
    teacher = teacher_of(house, school, own_pupils=True)
    login = house.sql("select login from staff where person_id = $1", school.teacher)[0]["login"]
    house.sql("update staff set demo = true where login = $1", login)
    house.sql(
        """
        insert into staff_grant (staff_id, role, project, school_id, ends_at)
        select id, 'birge-coordinator', $2, $3, now() + interval '1 day' from staff where login = $1
        """,
        *(login, BIRGE, place.schools[1]),
    )
    assert seen(teacher, school) == {"own", "other_school"}
    assert listed(teacher) == {"own", "other_school"}
    assert "Persons: 2" in teacher.get("/persons?lang=en").text


@pytest.mark.parametrize("role", ["birge-teacher", "birge-tutor", "birge-assistant"])
@pytest.mark.parametrize("where", ["school", "region", "country"])
def test_who_teaches_sees_own_pupils_however_wide_the_grant(
    house: House, place: Place, school: School, role: str, where: str
) -> None:
    """SAFETY P1: a school's list of children is not needed to teach. Card, tabs, list, search, count; as `see as` too."""
    given: dict[str, object] = {"school": {"school": place.schools[0]}, "region": {"region": place.region}}.get(
        where, {}
    )
    teacher = teacher_of(house, school, role=role, **given)
    assert seen(teacher, school) == {"own"}
    for query in ("", "sort=new", f"school={place.schools[0]}", f"region={place.region}", "grade=5"):
        assert listed(teacher, query) == {"own"}, query
    assert "Persons: 1" in teacher.get("/persons?lang=en").text
    assert teacher.get(f"/persons/{school.classmate}/attached").status_code == 404
    if role == "birge-teacher":
        assert teacher.get(f"/persons/{school.classmate}/portfolio").status_code == 404
        assert teacher.get(f"/persons/{school.classmate}/results").status_code == 404
    house.sql("update staff set person_id = null where person_id = $1", school.teacher)
    assert seen(teacher, school) == set(), "a login that nobody linked has no pupils"


def test_seen_as_a_teacher_nobody_is_shown(house: House, place: Place, school: School) -> None:
    """Who looks through the role has no pupils of his own, and no school's list either."""
    boss = enter(house, house.person("super-admin"))
    seen_as = {"role": "birge-teacher", "region": place.region, "district": "", "school": "", "class_name": ""}
    assert boss.post("/see-as", seen_as).status_code == 303
    assert seen(boss, school) == set()
    assert listed(boss) == set()


def test_a_teacher_of_a_whole_school_decides_about_no_class(house: House, place: Place, school: School) -> None:
    """SAFETY P3: the class teacher confirms; who holds a school confirms nobody and makes no code."""
    teacher = teacher_of(house, school, school=place.schools[0])
    form = {
        "school": place.codes[0],
        "grade": "5",
        "class_letter": "Ә",
        "most_uses": "9",
        "part": f"{BIRGE}:birge-pupil",
    }
    assert teacher.post("/registrations/codes", form).status_code == 422
    of_class = teacher_of(house, school, school=place.schools[0], class_name="5Ә")
    assert of_class.post("/registrations/codes", form).status_code == 303


@pytest.mark.parametrize("how", ["ended", "over", "not-yet", "parent", "other-project", "unlinked"])
def test_what_no_longer_holds_opens_nothing(house: House, school: School, how: str) -> None:
    """A tie that ended, is over, not yet, of the family or of another project; a login that nobody linked."""
    teacher = teacher_of(house, school, own_pupils=True)
    assert seen(teacher, school) == {"own"}
    change = {
        "ended": "ended_at = now(), ended_by = made_by",
        "over": "since = '2020-01-01', until = current_date - 2",
        "not-yet": "since = current_date + 2",
        "parent": "kind = 'parent', project = null",
        "other-project": "project = 'qabilet'",
    }
    if how == "unlinked":
        house.sql("update staff set person_id = null where person_id = $1", school.teacher)
    else:
        house.sql(f"update person_tie set {change[how]} where holder_id = $1", school.teacher)
    assert seen(teacher, school) == set()
    assert listed(teacher) == set()


def test_nobody_attaches_pupils_to_himself(house: House, place: Place, school: School) -> None:
    """SAFETY P1: who could, would widen his own grant. His own child he may."""
    login = house.person("birge-coordinator", project=BIRGE, region=place.region)
    house.sql("update staff set person_id = $2 where login = $1", login, school.teacher)
    boss = enter(house, login)
    assert attach(boss, school.teacher, school.classmate) == 403
    assert attach(boss, school.teacher, school.classmate, kind="parent") == 303


def test_ties_stay_within_the_territory(house: House, place: Place, school: School, add: Callable[..., int]) -> None:
    """Neither a holder nor a pupil of another region; the same nothing for absent and forbidden."""
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    stranger = add(house.worker("test-administrator"), region=far, school="", last_name="Алыстағы")
    boss = enter(house, school.login)
    assert attach(boss, school.teacher, stranger) == 303
    assert not house.sql("select 1 from person_tie where attached_id = $1", stranger)
    assert attach(boss, stranger, school.own) == 404
    assert "Алыстағы" not in boss.get(f"/persons/{school.teacher}/attached/new?q=алыс").text
    neighbour = enter(house, house.person("birge-coordinator", project=BIRGE, region=far))
    walked = 0
    for method, path, _ in addresses():
        if not path.startswith("/persons/999999999/") or "/iin" in path:
            continue
        walked += 1
        here = path.replace("/persons/999999999", f"/persons/{school.own}")
        ask = neighbour.get if method == "GET" else neighbour.post
        answers = [ask(each) for each in (here, path)]
        assert answers[0].status_code == answers[1].status_code, here
        assert answers[0].status_code in {403, 404, 422}, here
    assert walked > 12


def test_who_sees_one_side_reads_the_name_of_the_other(house: House, place: Place, school: School) -> None:
    """A pupil's tutor of another region has a name there and no card; contacts only for who may and sees him."""
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    house.sql("update person set phone = '+7 701 000 11 22' where id = $1", school.teacher)
    path = f"/persons/{school.own}/attached"
    assert "+7 701 000 11 22" in enter(house, school.login).get(path).text
    teacher = teacher_of(house, school, own_pupils=True)
    page = teacher.get(path).text
    assert "Мұғалімова" in page
    assert "+7 701 000 11 22" not in page
    house.sql(
        "update person set school_id = null, district_id = null, region_code = $2 where id = $1", school.teacher, far
    )
    page = enter(house, school.login).get(path).text
    assert "Мұғалімова" in page
    assert f'href="/persons/{school.teacher}"' not in page
    assert "+7 701 000 11 22" not in page


def test_the_list_as_a_file(house: House, school: School) -> None:
    """Made by a job within the asker's territory, named for him, counted; it is nobody else's."""
    admin = house.worker("test-administrator")
    base = f"/persons/{school.teacher}/attached/export"
    assert admin.post(base, {"purpose": "", "form": "csv"}).status_code == 422
    for form in ("csv", "xlsx", "pdf"):
        answer = admin.post(base, {"purpose": "Жиналыс", "form": form})
        assert answer.status_code == 303, answer.text[-2000:]
        path = answer.headers["location"]
        job = int(path.split("/")[-1])
        house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, job), 60)
        assert "Жиналыс" in admin.get(path).text
        file = admin.get(f"{path}/file")
        assert file.status_code == 200
        if form == "csv":
            text = file.content.decode("utf-8-sig")
            assert "Өзінікі" in text
            assert "Жиналыс" in text
        assert house.worker("test-administrator").get(path).status_code == 404
        assert house.worker("test-administrator").get(f"{path}/file").status_code == 404
    counted = house.sql(
        "select sum(count) as n from reading r where kind = 'export' and staff_id = (select max(made_by) from job where id = $1)",
        job,
    )
    assert counted[0]["n"] == 3


def test_the_own_card_names_both_sides(house: House, school: School) -> None:
    """A teacher reads his pupils' names, a pupil his teacher's; neither another person's."""
    login = house.person("birge-pupil", project=BIRGE)
    house.sql("update staff set person_id = $2 where login = $1", login, school.own)
    pupil = house.visitor(login)
    assert "Мұғалімова" in pupil.get("/me/attached").text
    assert "Мұғалімова" not in pupil.get("/me").text
    teacher = teacher_of(house, school, own_pupils=True)
    page = teacher.get("/me/attached").text
    assert "Өзінікі" in page
    assert "Сыныптас" not in page


def test_a_login_is_linked_with_its_person(house: House, school: School) -> None:
    """By the super-admin, on record; one person has one login."""
    boss = house.worker("super-admin")
    first, second = (house.person("birge-teacher", project=BIRGE) for _ in range(2))
    ids = [house.sql("select id from staff where login = $1", login)[0]["id"] for login in (first, second)]
    assert boss.post(f"/staff/{ids[0]}/person", {"person": str(school.teacher)}).status_code == 303
    assert f'href="/persons/{school.teacher}"' in boss.get(f"/staff/{ids[0]}").text
    assert boss.post(f"/staff/{ids[1]}/person", {"person": str(school.teacher)}).status_code == 422
    assert boss.post(f"/staff/{ids[1]}/person", {"person": "999999999"}).status_code == 422
    record = house.sql(
        "select before, after from audit where act = 'staff.person.linked' and object_id = $1", str(ids[0])
    )
    assert [dict(row) for row in record] == [{"before": {"person": None}, "after": {"person": school.teacher}}]
    assert boss.post(f"/staff/{ids[0]}/person", {"person": ""}).status_code == 303
    assert house.worker("test-administrator").post(f"/staff/{ids[0]}/person", {"person": "1"}).status_code == 403


def test_lists_as_files_hold_own_pupils_alone(house: House, school: School) -> None:
    """The registry's export, by a job that asks anew who they are; neither a new person nor a move beyond them."""
    login = house.person("test-administrator")
    house.sql("update staff set person_id = $2 where login = $1", login, school.teacher)
    house.sql(
        "update staff_grant set own_pupils = true where staff_id = (select id from staff where login = $1)", login
    )
    boss = house.visitor(login)
    assert "Өзінікі" not in boss.get("/persons").text, "a tie of another project"
    house.sql("update person_tie set project = 'myn-bala' where holder_id = $1", school.teacher)
    answer = boss.post("/persons/export", {"purpose": "Тізім", "form": "csv"})
    assert answer.status_code == 303, answer.text[-1500:]
    path = answer.headers["location"]
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, int(path.split("/")[-1])), 60)
    text = boss.get(f"{path}/file").content.decode("utf-8-sig")
    assert "Өзінікі" in text
    for name in ("Сыныптас", "Басқасынып", "Басқамектеп", "Мұғалімова"):
        assert name not in text
    assert boss.post(f"/persons/{school.classmate}/archive").status_code == 404
    assert boss.post("/persons/bulk", {"ids": str(school.classmate), "do": "archive"}).status_code in {303, 404}
    assert house.sql("select status from person where id = $1", school.classmate)[0]["status"] == "active"


@pytest.mark.parametrize("of", ["persons", "attached"])
def test_who_moved_yesterday_takes_no_file_along(house: House, place: Place, school: School, of: str) -> None:
    """SAFETY P2: a list that was made for a region is closed to who holds another one now, or a part of it."""
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    login = house.person("birge-coordinator" if of == "attached" else "test-administrator", region=place.region)
    boss = enter(house, login) if of == "attached" else house.visitor(login)
    asks = f"/persons/{school.teacher}/attached/export" if of == "attached" else "/persons/export"
    path = boss.post(asks, {"purpose": "Жиналыс", "form": "csv"}).headers["location"]
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, int(path.split("/")[-1])), 60)
    assert "Өзінікі" in boss.get(f"{path}/file").content.decode("utf-8-sig")
    whose = "where staff_id = (select id from staff where login = $1)"
    for moved in ("region_code = $2, school_id = null", "region_code = null, school_id = $2::text::int"):
        house.sql(
            f"update staff_grant set {moved} {whose}",
            login,
            far if "school_id = null" in moved else str(place.schools[1]),
        )
        assert boss.get(path).status_code == 404
        assert boss.get(f"{path}/file").status_code == 404
    house.sql(f"update staff_grant set region_code = null, school_id = null {whose}", login)
    assert boss.get(f"{path}/file").status_code == 200, "who holds more has it still"
