"""The review as a file: what its filters show, within the reader's territory, numbers and no names, nothing that counts."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import openpyxl
import pytest

from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.proctoring.test_review import BREACH, FINE, reviewer, say_on_the_wall
from tests.portal.proctoring.test_wall import take

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor


@pytest.fixture
def judged(house: House, watched: Scene) -> Scene:
    """Two say a breach of the first, one of the second, one says «fine» of the third; nobody is drawn by lot."""
    house.sql("update sitting_review set sample_percent = 0 where sitting_id = $1", watched.id)
    first, second, third = watched.pupils
    for said, child in ((BREACH, first), (BREACH, first), (BREACH, second), (FINE, third)):
        say_on_the_wall(house, watched, said, child)
    return watched


def file_of(house: House, visitor: Visitor, sitting: int, query: str, form: str) -> bytes:
    """Asked for on the page with these filters, made by the job, taken by who asked."""
    asked = visitor.post(f"/sittings/{sitting}/verdicts/export?{query}", {"purpose": "Комиссия", "form": form})
    assert asked.status_code == 303, asked.text
    path = asked.headers["location"]
    state = house.front.inner.state
    house.loop.run(run_one(state.pool, state.settings, WORK, int(path.rsplit("/", 1)[1])))
    assert house.worker("test-administrator").get(path).status_code == 404
    page = visitor.get(path).text
    link = page.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
    taken = visitor.get(link)
    assert taken.status_code == 200
    return taken.content


def lines_of(body: bytes) -> list[list[str]]:
    """The rows of a CSV below its head: those that begin with a child's number."""
    text = body.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text), delimiter=";") if row and row[0].isdigit()]


def numbers(scene: Scene, *places: int) -> set[str]:
    return {str(scene.pupils[place] % 100_000) for place in places}


def test_rows_are_what_the_filters_show(house: House, judged: Scene) -> None:
    """All, one state, one school, one event; none where nothing fits."""
    one, place = reviewer(house), judged.place
    for query, shown in (
        ("", (0, 1, 2)),
        ("state=settled", (0,)),
        ("state=waiting", (1,)),
        (f"region={place.region}&school={place.schools[1]}", (2,)),
        ("event=tab-left", (0,)),
        ("device=iphone", ()),
    ):
        found = lines_of(file_of(house, one, judged.id, query, "csv"))
        assert {row[0] for row in found} == numbers(judged, *shown), query
    text = file_of(house, one, judged.id, "", "csv").decode("utf-8-sig")
    assert "Комиссия" in text
    names = house.sql("select last_name, first_name from participant where sitting_id = $1", judged.id)
    assert not any(row["last_name"] in text or row["first_name"] in text for row in names)
    region = house.sql("select name_kk from region where code = $1", place.region)[0]["name_kk"]
    assert all(region in row for row in lines_of(text.encode())), "a name, not its code"
    # What one person said is told to nobody whose own opinion is still wanted.
    waiting = next(row for row in lines_of(text.encode()) if row[0] in numbers(judged, 1))
    assert waiting[1:3] == ["екінші адамды күтіп тұр", ""]


def test_a_school_gets_its_own_children_alone_and_a_proctor_none(house: House, judged: Scene) -> None:
    """Whatever the address of the form asks for."""
    school = reviewer(house, school=judged.place.schools[1])
    query = f"region={judged.place.region}&school={judged.place.schools[0]}"
    assert lines_of(file_of(house, school, judged.id, query, "csv")) == []
    assert {row[0] for row in lines_of(file_of(house, school, judged.id, "", "csv"))} == numbers(judged, 2)
    export = f"/sittings/{judged.id}/verdicts/export"
    assert house.worker("proctor").post(export, {"purpose": "x", "form": "csv"}).status_code == 403
    assert school.post(export, {"purpose": " ", "form": "csv"}).status_code == 422
    assert school.post(export, {"purpose": "x", "form": "exe"}).status_code == 422


def test_a_name_that_looks_like_a_formula_is_text(house: House, judged: Scene) -> None:
    """In both kinds of file (CWE-1236)."""
    evil = '=HYPERLINK("http://x.test";"басыңыз")'
    house.sql("update school set name_kk = $2 where id = $1", judged.place.schools[0], evil)
    one = reviewer(house)
    rows = lines_of(file_of(house, one, judged.id, "state=settled", "csv"))
    assert len(rows) == 1
    assert next(cell for cell in rows[0] if "HYPERLINK" in cell).startswith("'=")
    book = openpyxl.load_workbook(io.BytesIO(file_of(house, one, judged.id, "state=settled", "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert [cell.data_type for cell in cells] == ["s"]


def test_a_table_names_the_zone_once(house: House, judged: Scene) -> None:
    """Not in every cell: a line under the table says it for all of them."""
    one = reviewer(house)
    said = {"channel": "phone", "told_by": "Анасы", "words": "Әжесі кірген", "language": "kk"}
    assert one.post(f"/sittings/{judged.id}/appeals", {"attempt": str(judged.pupils[0]), **said}).status_code == 303
    take(one, judged)
    child = judged.pupils[1]
    assert one.post(f"/watch/{child}/warn", {"sentence": "own", "own": "Шамды жақ"}).status_code == 303
    assert one.post(f"/watch/{child}/verdict", FINE).status_code == 303
    at = house.sql("select taken_ms from picture where attempt_id = $1", child)[0]["taken_ms"]
    assert one.post(f"/watch/{child}/seal", {"shot": f"1-{at}"}).status_code == 303
    for path in (
        *(f"/sittings/{judged.id}/{page}" for page in ("verdicts", "verdicts/words", "appeals", "wall", "pictures")),
        "/safety",
    ):
        text = house.worker("child-safety-officer").get(path).text if path == "/safety" else one.get(path).text
        tables = re.findall(r"<table.*?</table>", text, re.DOTALL)
        assert tables, path
        assert "Астана" not in "".join(tables), path
        assert text.count("Уақыт Астана бойынша көрсетілген.") == len(tables), path
