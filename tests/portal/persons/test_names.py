"""One key for all spellings of a name, and the search that stands on it."""

from __future__ import annotations

import csv
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.names import fold, patterns, search_key
from portal.demo.people import DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place

KAZAKH = "аәбвгғдежзийкқлмнңоөпрстуұүфхһшыіэюя"
# Letter by letter, as each alphabet writes it; the digraphs are the alphabets' own.
RUSSIAN = str.maketrans("әғқңөұүһі", "агкноууxи".replace("x", "х"))
LATIN_2021 = dict(
    zip(
        KAZAKH,
        "a ä b v g ğ d e j z i i k q l m n ñ o ö p r s t u ū ü f h h ş y ı e iu ia".split(),
        strict=True,
    )
)
LATIN_2018 = dict(
    zip(KAZAKH, "a á b v g ǵ d e j z ı ı k q l m n ń o ó p r s t ý u ú f h h sh y i e ıý ıa".split(), strict=True)
)
ASCII = dict(
    zip(KAZAKH, "a a b v g g d e zh z i y k k l m n n o o p r s t u u u f kh h sh y i e yu ya".split(), strict=True)
)


def written(name: str, alphabet: dict[str, str]) -> str:
    return "".join(alphabet[letter] for letter in name)


@given(st.text(KAZAKH, min_size=1, max_size=14))
def test_all_spellings_of_a_name_have_one_key(name: str) -> None:
    """Kazakh, Russian letters, the Latin of 2018 and of 2021, plain ASCII; in any case."""
    key = fold(name)
    assert fold(name.upper()) == key
    assert fold(name.translate(RUSSIAN)) == key
    for alphabet in (LATIN_2021, LATIN_2018, ASCII):
        assert fold(written(name, alphabet)) == key, written(name, alphabet)


@given(st.text(max_size=40))
def test_the_key_of_anything_is_plain_and_final(text: str) -> None:
    """Small Latin letters, digits and single spaces, so that no pattern needs escaping; the key of a key is the key."""
    key = fold(text)
    assert set(key) <= set(string.ascii_lowercase + string.digits + " ")
    assert key == " ".join(key.split())
    assert fold(key) == key


def test_names_as_they_are_written_in_this_country() -> None:
    """The demo's 851 names in four spellings each; two are other names in Russian (Лейла, Абдрахман)."""
    with (DATA / "names.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    apart = [row["kk"] for row in rows if len({fold(row[way]) for way in ("kk", "ru", "latin2021", "ascii")}) > 1]
    assert apart == ["Әбдірахман", "Ләйлә"]
    # And they stay apart from each other: the key must not be one for everybody.
    assert len({fold(row["kk"]) for row in rows}) > 0.95 * len({row["kk"].lower() for row in rows})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ахмет", "Akhmet"),
        ("Ерлан", "Yerlan"),
        ("Жәмила", "Джамиля"),
        ("Шыңғыс", "Shyńǵys"),
        ("Оқу", "Oqý"),
        ("Пётр", "Petr"),
    ],
)
def test_pairs_that_people_type(first: str, second: str) -> None:
    assert fold(first) == fold(second)


def test_each_word_is_a_beginning_or_a_part() -> None:
    assert patterns("айг Se") == ["%aig%", "% se%"]
    assert patterns("!!!") == []
    assert search_key("Серікова", "Айгүл", "") == " serikova aigul"


@pytest.fixture
def named(house: House, place: Place, add: Callable[..., int]) -> dict[str, int]:
    """Three of one region."""
    admin = house.worker("test-administrator")
    return {
        "aigul": add(admin, last_name="Жақсылықова", first_name="Айгүл"),
        "akhmet": add(admin, last_name="Ахметжанов", first_name="Қуаныш", grade="7"),
        "sholpan": add(admin, last_name="Шоқанова", first_name="Шолпан"),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *(
            (spelling, "aigul")
            for spelling in ("айг жақ", "АЙГУЛЬ", "Aigúl", "aygul zhaks", "jaqsy", "сылык", "жак ай")
        ),
        *((spelling, "akhmet") for spelling in ("Akhmetzhanov", "ahmetjan", "куаныш", "quanysh", "метжан қу")),
        *((spelling, "sholpan") for spelling in ("Şolpan", "sholp", "шок шол")),
    ],
)
def test_a_person_is_found_in_any_spelling(
    house: House, place: Place, named: dict[str, int], asked: str, found: str
) -> None:
    """By any part of three letters, by a beginning of one or two, in any order."""
    page = house.worker("test-administrator").get("/persons", params={"q": asked, "region": place.region}).text
    links = {name for name, person in named.items() if f'href="/persons/{person}"' in page}
    assert links == {found}


def test_a_name_and_a_filter_together(house: House, place: Place, named: dict[str, int]) -> None:
    """The search obeys the filters."""
    admin = house.worker("test-administrator")
    asked = {"q": "ан", "region": place.region}
    assert (
        f'href="/persons/{named["akhmet"]}"' in admin.get("/persons", params={**asked, "q": "метж", "grade": "7"}).text
    )
    assert (
        f'href="/persons/{named["akhmet"]}"'
        not in admin.get("/persons", params={**asked, "q": "метж", "grade": "5"}).text
    )
