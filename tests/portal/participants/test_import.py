"""An import: checked, shown, taken in whole or not at all, undone whole."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from portal.core.jobs.worker import run_one
from portal.features.work import WORK

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor

HEAD = "Мектеп коды;Тегі;Аты;Туған күні;Сынып;Тест тілі;Сыртқы нөмір\n"


def send(house: House, person: Visitor, sitting: int, text: str | bytes) -> int:
    """Upload a list and let the job run; the check's number."""
    files = {"file": ("тізім.csv", text.encode() if isinstance(text, str) else text, "text/csv")}
    answer = person.post(f"/sittings/{sitting}/import", files=files)
    assert answer.status_code == 303, answer.text[-2000:]
    job = int(answer.headers["location"].split("/")[-1])
    work(house, job)
    return job


def work(house: House, job: int) -> None:
    """What the worker does with a job."""
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, job))


def count(house: House, sitting: int) -> int:
    """Pupils of a sitting."""
    return house.sql("select count(*) from participant where sitting_id = $1", sitting)[0]["count"]


def test_it_works(house: House, make_sitting) -> None:  # noqa: ANN001
    """Checked, shown, taken in; the whole is undone."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    admin = house.worker("test-administrator")
    rows = "".join(f"{scene.place.codes[0]};Серікова;Айгүл;14.03.2015;5;қаз;N{number}\n" for number in range(40))
    job = send(house, admin, scene.id, HEAD + rows)
    shown = admin.get(f"/sittings/{scene.id}/import/{job}")
    assert "Серікова Айгүл" in shown.text
    assert count(house, scene.id) == 3, "nothing is changed before the person says so"
    assert admin.post(f"/sittings/{scene.id}/import/{job}/take").status_code == 303
    taking = house.sql("select id from job where kind = 'import-take' and sitting_id = $1", scene.id)[0]["id"]
    work(house, taking)
    assert count(house, scene.id) == 43
    assert admin.post(f"/sittings/{scene.id}/import/{job}/undo").status_code == 303
    assert count(house, scene.id) == 3


def test_one_bad_row_and_none_goes_in(house: House, make_sitting) -> None:  # noqa: ANN001
    """The bad cell is shown with its row, column, value and what is allowed; also as a file."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    admin = house.worker("test-administrator")
    code = scene.place.codes[0]
    text = f"{HEAD}{code};Серікова;Айгүл;14.03.2015;5;қаз;N1\n{code};Әлиева;Дана;2015;5;қаз;N2\n"
    job = send(house, admin, scene.id, text)
    page = admin.get(f"/sittings/{scene.id}/import/{job}?lang=ru").text
    assert "Дата рождения" in page
    assert "Нужна дата вида 14.03.2015." in page
    assert admin.post(f"/sittings/{scene.id}/import/{job}/take").status_code == 409
    assert admin.get(f"/sittings/{scene.id}/import/{job}/errors").content.startswith(b"PK")
    assert count(house, scene.id) == 3


@pytest.mark.parametrize("far", [(100_000, 500), (1_048_576, 16_384)])
def test_a_stray_cell_far_away_harms_neither_worker_nor_machine(house: House, make_sitting, far) -> None:  # noqa: ANN001
    """5 kB that ask for 3 GB, or for 400: a sentence, as for any file that is no list."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    admin = house.worker("test-administrator")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD.strip().split(";"))
    sheet.cell(*far, value="x")
    kept = io.BytesIO()
    book.save(kept)
    job = send(house, admin, scene.id, kept.getvalue())
    assert house.sql("select result ->> 'problem' as said from job where id = $1", job)[0]["said"] == "file-unreadable"


@pytest.mark.parametrize("text", ["", "\n\n", "a;b;c\n1;2;3\n", HEAD, "\x00\x01\x02", "PK\x03\x04 not a workbook"])
def test_a_file_that_is_no_list_is_told_so(house: House, make_sitting, text: str) -> None:  # noqa: ANN001
    """A sentence, no stack trace, nothing changed."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    admin = house.worker("test-administrator")
    job = send(house, admin, scene.id, text)
    row = house.sql("select state, result from job where id = $1", job)[0]
    assert row["state"] == "failed"
    assert "problem" in row["result"], row["result"]
    assert admin.get(f"/sittings/{scene.id}/import/{job}").status_code == 200


def test_a_school_of_another_territory_does_not_exist(house: House, make_sitting) -> None:  # noqa: ANN001
    """A coordinator of one school imports into that school."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    own = house.worker("test-administrator", school=scene.place.schools[0])
    text = f"{HEAD}{scene.place.codes[1]};Серікова;Айгүл;14.03.2015;5;қаз;N1\n"
    job = send(house, own, scene.id, text)
    assert house.sql("select result from job where id = $1", job)[0]["result"]["error_total"] == 1


def test_after_the_start_a_second_person_agrees(house: House, make_sitting) -> None:  # noqa: ANN001
    """SAFETY J5: participants after T0."""
    scene = make_sitting(starts_in_s=-60)
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    job = send(house, admin, scene.id, f"{HEAD}{scene.place.codes[0]};Серікова;Айгүл;14.03.2015;5;қаз;N1\n")
    admin.post(f"/sittings/{scene.id}/import/{job}/take", {"reason": "Кешігіп жіберілген тізім"})
    assert count(house, scene.id) == 3
    act = house.sql("select id from pending_act where sitting_id = $1", scene.id)[0]["id"]
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert count(house, scene.id) == 4


def test_half_a_name_finds_the_pupil_in_kazakh_order(house: House, make_sitting) -> None:  # noqa: ANN001
    """Ә stands after А and before Б."""
    scene = make_sitting()
    admin = house.worker("test-administrator", region=scene.place.region)
    text = admin.get(f"/sittings/{scene.id}/participants?sort=name").text
    assert text.index("Әлиева") < text.index("Бекова") < text.index("Серікова")
    found = admin.get(f"/sittings/{scene.id}/participants?q=айг+сер").text
    assert "Серікова Айгүл" in found
    assert "Бекова" not in found
    assert "Серікова Айгүл" in admin.get("/search?q=сері").text
    page = admin.get(f"/sittings/{scene.id}/participants/{scene.pupils[0]}")
    assert page.status_code == 200
    assert "2015" not in page.text, "no birth date on the page"


def test_a_list_of_megabytes_is_taken(house: House, make_sitting) -> None:  # noqa: ANN001
    """Forms are small, lists of a country are not."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    admin = house.worker("test-administrator")
    line = f"{scene.place.codes[0]};Серікова;Айгүл;14.03.2015;5;қаз;"
    rows = "".join(f"{line}N{number:06}\n" for number in range(20_000))
    assert len(rows.encode()) > 2**20
    job = send(house, admin, scene.id, HEAD + rows)
    assert house.sql("select result from job where id = $1", job)[0]["result"]["good"] == 20_000
