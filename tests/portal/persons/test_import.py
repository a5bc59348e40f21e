"""A list comes in: every row checked, the good ones taken, the refused back as a file with what is needed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl

from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.persons.conftest import an_iin

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place, Visitor

HEAD = "Тегі;Аты;Туған күні;Жынысы;ЖСН;Тіл;Мектеп коды;Сынып;Сынып әрпі;Сыртқы нөмір\n"


def send(house: House, visitor: Visitor, text: str, part: str = "") -> int:
    """Upload a list and let the check run."""
    visitor.post("/persons/views", {"forget": "0"})
    files = {"file": ("тізім.csv", text.encode(), "text/csv")}
    answer = visitor.post("/persons/import", {"part": part}, files=files)
    assert answer.status_code == 303, answer.text[-2000:]
    job = int(answer.headers["location"].split("/")[-1])
    work(house, job)
    return job


def work(house: House, job: int) -> None:
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, job))


def take(house: House, visitor: Visitor, job: int) -> None:
    """Press the button, and let the job run."""
    assert visitor.post(f"/persons/import/{job}/take").status_code == 303
    work(house, house.sql("select max(id) as id from job where kind = 'persons-take'")[0]["id"])


def test_it_works(house: House, place: Place) -> None:
    """Good rows in, with number and project; bad ones in a file; twins flagged; nothing happens before the button."""
    admin = house.worker("test-administrator")
    code, number = place.codes[0], an_iin()
    rows = [
        f"Серікова;Айгүл;14.03.2015;қ;{number};қаз;{code};5;Ә;{place.region}-1",
        f"Серикова;Айгуль;2015-03-14;ж;;рус;{code};5;;{place.region}-2",
        f"Әлиев;Дәурен;31.02.2015;е;;қаз;{code};;;",
        f"Бекова;Нұргүл;14.03.2015;қ;{number[:-1]}{(int(number[-1]) + 1) % 10};қаз;{code};;;",
        "Ким;Виктор;14.03.2015;;;рус;ЖОҚ;;;",
        f"Ким;Анна;14.03.2015;;;рус;{code};;;{place.region}-1",
        f"Қайталанған;Нөмір;14.03.2015;қ;{number};қаз;{code};;;",
    ]
    job = send(house, admin, HEAD + "\n".join(rows), "myn-bala:pupil")
    result = house.sql("select result from job where id = $1", job)[0]["result"]
    assert (result["rows"], result["good"], result["refused"]) == (7, 2, 5), result["errors"]
    page = admin.get(f"/persons/import/{job}?lang=ru").text
    assert "Нужна дата вида 14.03.2015." in page
    assert number[:11] not in page, "a slip of a number is not shown back"
    assert not house.sql("select 1 from person where import_job = $1", job)
    sheet = openpyxl.load_workbook(io.BytesIO(admin.get(f"/persons/import/{job}/refused").content)).worksheets[0]
    refused = [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert refused == ["Дәурен", "Нұргүл", "Виктор", "Анна", "Нөмір"]
    take(house, admin, job)
    made = house.sql("select id, projects, region_code, grade from person where import_job = $1 order by id", job)
    assert [(row["projects"], row["region_code"], row["grade"]) for row in made] == [
        (["myn-bala"], place.region, 5)
    ] * 2
    twin = house.sql(
        "select same_name from person_twin where first_id = $1 and second_id = $2", made[0]["id"], made[1]["id"]
    )
    assert [row["same_name"] for row in twin] == [True], "two spellings of one child in one list"
    assert admin.post("/persons/iin", {"iin": number}).headers["location"] == f"/persons/{made[0]['id']}"
    assert admin.post(f"/persons/import/{job}/take").status_code == 409
    assert not house.sql("select 1 from person_staging where job_id = $1", job)


def test_the_refused_file_corrected_goes_in(house: House, place: Place) -> None:
    """What came back is a list again: the column with the reasons is left aside."""
    admin = house.worker("test-administrator")
    job = send(house, admin, f"{HEAD}Ким;Виктор;14.03.15;;;рус;{place.codes[0]};;;\n")
    body = admin.get(f"/persons/import/{job}/refused").content
    book = openpyxl.load_workbook(io.BytesIO(body))
    sheet = book.worksheets[0]
    place_of = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, place_of["Туған күні"], "14.03.2015")
    kept = io.BytesIO()
    book.save(kept)
    answer = admin.post("/persons/import", {}, files={"file": ("x.xlsx", kept.getvalue())})
    again = int(answer.headers["location"].split("/")[-1])
    work(house, again)
    assert house.sql("select result from job where id = $1", again)[0]["result"]["good"] == 1


def test_a_coordinator_imports_into_his_territory_alone(house: House, place: Place) -> None:
    """A school of another territory does not exist; his list and its result are his own."""
    own = house.worker("test-administrator", school=place.schools[0])
    row = "Серікова;Айгүл;14.03.2015;қ;;қаз;{};5;;\n"
    job = send(house, own, HEAD + row.format(place.codes[1]) + row.format(place.codes[0]))
    result = house.sql("select result from job where id = $1", job)[0]["result"]
    assert (result["good"], result["refused"]) == (1, 1)
    assert house.worker("test-administrator").get(f"/persons/import/{job}").status_code == 404
    take(house, own, job)
    assert [row["school_id"] for row in house.sql("select school_id from person where import_job = $1", job)] == [
        place.schools[0]
    ]


def test_a_project_s_own_columns_come_along(house: House, place: Place) -> None:
    """Known by title in any language or by code; a value of another kind is refused."""
    admin = house.worker("test-administrator")
    mark = f"g{place.region.lower()}"
    made = admin.post(
        "/persons/fields/new", {"project": "qabilet", "code": mark, "kind": "number", "title_kk": f"Балл {mark}"}
    )
    assert made.status_code == 303
    head = f"Тегі;Аты;Туған күні;Тіл;Мектеп коды;Балл {mark}\n"
    rows = f"Ким;Анна;14.03.2015;рус;{place.codes[0]};4,5\nКим;Яна;14.03.2015;рус;{place.codes[0]};көп\n"
    job = send(house, admin, head + rows, "qabilet:test-taker")
    take(house, admin, job)
    row = house.sql(
        "select m.attributes, m.role from person_project m join person p on p.id = m.person_id where p.import_job = $1",
        job,
    )
    assert [(one["attributes"], one["role"]) for one in row] == [({mark: 4.5}, "test-taker")]
    assert house.sql("select result from job where id = $1", job)[0]["result"]["refused"] == 1
    house.sql("update attribute_field set retired_at = now() where code = $1", mark)


def test_an_import_is_undone_but_for_whom_somebody_worked_on(house: House, place: Place) -> None:
    """With projects, numbers and pairs; who was changed since stays, and the page says how many."""
    admin = house.worker("test-administrator")
    rows = "".join(
        f"Қайтар;{name};14.03.2015;қ;{an_iin()};қаз;{place.codes[0]};;;\n" for name in ("Айша", "Айша", "Дана", "Сара")
    )
    job = send(house, admin, HEAD + rows, "myn-bala:pupil")
    assert admin.post(f"/persons/import/{job}/undo").status_code == 409, "nothing was taken in yet"
    take(house, admin, job)
    brought = [row["id"] for row in house.sql("select id from person where import_job = $1 order by id", job)]
    assert house.sql("select 1 from person_twin where first_id = any ($1)", brought)
    admin.post("/persons/bulk", {"ids": brought[2:3], "do": "project", "part": "qabilet:test-taker"})
    admin.post(f"/persons/{brought[3]}/archive")
    assert admin.post(f"/persons/import/{job}/undo").status_code == 303
    work(house, house.sql("select max(id) as id from job where kind = 'persons-undo'")[0]["id"])
    assert [row["id"] for row in house.sql("select id from person where import_job = $1 order by id", job)] == brought[
        2:
    ]
    assert "2" in admin.get(f"/persons/import/{job}?lang=en").text.split("Persons taken out again:")[1][:10]


def test_a_dropped_list_brings_nobody(house: House, place: Place) -> None:
    admin = house.worker("test-administrator")
    job = send(house, admin, f"{HEAD}Ким;Анна;14.03.2015;;;рус;{place.codes[0]};;;\n")
    assert admin.post(f"/persons/import/{job}/drop").status_code == 303
    take(house, admin, job)
    assert not house.sql("select 1 from person where import_job = $1", job)
    assert house.sql("select result from job where kind = 'persons-take' order by id desc limit 1")[0]["result"] == {
        "problem": "persons-import-not-ready",
        "values": {},
    }
