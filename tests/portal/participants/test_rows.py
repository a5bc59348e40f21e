"""The rules of an import's rows, over anything that a spreadsheet may hold."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cells import guard, undo_guard
from portal.core.files.reading import read_rows
from portal.core.files.tables import Table, as_csv, as_xlsx
from portal.features.participants.columns import COLUMNS
from portal.features.participants.rules import check_rows

TODAY = dt.date(2026, 11, 23)
SCHOOLS = {"S1": 1, "S2": 2}
GOOD = {
    "school_code": "S1",
    "last_name": "Серікова",
    "first_name": "Айгүл",
    "birth_date": "14.03.2015",
    "grade": "5",
    "language": "қаз",
    "external_id": "A1",
}
letters = st.text("аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщыіэюяABCabc'-", min_size=1, max_size=30)
names = letters.filter(
    lambda name: (
        name[0] not in "'-"
        and name[-1] not in "'-"
        and "--" not in name
        and "''" not in name
        and "-'" not in name
        and "'-" not in name
    )
)
anything = st.dictionaries(st.sampled_from([column.code for column in COLUMNS]), st.text(max_size=40))


@given(st.lists(anything, max_size=20))
def test_every_row_is_taken_or_named(rows: list[dict[str, str]]) -> None:
    """Whatever the cells hold: no crash, and a row that is not taken has an error of its own."""
    checked = check_rows(enumerate(rows, 2), SCHOOLS, set(), TODAY)
    bad = {error.row for error in checked.errors}
    assert len(checked.rows) + len(bad) == len(rows)
    assert all(error.column in {column.code for column in COLUMNS} for error in checked.errors)


@given(st.lists(st.tuples(names, names, st.dates(dt.date(2003, 1, 1), dt.date(2020, 12, 31))), min_size=1, max_size=20))
def test_good_rows_come_through_as_they_are(people: list[tuple[str, str, dt.date]]) -> None:
    """Kazakh letters, hyphens and apostrophes; in the order of the file."""
    rows = [
        {
            **GOOD,
            "last_name": last,
            "first_name": first,
            "birth_date": born.strftime("%d.%m.%Y"),
            "external_id": f"A{number}",
        }
        for number, (last, first, born) in enumerate(people)
    ]
    checked = check_rows(enumerate(rows, 2), SCHOOLS, set(), TODAY)
    assert checked.errors == []
    assert [(row.last_name, row.first_name, row.birth_date) for row in checked.rows] == people


def test_each_miss_names_its_column() -> None:
    """One wrong cell, one error in that column."""
    for column, value in {
        "school_code": "S9",
        "last_name": "\u0007Серікова",
        "first_name": "",
        "birth_date": "2015-13-40",
        "gender": "x",
        "grade": "15",
        "language": "фр",
        "extra_minutes": "-5",
        "external_id": "",
        "class_letter": "АБВГД",
    }.items():
        checked = check_rows([(2, {**GOOD, column: value})], SCHOOLS, set(), TODAY)
        assert [(error.row, error.column) for error in checked.errors] == [(2, column)], column


def test_an_unusual_name_is_shown_and_taken_as_it_is() -> None:
    """No list of ours decides what a child is called; a slip shows before the list is taken in."""
    checked = check_rows(
        [(2, {**GOOD, "last_name": "Серікова1"}), (3, {**GOOD, "external_id": "A2"})], SCHOOLS, set(), TODAY
    )
    assert checked.errors == []
    assert [(one.row, one.column, one.seen) for one in checked.unusual] == [(2, "last_name", "Серікова1")]
    assert checked.rows[0].last_name == "Серікова1"


def test_an_id_stands_once() -> None:
    """In the file and in the sitting; and an IIN is no id."""
    twice = check_rows([(2, GOOD), (3, GOOD)], SCHOOLS, set(), TODAY)
    assert [(error.row, error.column, error.values) for error in twice.errors] == [(3, "external_id", {"row": "2"})]
    assert [error.column for error in check_rows([(2, GOOD)], SCHOOLS, {"A1"}, TODAY).errors] == ["external_id"]
    iin = check_rows([(2, {**GOOD, "external_id": "150314500123"})], SCHOOLS, set(), TODAY)
    assert [error.column for error in iin.errors] == ["external_id"]


@given(st.text(max_size=40))
def test_a_guarded_cell_comes_back_unchanged(text: str) -> None:
    """SAFETY J10: out with an apostrophe, in without it."""
    assert undo_guard(guard(text)) == text
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\0"))


# Each workbook is read by a process of its own, which takes a second to start on a busy machine.
@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.sampled_from(["=1+1", "@SUM(A1)", "+7 701 000", "-Аружан", "Айгүл", "'x", "a;b", 'q"q']),
        min_size=1,
        max_size=5,
    )
)
def test_a_written_table_reads_back(cells: list[str]) -> None:
    """CSV and XLSX, hostile cells too; the head may be in any of the three languages."""
    head = [column.title for column in COLUMNS]
    rows = [[cell, *[cell for _ in head[1:]]] for cell in cells]
    for body in (
        as_csv(Table("t", head, [list(row) for row in rows])),
        as_xlsx(Table("t", head, [list(row) for row in rows])),
    ):
        total, read = read_rows(body, COLUMNS)
        back = (
            [undo_guard(row["school_code"]) for _, row in read]
            if body[:2] != b"PK"
            else [row["school_code"] for _, row in read]
        )
        assert total == len(cells)
        assert back == cells
