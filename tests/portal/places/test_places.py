"""The tree of the territory and its schools: seen and changed within the own territory, imported whole or not at all."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place, Visitor

HEAD = "school_code;kind;name_kk;name_ru;region_code;district;settlement;contact_name;contact_phone\n"


def district_of(house: House, place: Place) -> tuple[int, str]:
    """Id and name of the region's one district."""
    row = house.sql("select id, name_kk from district where region_code = $1", place.region)[0]
    return row["id"], row["name_kk"]


def send(visitor: Visitor, text: str) -> tuple[int, str]:
    """A list of schools; status and page."""
    answer = visitor.post("/schools/import", {}, files={"file": ("мектептер.csv", text.encode(), "text/csv")})
    return answer.status_code, answer.text


@pytest.fixture
def admin(house: House, place: Place) -> Visitor:
    """A coordinator of the region."""
    return house.worker("myn-bala-coordinator", region=place.region)


def test_a_settlement_and_a_school_in_it_are_added_and_seen(house: House, place: Place, admin: Visitor) -> None:
    """The district follows the settlement; both acts are on record."""
    district, _ = district_of(house, place)
    form = {"district": str(district), "kind": "village", "name_kk": "Ақсу", "kato": "615233100"}
    assert admin.post(f"/places/{place.region}/settlements", form).status_code == 303
    assert "Ақсу" in admin.get(f"/places/{place.region}").text
    settlement = house.sql("select id from settlement where district_id = $1", district)[0]["id"]
    made = admin.post(
        "/schools/new",
        {
            "kind": "centre",
            "code": f"{place.region}-c",
            "name_kk": "Қабілет орталығы",
            "district": str(district),
            "settlement": str(settlement),
            "contact_name": "Сәуле",
        },
    )
    assert made.status_code == 303, made.text[-800:]
    page = admin.get(made.headers["location"]).text
    assert "Қабілет орталығы" in page
    assert "Ақсу" in page
    number = made.headers["location"].rsplit("/", 1)[1]
    acts = house.sql("select act from audit where object_kind = 'school' and object_id = $1", number)
    assert [row["act"] for row in acts] == ["place.school.made"]
    again = admin.post(f"/places/{place.region}/settlements", form)
    assert again.status_code == 422


def test_a_school_shows_its_classes_and_nobody_elses(house: House, place: Place, admin: Visitor) -> None:
    """By the pupils of the registry; the neighbour region's coordinator finds no such school."""
    for number, letter in enumerate("АӘӘ"):
        house.sql(
            """
            insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code, school_id,
                                grade, class_letter)
            values ('Серік', $1, 'x', 'x', '2015-03-14', 'kk', $2, $3, 5, $4)
            """,
            *(f"Айгүл{number}", place.region, place.schools[0], letter),
        )
    page = admin.get(f"/schools/{place.schools[0]}").text
    assert "5Ә" in page
    assert "5А" in page
    house.sql("insert into region values ('S1', 'Басқа', 'Другая', 'Other') on conflict do nothing")
    other = house.worker("myn-bala-coordinator", region="S1")
    for path in (f"/schools/{place.schools[0]}", f"/schools/{place.schools[0]}/edit", f"/places/{place.region}"):
        assert other.get(path).status_code == 404
    assert place.codes[0] not in other.get(f"/schools?region={place.region}").text
    for path, form in ((f"/schools/{place.schools[0]}/close", {}), (f"/places/{place.region}/settlements", {})):
        assert other.post(path, form).status_code == 404
    assert place.codes[0] not in other.get("/schools/export/csv").text


def test_who_has_a_school_sees_it_alone_and_changes_nothing(house: House, place: Place) -> None:
    """A manager of a school."""
    manager = house.worker("myn-bala-school-manager", school=place.schools[0])
    text = manager.get("/schools").text
    assert place.codes[0] in text
    assert place.codes[1] not in text
    assert manager.get(f"/schools/{place.schools[1]}").status_code == 404
    assert manager.get("/schools/new").status_code == 403


def test_a_school_is_not_moved_out_of_the_own_territory(house: House, place: Place, admin: Visitor) -> None:
    """Nor made elsewhere."""
    house.sql("insert into region values ('S2', 'Үшінші', 'Третья', 'Third') on conflict do nothing")
    elsewhere = house.sql(
        "insert into district (region_code, name_kk, name_ru, name_en) values ('S2', $1, $1, $1) returning id",
        f"Шет {place.region}",
    )[0]["id"]
    form = {"kind": "school", "code": f"{place.region}-M", "name_kk": "Мектеп", "district": str(elsewhere)}
    assert admin.post("/schools/new", form).status_code == 422
    assert admin.post(f"/schools/{place.schools[0]}/edit", {**form, "code": place.codes[0]}).status_code == 422
    assert house.sql("select count(*) from school where district_id = $1", elsewhere)[0][0] == 0


def test_a_settlement_that_goes_to_another_district_takes_its_schools_along(house: House, place: Place) -> None:
    """And with them their people: row security follows."""
    district, _ = district_of(house, place)
    settlement = house.sql(
        "insert into settlement (district_id, kind, name_kk, name_ru, name_en) values ($1, 'village', 'Көш', 'Көш', 'Көш') returning id",
        district,
    )[0]["id"]
    house.sql("update school set settlement_id = $2 where id = $1", place.schools[0], settlement)
    other = house.sql(
        "insert into district (region_code, name_kk, name_ru, name_en) values ($1, 'Жаңа', 'Жаңа', 'Жаңа') returning id",
        place.region,
    )[0]["id"]
    house.sql("update settlement set district_id = $2 where id = $1", settlement, other)
    assert house.sql("select district_id from school where id = $1", place.schools[0])[0][0] == other


def test_a_list_is_taken_in_whole_or_not_at_all(house: House, place: Place, admin: Visitor) -> None:
    """Each bad cell is named with what is needed; then the mended list comes in, and goes out the same."""
    _, district = district_of(house, place)
    good = f"{place.region}-91;мектеп;№91 мектеп;Школа №91;{place.region};{district};;=1+1;+7 700 000 00 00\n"
    bad = (
        f"{place.codes[0]};мектеп;Бар мектеп;;{place.region};{district};;;\n"
        f"{place.region}-92;завод;Бірдеңе;;{place.region};{district};;;\n"
        f"{place.region}-93;;Мектеп;;{place.region};Жоқ ауданы;;;\n"
        f"{place.region}-94;;Мектеп;;KZ-99;{district};;;\n"
        f"{place.region}-95;;;;{place.region};{district};Жоқауыл;;\n"
        f"{place.region}-91;;Екінші;;{place.region};{district};;;\n"
    )
    status, text = send(admin, HEAD + good + bad)
    assert status == 422
    for row in ("3", "4", "5", "6", "7", "8"):
        assert f'class="num">{row}<' in text
    assert house.sql("select count(*) from school where code = $1", f"{place.region}-91")[0][0] == 0
    assert send(admin, HEAD + good)[0] == 200
    row = house.sql("select name_ru, name_en, contact_name, kind from school where code = $1", f"{place.region}-91")[0]
    assert tuple(row) == ("Школа №91", "№91 мектеп", "=1+1", "school")
    exported = admin.get(f"/schools/export/csv?q={place.region}-91").text
    assert "'=1+1" in exported
    book = admin.get(f"/schools/export/xlsx?q={place.region}-91").content
    cell = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0]["I2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


@pytest.mark.parametrize(
    "path",
    [
        "/places/%00",
        "/places/" + "x" * 300,
        "/schools?region=%00&district=99999999999999",
        "/schools?q=%25%5C&sort=x&page=-1",
        "/schools/2147483648",
    ],
)
def test_whatever_stands_in_the_address_is_answered(admin: Visitor, path: str) -> None:
    """A page or «nothing there», never a broken one."""
    assert admin.get(path).status_code in {200, 404}
