"""Only named specialists reach the section; each reach has its reason, is counted and on record; files carry their reader."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pypdf
import pytest

from portal.core import readings
from tests.portal.conftest import Place
from tests.portal.talents.conftest import TOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene
    from tests.portal.scores.conftest import Sat
    from tests.portal.talents.conftest import Section

PHONE = "+7 700 123 45 67"


@pytest.fixture
def talent(section: Section, scene: Scene) -> int:
    """A person in the section, with a consent and a telephone."""
    person = section.person(phone=PHONE)
    section.consent(person)
    section.publish(scene, {scene.pupils[0]: 99.0})
    section.rule(**TOP, sitting=str(scene.id))
    section.weigh()
    return person


def acts_on(house: House, act: str, since: int) -> list[dict[str, object]]:
    rows = house.sql("select object_id, reason, after from audit where act = $1 and id > $2 order by id", act, since)
    return [dict(row) for row in rows]


def newest(house: House) -> int:
    return house.sql("select coalesce(max(id), 0) as id from audit")[0]["id"]


def test_a_role_alone_opens_nothing(section: Section, talent: int) -> None:
    """Neither the specialist's, nor that of those who give access; nor does one person's word."""
    alone = section.house.worker("qabilet-specialist", project="qabilet")
    for path in ("/talents", f"/talents/{talent}", "/talents/export", "/talents/unmatched"):
        answer = alone.get(f"{path}?lang=en")
        assert answer.status_code == 403, path
        assert "named specialists only" in answer.text
        assert 'href="/talents/ask?' in answer.text
        assert section.admin.get(path).status_code == 403
    assert alone.post("/talents/ask", {"reason": "Көру", "days": "91"}).status_code == 422
    assert alone.post("/talents/ask", {"reason": "Көру", "days": "90"}).status_code == 303
    assert alone.get("/talents").status_code == 403
    act = section.house.sql("select max(id) as id from pending_act where act = 'talent.access'")[0]["id"]
    assert alone.post(f"/acts/{act}/decide", {"do": "do"}).status_code in {403, 404}
    section.agree("talent.access")
    assert alone.get("/talents").status_code == 200
    row = section.house.sql(
        "select id, ends_at - began_at <= interval '90 days' as fits from talent_access order by id desc"
    )
    assert row[0]["fits"]
    assert section.admin.post(f"/talents/access/{row[0]['id']}/end").status_code == 303
    assert alone.get("/talents").status_code == 403
    assert "Ended by" in section.admin.get("/talents/access?lang=en").text


def test_an_access_ends_by_itself(section: Section) -> None:
    specialist = section.specialist()
    assert specialist.get("/talents").status_code == 200
    section.house.sql(
        "update talent_access set began_at = began_at - interval '31 days', ends_at = ends_at - interval '31 days'"
    )
    assert specialist.get("/talents").status_code == 403


def test_opening_asks_a_reason_and_contacts_another(section: Section, talent: int) -> None:
    """Both are on record and counted; without a reason nothing of the person is said."""
    specialist = section.specialist()
    since = newest(section.house)
    assert "Серікова" not in specialist.get(f"/talents/{talent}").text
    silent = specialist.post(f"/talents/{talent}", {"reason": ""})
    assert silent.status_code == 422
    assert "Серікова" not in silent.text
    page = specialist.post(f"/talents/{talent}?lang=en", {"reason": "Физика үйірмесі"})
    assert "Серікова Айгүл" in page.text
    assert PHONE not in page.text
    assert "2015" not in page.text, "no birth date: it is not needed"
    assert PHONE in specialist.post(f"/talents/{talent}/contacts", {"reason": "Ата-анасына қоңырау"}).text
    opened = acts_on(section.house, "talent.person.opened", since)
    assert [(one["object_id"], one["reason"]) for one in opened] == [(str(talent), "Физика үйірмесі")]
    assert [one["reason"] for one in acts_on(section.house, "talent.contacts.shown", since)] == ["Ата-анасына қоңырау"]
    specialist.get("/talents")
    assert acts_on(section.house, "talent.list.opened", since)[0]["reason"] == "Жазғы мектеп"
    counted = section.house.sql("select kind, count from reading order by staff_id desc limit 2")
    assert {row["kind"]: row["count"] for row in counted} == {"card": 2, "row": 1}
    history = section.admin.get(f"/persons/{talent}/history?lang=en").text
    assert "talents" not in history.replace("/talents", "").split("<main")[1].split("timeline")[1].lower(), (
        "who sees the registry does not learn who is a talent"
    )


def test_the_measure_stops_a_walk(section: Section, talent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SAFETY P1."""
    monkeypatch.setitem(readings.MEASURES, "card", 1)
    specialist = section.specialist()
    assert specialist.post(f"/talents/{talent}", {"reason": "1"}).status_code == 200
    assert specialist.post(f"/talents/{talent}", {"reason": "2"}).status_code == 429


def test_another_region_has_no_talents_here(section: Section, talent: int) -> None:
    """List, person, contacts and file."""
    section.house.sql("insert into region values ($1, 'Б', 'Б', 'B') on conflict do nothing", other := "XT-9")
    specialist = section.specialist(region=other)
    assert "Серікова" not in specialist.get("/talents").text
    for path in (f"/talents/{talent}", f"/talents/{talent}/contacts"):
        assert specialist.post(path, {"reason": "Көру"}).status_code == 404
    book = specialist.post("/talents/export", {"form": "xlsx", "purpose": "Көру"})
    assert "Серікова" not in said(book.content)


def said(body: bytes) -> str:
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def test_a_file_names_its_reader_on_every_page(section: Section, talent: int) -> None:
    """Reader, time and number across each page and on the sheet; the purpose is asked for; it is counted."""
    specialist = section.specialist()
    since = newest(section.house)
    # Enough for a second page: one person may be in by many rules.
    rule = section.house.sql("select id from talent_rule order by id desc limit 1")[0]["id"]
    for _ in range(30):
        more = section.house.sql(
            "insert into talent_rule (project, kind, title, share, per, made_by) "
            "select project, kind, title, share, per, made_by from talent_rule where id = $1 returning id",
            rule,
        )[0]["id"]
        section.house.sql(
            "insert into talent (person_id, rule_id, run_id, reason, since) "
            "select person_id, $2, run_id, reason, now() from talent where person_id = $1 and rule_id = $3",
            *(talent, more, rule),
        )
    assert specialist.post("/talents/export", {"form": "pdf", "purpose": ""}).status_code == 422
    answer = specialist.post("/talents/export?lang=en", {"form": "pdf", "purpose": "Жазғы мектеп"})
    assert answer.headers["content-type"] == "application/pdf"
    copy = acts_on(section.house, "talent.list.exported", since)[0]
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages]
    assert len(pages) > 1
    reader = section.house.sql("select full_name from staff order by id desc limit 1")[0]["full_name"]
    for page in pages:
        assert f"№ {copy['object_id']}" in page
        assert reader in page
    assert copy["reason"] == "Жазғы мектеп"
    book = specialist.post("/talents/export", {"form": "xlsx", "purpose": "Жазғы мектеп"}).content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0]
    number = str(int(str(copy["object_id"])) + 1)
    assert f"№ {number}" in str(sheet["A1"].value)
    assert f"№ {number}" in str(sheet.oddHeader.center.text)
    assert "Жазғы мектеп" in said(book)
    assert section.house.sql("select count from reading where kind = 'export' order by staff_id desc")[0]["count"] == 62


def test_no_process_but_the_portal_reads_the_talents(house: House) -> None:
    """Machines' ways in (SAFETY P4) have nothing to read them with."""
    rows = house.sql(
        "select distinct grantee from information_schema.role_table_grants "
        "where table_name like 'talent%' or table_name = 'consent'"
    )
    assert {row["grantee"] for row in rows} == {"elumiti_owner", "elumiti_portal"}


def test_a_result_that_fits_nobody_is_decided_by_a_person(section: Section, scene: Scene) -> None:
    """Two of one name at one school: somebody says which; the next weighing goes by it."""
    twins = [section.person(class_letter=letter, external_id=None) for letter in "АБ"]
    section.consent(twins[1])
    section.publish(scene, {scene.pupils[0]: 99.0, scene.pupils[1]: 98.0})
    section.rule(**TOP, sitting=str(scene.id))
    assert section.weigh()["unmatched"] == 2
    specialist = section.specialist()
    page = specialist.get("/talents/unmatched?lang=en").text
    assert "fits several of the registry" in page
    assert "fits nobody of the registry" in page
    assert "Серікова" not in page
    one = f"/talents/unmatched/{scene.pupils[0]}"
    assert specialist.post(one, {"reason": ""}).status_code == 422
    opened = specialist.post(one, {"reason": "Кім екенін анықтау"}).text
    assert "Серікова" in opened
    assert all(f'value="{twin}"' in opened for twin in twins)
    assert specialist.post(f"{one}/decide", {"person": "1", "reason": "Журнал"}).status_code in {303, 422}
    assert specialist.post(f"{one}/decide", {"person": str(twins[1]), "reason": "Журнал"}).status_code == 303
    assert section.weigh()["unmatched"] == 1
    assert [len(section.inside(twin)) for twin in twins] == [0, 1]
    assert "Журнал" in specialist.get("/talents/unmatched?state=decided").text
    nobody = f"/talents/unmatched/{scene.pupils[1]}/decide"
    assert specialist.post(nobody, {"person": "nobody", "reason": "Тізілімде жоқ"}).status_code == 303
    assert section.weigh()["unmatched"] == 0


def test_from_answers_to_the_section(section: Section, make_sat: Callable[..., Sat]) -> None:
    """A sitting scored by the real scoring and published by two persons; the best of the country come in."""
    sat = make_sat()
    analyst, second = section.house.worker("analyst"), section.house.worker("analyst")
    sat.score(analyst)
    rows = section.house.sql("select * from participant where sitting_id = $1 order by id", sat.scene.sitting)
    people = []
    for row in (rows[0], rows[2]):
        section.place = place_of(section, row["school_id"])
        person = section.person(
            last_name=row["last_name"],
            first_name=row["first_name"],
            birth_date=row["birth_date"].strftime("%d.%m.%Y"),
            external_id=f"e{row['id']}",
        )
        section.consent(person)
        people.append(person)
        section.house.sql("update participant set external_id = $2 where id = $1", row["id"], f"e{row['id']}")
    section.rule(**{**TOP, "per": "country", "share": "30", "sitting": str(sat.scene.sitting)})
    section.weigh()
    assert section.inside(people[0]) == [], "not before it is published"
    assert analyst.post(f"{sat.base}/1/publish", {"reason": "Дайын"}).status_code == 303
    sat.agree(second)
    section.weigh()
    [(why, reason)] = section.inside(people[0])
    assert (why, reason["rank"], reason["of"]) == (None, 1, 3)
    assert section.inside(people[1]) == []


def place_of(section: Section, school: int) -> Place:
    """The place of a school."""
    region = section.house.sql(
        "select d.region_code from school s join district d on d.id = s.district_id where s.id = $1", school
    )[0]["region_code"]
    return Place(region, [school, school], ["", ""])
