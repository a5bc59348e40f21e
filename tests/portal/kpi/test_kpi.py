"""The KPI log: entered, imported whole or not at all, counted by the platform once, summed, taken as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.jobs.worker import run_one
from portal.features.kpi.routes import ask_daily
from portal.features.work import WORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor

ENTRY = {"measure": "lessons-held", "project": "birge-oqy", "day": "25.11.2026", "value": "4", "note": "Екі сынып"}
HEAD = "external_id;project;measure;day;value;note\n"


def enter(visitor: Visitor, person: int, **values: object) -> int:
    return visitor.post(f"/persons/{person}/kpi", {**ENTRY, **values}).status_code


def log(house: House, person: int) -> list[tuple[str, float, str]]:
    rows = house.sql(
        "select measure, value, source from kpi_entry where person_id = $1 order by measure, day, id", person
    )
    return [(row["measure"], float(row["value"]), row["source"]) for row in rows]


def run_job(house: House, job: int) -> None:
    house.loop.run(run_one(house.front.inner.state.pool, house.settings, WORK, job), 60)
    assert house.sql("select state from job where id = $1", job)[0]["state"] == "done"


def test_it_works(house: House, add: Callable[..., int]) -> None:
    """Rows of a period, their sum, a bar a month with its table; a row is taken out again, on record."""
    admin = house.worker("test-administrator")
    person = add(admin)
    for day, value in (("25.11.2026", "4"), ("03.10.2026", "2,5"), ("01.02.2026", "9")):
        assert enter(admin, person, day=day, value=value) == 303
    page = admin.get(f"/persons/{person}/kpi?since=01.09.2026&until=26.11.2026&lang=en").text
    assert "<b>6.5</b>" in page
    assert page.count("<rect") == 3, "September, October, November"
    assert "Rows: 2" in page
    whole = admin.get(f"/persons/{person}/kpi?since=01.01.2026&until=26.11.2026&lang=en").text
    assert "<b>15.5</b>" in whole
    assert "Rows: 0" in admin.get(f"/persons/{person}/kpi?measure=attendance&lang=en").text
    entry = house.sql("select max(id) as id from kpi_entry where person_id = $1", person)[0]["id"]
    assert admin.post(f"/persons/{person}/kpi/{entry}/remove").status_code == 303
    assert len(log(house, person)) == 2
    acts = house.sql(
        "select act from audit where object_kind = 'person' and object_id = $1 and act like 'kpi.%' order by id",
        str(person),
    )
    assert [row["act"] for row in acts] == ["kpi.entry.made"] * 3 + ["kpi.entry.removed"]


@pytest.mark.parametrize(
    "values",
    [
        {"value": "-1"},
        {"value": "жоқ"},
        {"value": "NaN"},
        {"value": "1e9"},
        {"measure": "attendance", "value": "101"},
        {"measure": "sittings-closed"},
        {"measure": "none"},
        {"project": "qabilet"},
        {"project": "moon"},
        {"day": "31.02.2026"},
        {"day": "25.11.2126"},
    ],
)
def test_what_is_wrong_is_said_beside_the_field(house: House, add: Callable[..., int], values: dict[str, str]) -> None:
    """Nothing is written; what the platform counts nobody enters."""
    admin = house.worker("test-administrator")
    person = add(admin)
    answer = admin.post(f"/persons/{person}/kpi", {**ENTRY, **values})
    assert answer.status_code == 422
    assert 'href="#f-' in answer.text
    assert log(house, person) == []


def test_a_list_is_taken_whole_or_not_at_all(house: House, place: Place, add: Callable[..., int]) -> None:
    """Each wrong row is named; a person of another region is nobody."""
    admin = house.worker("test-administrator")
    one, two = (add(admin, external_id=f"{place.region}-{number}") for number in (1, 2))

    def send(visitor: Visitor, *lines: str) -> tuple[int, str]:
        body = (HEAD + "\n".join(lines)).encode()
        answer = visitor.post("/kpi/import?lang=en", {}, files={"file": ("kpi.csv", body, "text/csv")})
        return answer.status_code, answer.text

    good = f"{place.region}-1;birge-oqy;lessons-held;25.11.2026;4;"
    status, text = send(
        admin, good, f"{place.region}-2;birge-oqy;lessons-held;жоқ;4;", "NOBODY;birge-oqy;attendance;25.11.2026;90;"
    )
    assert status == 422
    assert "Row 3" in text
    assert "Row 4" in text
    assert log(house, one) == []
    status, text = send(admin, good, f"{place.region}-2;birge-oqy;attendance;24.11.2026;90,5;=1+1")
    assert status == 200
    assert "Rows taken in: 2" in text
    assert log(house, one) == [("lessons-held", 4.0, "imported")]
    assert log(house, two) == [("attendance", 90.5, "imported")]
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    assert send(house.worker("test-administrator", region=far), good)[0] == 422
    assert len(log(house, one)) == 1


def test_the_platform_counts_its_own_once(house: House, add: Callable[..., int], make_sitting: Callable) -> None:
    """From the trail of a linked login, a row a day; the same job again changes nothing; nobody takes it out."""
    admin = house.worker("test-administrator")
    person = add(admin)
    login = house.person("test-administrator")
    house.sql("update staff set person_id = $2 where login = $1", login, person)
    worker = house.visitor(login)
    for _ in range(2):
        scene = make_sitting(starts_in_s=-7200)
        answer = worker.post(f"/sittings/{scene.id}/close")
        assert answer.status_code == 303, answer.text[-1500:]
    for _ in range(2):
        house.loop.run(ask_daily(house.front.inner.state.pool))
        run_job(house, house.sql("select max(id) as id from job where kind = 'kpi-gather'")[0]["id"])
        assert log(house, person) == [("sittings-closed", 2.0, "system")]
    entry = house.sql("select id from kpi_entry where person_id = $1", person)[0]["id"]
    assert admin.post(f"/persons/{person}/kpi/{entry}/remove").status_code == 404
    page = worker.get("/me/work?lang=en").text
    assert page.count("held and closed") == 3, "two rows and the filter"
    assert "Rows: 2" in admin.get(f"/persons/{person}/work?lang=en").text


def test_nobody_writes_into_his_own(house: House, add: Callable[..., int]) -> None:
    """He reads it on his own page."""
    admin = house.worker("test-administrator")
    person = add(admin)
    enter(admin, person)
    login = house.person("test-administrator")
    house.sql("update staff set person_id = $2 where login = $1", login, person)
    own = house.visitor(login)
    assert enter(own, person) == 403
    assert "Екі сынып" in own.get("/me/kpi").text
    entry = house.sql("select id from kpi_entry where person_id = $1", person)[0]["id"]
    assert own.post(f"/persons/{person}/kpi/{entry}/remove").status_code == 403


def test_the_log_as_a_file(house: House, add: Callable[..., int]) -> None:
    """Of the period that is shown; formulas stay text (SAFETY J10)."""
    admin = house.worker("test-administrator")
    person = add(admin)
    enter(admin, person, note="=1+1")
    enter(admin, person, day="01.01.2026")
    answer = admin.post(
        f"/persons/{person}/kpi/export?since=01.11.2026&until=26.11.2026", {"purpose": "Есеп", "form": "csv"}
    )
    path = answer.headers["location"]
    run_job(house, int(path.split("/")[-1]))
    text = admin.get(f"{path}/file").content.decode("utf-8-sig")
    assert "'=1+1" in text
    assert "25.11.2026" in text
    assert "01.01.2026" not in text
