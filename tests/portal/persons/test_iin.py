"""SAFETY P5: the number is checked, sealed, found by a whole one alone, shown masked, and written nowhere else."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import decode_key
from portal.core.iin import Iin, IinKeys, control_digit, parse
from tests.portal.persons.conftest import an_iin, form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place

births = st.dates(date(1900, 1, 1), date(2026, 12, 31))


@given(
    born=births,
    sex=st.sampled_from("mf"),
    serial=st.integers(0, 9999),
    at=st.sampled_from([*range(10), 11]),
    by=st.integers(1, 9),
)
def test_every_number_that_is_given_out_holds_and_no_slip_of_one_digit_does(
    born: date, sex: str, serial: int, at: int, by: int
) -> None:
    """Birth date and sex come out of it; another digit is refused. The eleventh has weight eleven, which modulo 11 is none."""
    seventh = {"m": "3", "f": "4"} if born.year < 2000 else {"m": "5", "f": "6"}
    eleven = f"{born:%y%m%d}{seventh[sex]}{serial:04d}"
    digit = control_digit(eleven)
    if digit is None:
        assert all(isinstance(parse(f"{eleven}{last}"), str) for last in range(10))
        return
    whole = f"{eleven}{digit}"
    iin = parse(f"{whole[:6]} {whole[6:]}")
    assert iin == Iin(whole, born, sex)
    assert whole not in repr(iin)
    slip = whole[:at] + str((int(whole[at]) + by) % 10) + whole[at + 1 :]
    assert isinstance(parse(slip), str) or _by_second_row(whole) or _by_second_row(slip)


def _by_second_row(digits: str) -> bool:
    """Under the second row of weights some slips of one digit pass: the order allows it, so they are no slips to us."""
    return sum(int(digit) * weight for digit, weight in zip(digits, range(1, 12), strict=False)) % 11 == 10


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "15031460000a", "٠" * 12, "159914600001", "150314900001"]
)
def test_what_is_no_number_is_a_sentence(text: str) -> None:
    """Too short, letters, other scripts' digits, no date, no century."""
    assert isinstance(parse(text), str)


def test_the_seal_differs_each_time_and_the_index_never() -> None:
    """Another key opens nothing; a row whose index was exchanged opens nothing."""
    keys, iin = IinKeys(b"a" * 32, b"b" * 32), parse(an_iin())
    assert isinstance(iin, Iin)
    (one, blind), (other, again) = keys.seal(iin), keys.seal(iin)
    assert (one != other, blind == again) == (True, True)
    assert keys.open(one, blind) == iin.digits
    assert IinKeys(b"c" * 32, b"b" * 32).open(one, blind) is None
    assert keys.open(one, bytes(32)) is None
    assert IinKeys(b"a" * 32, b"c" * 32).blind(iin) != blind


def test_it_works(house: House, add: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    """Kept sealed, shown masked, found by the whole, seen in full with a reason; counted; in no log, no address, no record."""
    admin = house.worker("test-administrator")
    number = an_iin()
    person = add(admin, iin=number, sex="f")
    assert number not in admin.get(f"/persons/{person}").text
    assert f"••••••••••{number[-2:]}" in admin.get(f"/persons/{person}").text
    found = admin.post("/persons/iin", {"iin": number})
    assert found.headers["location"] == f"/persons/{person}"
    assert admin.post(f"/persons/{person}/iin", {"reason": ""}).status_code == 422
    assert number in admin.post(f"/persons/{person}/iin", {"reason": "Құжатты салыстыру"}).text
    acts = [
        row["act"]
        for row in house.sql(
            "select act from audit where object_kind = 'person' and object_id = $1 order by id", str(person)
        )
    ]
    assert {"person.iin.set", "person.iin.searched", "person.iin.shown"} <= set(acts)
    read = house.sql("select sum(count) from reading where kind = 'iin' and count = 2")[0]["sum"]
    assert read >= 2
    row = house.sql("select sealed, blind from person_iin where person_id = $1", person)[0]
    keys = IinKeys(decode_key(house.settings.iin_key), decode_key(house.settings.iin_index_key))
    assert keys.open(row["sealed"], row["blind"]) == number
    # Everything the database and the log hold, but for the sealed row itself.
    for table in ("audit", "job", "person", "person_twin", "saved_view"):
        assert not house.sql(f"select 1 from {table} t where t::text like '%' || $1 || '%'", number), table
    out = capfd.readouterr()
    assert number not in out.out + out.err


def test_a_part_of_a_number_finds_nobody(house: House, add: Callable[..., int]) -> None:
    """Not in the list's search, not on its own page."""
    admin = house.worker("test-administrator")
    number = an_iin()
    person = add(admin, iin=number, sex="f")
    assert f'href="/persons/{person}"' not in admin.get(f"/persons?q={number}").text
    assert admin.post("/persons/iin", {"iin": number[:11]}).status_code == 422


def test_a_number_of_another_birth_date_is_a_slip(house: House, place: Place) -> None:
    """And is not shown back."""
    admin = house.worker("test-administrator")
    number = an_iin("140101", "5")
    answer = admin.post("/persons/new", form_of(place, iin=number))
    assert answer.status_code == 422
    assert number not in answer.text


DOORS = (
    "",
    "/history",
    "/consents",
    "/edit",
    "/photo",
    "/portfolio",
    "/attached",
    "/attached/new",
    "/results",
    "/kpi",
    "/reviews",
    "/work",
)


@pytest.mark.parametrize("door", [*DOORS, "compare"])
def test_each_door_to_a_person_is_counted(house: House, add: Callable[..., int], door: str) -> None:
    """SAFETY P1: a script that walks ids goes by whichever page it likes; all of them count, and stop together."""
    login, colleague = house.person("test-administrator"), house.worker("test-administrator")
    person = add(colleague, last_name="Есіктегі")
    path = f"/persons/{person}{door}"
    if door == "compare":
        path = f"/persons/twins/{person}/{add(colleague, last_name='Есіктегі')}"
    house.sql(
        """
        insert into reading (staff_id, day, kind, count)
        select id, (now() at time zone 'Asia/Almaty')::date, 'card', 398 from staff where login = $1
        """,
        login,
    )
    walker = house.visitor(login)
    answers = [walker.get(path).status_code for _ in range(3)]
    assert answers in ([200, 200, 429], [200, 429, 429]), "two cards beside each other count as two"
    assert "Есіктегі" not in walker.get(path).text


def test_the_list_of_twins_is_counted(house: House, add: Callable[..., int]) -> None:
    """Names and birth dates of pairs are rows like any others."""
    login, colleague = house.person("test-administrator"), house.worker("test-administrator")
    for _ in range(2):
        add(colleague, last_name="Егіздер")
    walker = house.visitor(login)
    assert walker.get("/persons/twins").status_code == 200
    read = (
        "select coalesce(sum(r.count), 0)::int as n from reading r join staff s on s.id = r.staff_id where s.login = $1"
    )
    assert house.sql(f"{read} and r.kind = 'row'", login)[0]["n"] >= 2


def test_beyond_the_day_s_measure_reading_stops(house: House, add: Callable[..., int]) -> None:
    """SAFETY P1: a script that walks is stopped, and a colleague is not."""
    admin, colleague = house.person("test-administrator"), house.worker("test-administrator")
    person = add(colleague)
    house.sql(
        """
        insert into reading (staff_id, day, kind, count)
        select id, (now() at time zone 'Asia/Almaty')::date, 'card', 400 from staff where login = $1
        """,
        admin,
    )
    answer = house.visitor(admin).get(f"/persons/{person}")
    assert answer.status_code == 429
    assert "reading-stopped" in answer.text
    assert colleague.get(f"/persons/{person}").status_code == 200
    visitor = house.visitor(admin)
    assert [visitor.get(f"/persons/{person}").status_code for _ in range(2)] == [429, 429]
    staff = house.sql("select id from staff where login = $1", admin)[0]["id"]
    met = "select count(*) from audit where act = 'reading.measure.met' and object_id = $1"
    assert house.sql(met, str(staff))[0]["count"] == 1, "an alarm a day, not one a page"
    chief = house.worker("super-admin")
    assert "Адам" in chief.get("/persons/readings").text
    assert colleague.post(f"/persons/readings/{staff}/free", {"reason": "Кезек"}).status_code == 403
    assert chief.post(f"/persons/readings/{staff}/free", {"reason": "Тізімді салыстыру"}).status_code == 303
    assert visitor.get(f"/persons/{person}").status_code == 200
