"""SAFETY J10: pupils named as formulas go out by every way the portal has, run nowhere, and come in again unchanged."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from infra.cells import undo_guard
from portal.core.files.tables import Table, as_csv, as_xlsx
from portal.features.participants.columns import COLUMNS
from tests.portal.conftest import House, house, make_sitting, place  # noqa: F401 (fixtures)
from tests.portal.live.test_controls import tell
from tests.portal.participants.test_import import work
from tests.support.workbooks import require_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import Scene, Visitor

    Make = Callable[..., Scene]

NASTY = ["=1+1", "@SUM(A1)", "+7 701 000 00 11", "-Аружан"]
WORSE = [*NASTY, '=HYPERLINK("http://a.example";"x")', "=cmd|' /C calc'!A0", "\tтаб", "http://a.example/", "'=1"]
FORMS = ("csv", "xlsx")


def cells_of(body: bytes) -> list[str]:
    """All texts of a file, with the guards of a CSV taken off; a guard that is missing fails."""
    if body.startswith(b"PK"):
        require_plain(body)
        sheets = openpyxl.load_workbook(io.BytesIO(body))
        return [
            cell.value for sheet in sheets for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)
        ]
    cells = [cell for row in csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))]
    return [undo_guard(cell) for cell in cells]


@pytest.mark.parametrize("form", FORMS)
def test_the_list_of_pupils(house: House, make_sitting: Make, form: str) -> None:  # noqa: F811
    scene = make_sitting()
    for pupil, name in zip(scene.pupils, NASTY, strict=False):
        house.sql("update participant set last_name = $2, class_letter = $3 where id = $1", pupil, name, name[:4])
    found = cells_of(house.worker("test-administrator").get(f"/sittings/{scene.id}/participants/export/{form}").content)
    assert {f"{NASTY[0]} Айгүл", f"{NASTY[1]} Дана", f"{NASTY[2]} Нұргүл"} <= set(found)
    assert {name[:4] for name in NASTY[:3]} <= set(found)


@pytest.mark.parametrize("form", FORMS)
def test_the_list_of_sittings(house: House, make_sitting: Make, form: str) -> None:  # noqa: F811
    for title in NASTY:
        house.sql(
            "update sitting set title = $2 where id = $1", make_sitting().id, dict.fromkeys(("kk", "ru", "en"), title)
        )
    assert set(NASTY) <= set(cells_of(house.worker("test-administrator").get(f"/sittings/export/{form}").content))


@pytest.mark.parametrize("form", FORMS)
def test_the_trail(house: House, make_sitting: Make, form: str) -> None:  # noqa: F811
    """A reason is free text of staff, and the person's own name is too."""
    scene = make_sitting()
    login = house.person("test-administrator")
    house.sql("update staff set full_name = '=2+5' where login = $1", login)
    admin = house.visitor(login)
    for reason in NASTY:
        answer = tell(admin, scene.id, "attempt", scene.pupils[0], "extra", minutes=1, reason=reason)
        assert answer.status_code == 303, answer.text[-800:]
    found = cells_of(house.worker("super-admin").get(f"/audit/export/{form}").content)
    assert "=2+5" in found
    assert set(NASTY) <= set(found)


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_in_again_by_an_import(house: House, make_sitting: Make, write: Callable[[Table], bytes]) -> None:  # noqa: F811
    """The portal's own file is imported: names, ids and letters of classes are as they were."""
    scene = make_sitting(state="draft", starts_in_s=86_400)
    rows = [row(scene, nasty=one, last_name=one) for one in NASTY]
    body = write(Table("тізім", [column.title for column in COLUMNS], rows))
    admin = house.worker("test-administrator")
    job = upload(house, admin, scene, body)
    page = admin.get(f"/sittings/{scene.id}/import/{job}").text
    assert "SUM(A1)" in page, "an unusual name is shown before it is taken in"
    assert admin.post(f"/sittings/{scene.id}/import/{job}/take").status_code == 303
    work(house, house.sql("select id from job where kind = 'import-take' and sitting_id = $1", scene.id)[0]["id"])
    statement = "select last_name, external_id, class_letter from participant where sitting_id = $1 order by id"
    taken = [tuple(one) for one in house.sql(statement, scene.id)[3:]]
    assert taken == [(one, one, one[:4].strip()) for one in NASTY]


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_any_table_goes_out_and_in(write: Callable[[Table], bytes]) -> None:
    table = Table("=t", WORSE, [[cell for _ in WORSE] for cell in WORSE])
    found = cells_of(write(table))
    assert found == [*WORSE, *(cell for cell in WORSE for _ in WORSE)]


def row(scene: Scene, *, nasty: str, last_name: str = "Серікова") -> list[str | int | None]:
    """A row of an import in the order of the columns."""
    known = {"school_code": scene.place.codes[0], "last_name": last_name, "first_name": "Айгүл"}
    known |= {"birth_date": "14.03.2015", "grade": "5", "language": "қаз", "external_id": nasty}
    known |= {"class_letter": nasty[:4]}
    return [known.get(column.code, "") for column in COLUMNS]


def upload(house: House, person: Visitor, scene: Scene, body: bytes) -> int:  # noqa: F811
    """Give the page a file and let the job run."""
    name = "тізім.xlsx" if body.startswith(b"PK") else "тізім.csv"
    answer = person.post(f"/sittings/{scene.id}/import", files={"file": (name, body, "application/octet-stream")})
    assert answer.status_code == 303, answer.text[-800:]
    job = int(answer.headers["location"].split("/")[-1])
    work(house, job)
    return job
