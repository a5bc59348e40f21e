"""The list: filters, columns, order, kept views, several changed at once; and as a file, with a purpose."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl
import pypdf
import pytest

from portal.core.accounts.keys import origin
from portal.core.files import uploads
from portal.core.jobs.worker import run_one
from portal.features.work import WORK
from tests.portal.conftest import PASSWORD
from tests.portal.waiver.authenticator import SecurityKey
from tests.support.workbooks import require_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor


@pytest.fixture
def admin(house: House) -> Visitor:
    return house.worker("test-administrator")


@pytest.fixture
def three(admin: Visitor, place: Place, add: Callable[..., int]) -> list[int]:
    """Three persons who differ."""
    return [
        add(admin, last_name="Бекова", first_name="Нұргүл", grade="5", sex="f"),
        add(admin, last_name="Әлиев", first_name="Дәурен", grade="6", sex="m", school=str(place.schools[1])),
        add(admin, last_name="Ким", first_name="=1+1", grade="6", language="ru", birth_date="01.02.2011"),
    ]


def order(page: str, ids: list[int]) -> list[int]:
    """Those of the ids that the page lists, in its order."""
    return sorted(
        (one for one in ids if f'href="/persons/{one}"' in page), key=lambda one: page.index(f'href="/persons/{one}"')
    )


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [1, 0, 2]),
        ("sort=-name", [2, 0, 1]),
        ("sort=new", [2, 1, 0]),
        ("grade=6", [1, 2]),
        ("sex=m", [1]),
        ("language=ru", [2]),
        ("grade=6&language=kk", [1]),
        ("project=qabilet", []),
        ("status=archived", []),
        ("grade=99&sex=x&sort=drop&page=-1&cols=none", [1, 0, 2]),
    ],
)
def test_filters_and_order(admin: Visitor, place: Place, three: list[int], query: str, places: list[int]) -> None:
    """Kazakh order (Ә after А, before Б); what is unknown in an address asks for nothing."""
    page = admin.get(f"/persons?region={place.region}&{query}").text
    assert order(page, three) == [three[one] for one in places]


def test_a_school_has_its_list_by_class(admin: Visitor, place: Place, three: list[int]) -> None:
    school = f"/persons?region={place.region}&school={place.schools[0]}"
    assert order(admin.get(f"{school}&sort=-class").text, three) == [three[2], three[0]]
    assert order(admin.get(f"{school}&sort=-born").text, three) == [three[0], three[2]]


def test_columns_are_chosen_and_a_view_is_kept(admin: Visitor, place: Place, three: list[int]) -> None:
    """The same list again by one link; forgotten by one button."""
    chosen = f"region={place.region}&cols=phone&cols=region&sort=-name"
    assert "Өңір" in admin.get(f"/persons?{chosen}").text
    kept = admin.post("/persons/views", {"name": "Менің тізімім", "query": f"{chosen}&evil=1"})
    assert kept.headers["location"] == f"/persons?{chosen}"
    page = admin.get("/persons").text
    assert "Менің тізімім" in page
    view = page.split('name="forget" value="')[1].split('"')[0]
    admin.post("/persons/views", {"forget": view})
    assert "Менің тізімім" not in admin.get("/persons").text


def test_several_at_once(house: House, admin: Visitor, place: Place, three: list[int]) -> None:
    """Into a project, to a school, into the archive: those ticked, and of them those of the territory."""
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", f"N{place.region}")
    neighbour = house.worker("test-administrator", region=f"N{place.region}")
    assert neighbour.post("/persons/bulk", {"ids": three, "do": "archive"}).headers["location"].endswith("changed=0")
    done = admin.post(
        "/persons/bulk", {"ids": three[:2], "do": "project", "part": "birge-oqy:pupil", "back": "grade=5"}
    )
    assert done.headers["location"] == "/persons?grade=5&changed=2"
    admin.post("/persons/bulk", {"ids": three[:1], "do": "school", "to_school": str(place.schools[1])})
    admin.post("/persons/bulk", {"ids": three[2:], "do": "archive"})
    rows = house.sql("select projects, school_id, status from person where id = any ($1) order by id", three)
    assert [row["projects"] for row in rows] == [["birge-oqy"], ["birge-oqy"], []]
    assert [row["school_id"] for row in rows] == [place.schools[1], place.schools[1], place.schools[0]]
    assert [row["status"] for row in rows] == ["active", "active", "archived"]
    assert house.sql("select count(*) from audit where act = 'person.list.changed'")[0]["count"] >= 4


def test_all_of_a_filter_at_once(house: House, admin: Visitor, place: Place, three: list[int]) -> None:
    """Whoever fits it, on whatever page; no more than are shown, and none of another territory."""
    back = f"region={place.region}&grade=6"
    done = admin.post("/persons/bulk", {"all": "1", "do": "project", "part": "qabilet:test-taker", "back": back})
    assert done.headers["location"].endswith("changed=2")
    own = house.worker("test-administrator", school=place.schools[1])
    assert (
        own.post("/persons/bulk", {"all": "1", "do": "archive", "back": ""}).headers["location"].endswith("changed=1")
    )
    rows = house.sql("select projects, status from person where id = any ($1) order by id", three)
    assert [(row["projects"], row["status"]) for row in rows] == [
        ([], "active"),
        (["qabilet"], "archived"),
        (["qabilet"], "active"),
    ]


def export(house: House, visitor: Visitor, query: str, form: str) -> bytes:
    """Ask for a file, let the job run, fetch it."""
    asked = visitor.post(f"/persons/export?{query}", {"purpose": "Мектеп есебі", "form": form})
    assert asked.status_code == 303, asked.text[-2000:]
    where = asked.headers["location"]
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, int(where.split("/")[-1])))
    assert f"{where}/file" in visitor.get(where).text
    return visitor.get(f"{where}/file").content


def test_a_list_as_a_file_names_its_reader_and_purpose(
    house: House, admin: Visitor, place: Place, three: list[int]
) -> None:
    """The filter's rows and columns, three kinds of file, nothing that a spreadsheet runs; counted and on record."""
    query = f"region={place.region}&grade=6&cols=born&cols=school"
    sheet = export(house, admin, query, "xlsx")
    require_plain(sheet)
    rows = [list(row) for row in openpyxl.load_workbook(io.BytesIO(sheet)).worksheets[0].iter_rows(values_only=True)]
    assert [row[0] for row in rows[1:3]] == ["Әлиев Дәурен", "Ким =1+1"]
    assert "Мектеп есебі" in str(rows[-1][0])
    assert "Адам" in str(rows[-1][0])
    lines = list(csv.reader(io.StringIO(export(house, admin, query, "csv").decode("utf-8-sig")), delimiter=";"))
    assert len(lines[0]) == 3
    assert "Мектеп есебі" in lines[-1][0]
    paper = pypdf.PdfReader(io.BytesIO(export(house, admin, query, "pdf"))).pages[0].extract_text()
    assert "Әлиев Дәурен" in paper
    assert "Мектеп есебі" in paper
    job = house.sql("select max(id) as id from job where kind = 'persons-export'")[0]["id"]
    acts = [
        row["act"]
        for row in house.sql(
            "select act from audit where object_kind = 'person_list' and object_id = $1 order by id", str(job)
        )
    ]
    assert acts == ["person.list.asked", "person.list.made", "person.list.exported"]
    assert house.worker("test-administrator").get(f"/persons/export/{job}/file").status_code == 404, (
        "for its reader alone"
    )
    assert admin.post(f"/persons/export?{query}", {"purpose": "", "form": "csv"}).status_code == 422


def test_a_file_holds_the_own_territory_alone(house: House, place: Place, three: list[int]) -> None:
    """SAFETY P2: a job works within the territory of who asked, with no filter of his own."""
    own = house.worker("test-administrator", school=place.schools[1])
    lines = list(csv.reader(io.StringIO(export(house, own, "cols=born", "csv").decode("utf-8-sig")), delimiter=";"))
    assert [line[0] for line in lines[1:-2]] == ["Әлиев Дәурен"]


def test_files_are_erased_after_their_days(house: House) -> None:
    """Lists made for a person after seven days, lists that were sent after thirty (SAFETY P1, J10)."""
    store, now = house.settings.objects, dt.datetime.now(dt.UTC)

    async def run() -> tuple[bytes | None, bytes | None, bytes | None]:
        fresh = await uploads.keep(store, uploads.EXPORTS, "persons", b"x")
        sent = await uploads.keep(store, uploads.IMPORTS, "persons", b"y")
        await uploads.erase_old(store, now + dt.timedelta(days=7))
        kept = await uploads.fetch(store, uploads.EXPORTS, fresh)
        await uploads.erase_old(store, now + dt.timedelta(days=8))
        return (
            kept,
            await uploads.fetch(store, uploads.EXPORTS, fresh),
            await uploads.fetch(store, uploads.IMPORTS, sent),
        )

    assert house.loop.run(run()) == (b"x", None, b"y")


def test_more_than_five_hundred_ask_for_a_key(house: House, place: Place) -> None:
    """SAFETY P1."""
    house.sql(
        """
        insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
        select 'Көп', 'К' || n, 'kop k' || n, ' kop k' || n, '2015-01-01', 'kk', $1 from generate_series(1, 501) n
        """,
        place.region,
    )
    login = house.person("test-administrator")
    visitor = house.visitor(login)
    query, form = f"region={place.region}", {"purpose": "Есеп", "form": "csv"}
    assert 'data-key="confirm"' in visitor.get(f"/persons/export?{query}").text
    assert visitor.post(f"/persons/export?{query}", form).status_code == 403
    key = SecurityKey(origin(house.settings))
    visitor.post("/account/keys", {"name": "Кілт", "present": PASSWORD, "credential": key.register(visitor)})
    asked = visitor.post(f"/persons/export?{query}", {**form, "credential": key.confirm(visitor)})
    assert asked.status_code == 303, asked.text[-1500:]
    house.sql("delete from person where region_code = $1", place.region)
