"""What leaves the platform: safe cells, all letters, the codebook, the same bytes."""

from __future__ import annotations

import io
from types import SimpleNamespace

import openpyxl
import polars as pl
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.cells import guarded, unguarded
from scoring.report import codebook, csv_bytes, export_tables, files, read_csv, xlsx_bytes
from scoring.report_pdf import pdf_bytes
from scoring.run import Run, compute
from scoring.structs import Parameters, TieAtLine
from scoring.words import CODEBOOK
from tests.support.workbooks import require_plain

LANGUAGES = ("kk", "ru", "en")
NASTY = [
    "=1+1",
    "@SUM(A1)",
    "+7 701 000",
    "-Аружан",
    "\tтаб",
    "\rв",
    "\0н",
    "'=1",
    "''+2",
    "'жай",
    "Әлия",
    "",
    'a"b;c,d\nе',
]


@pytest.fixture(name="run")
def made_run(sitting: SimpleNamespace) -> Run:
    return compute(sitting.snapshot(), Parameters(quota={"KZ-10": 2}, tie_at_line=TieAtLine.ALL))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nasty_cells_go_out_and_in_unchanged(language: str) -> None:
    """A pupil named =1+1 is no formula outside and the same pupil inside."""
    table = pl.DataFrame({"name": NASTY, "z": [-1.5] * len(NASTY)})
    body = csv_bytes(table, language)  # type: ignore[arg-type]
    back = read_csv(body, language, {"name": pl.String, "z": pl.Float64})  # type: ignore[arg-type]
    assert back.rows() == table.rows()


@given(st.text(max_size=20))
def test_guards_are_taken_off_whatever_the_text(text: str) -> None:
    """And nothing that a spreadsheet would run begins a cell."""
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple("=+-@\t\r\0")


def test_csv_opens_right_in_a_kazakh_excel() -> None:
    """Mark, semicolons, decimal comma."""
    body = csv_bytes(pl.DataFrame({"аты": ["Әлия"], "балл": [3.5]}), "kk")
    assert body == "\ufeffаты;балл\r\nӘлия;3,5\r\n".encode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_is_in_the_codebook(run: Run, sitting: SimpleNamespace, language: str) -> None:
    """Result tables and exports alike, with their meaning in the language."""
    exported = export_tables(run, sitting.snapshot(), language, names=True)  # type: ignore[arg-type]
    for table in (*run.tables().values(), *exported.values()):
        assert set(table.columns) <= set(CODEBOOK.columns)
    assert set(exported) | set(run.tables()) <= set(CODEBOOK.tables)
    assert codebook(exported, language).height == sum(t.width for t in exported.values())  # type: ignore[arg-type]


def test_exports_are_pseudonymous_by_default(run: Run, sitting: SimpleNamespace) -> None:
    """No name and no outside number in any file unless asked for."""
    made = files(run, sitting.snapshot(), "kk", names=False, reader="", purpose="")
    text = b"".join(body for name, body in made.items() if name.endswith(".csv")).decode()
    assert "Аружан" not in text
    assert "MB-0000" not in text
    named = files(run, sitting.snapshot(), "kk", names=True, reader="A", purpose="B")
    assert "'-Аружан" in named["ranking.csv"].decode()


def test_workbook_has_typed_strings_and_no_formula(run: Run, sitting: SimpleNamespace) -> None:
    """Read back by another library: the nasty names are plain strings."""
    snapshot = sitting.snapshot()
    body = xlsx_bytes(run, export_tables(run, snapshot, "kk", names=True), "kk", reader="Серік", purpose="комиссия")
    book = openpyxl.load_workbook(io.BytesIO(body))
    require_plain(body)
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    names = {cell.value for cell in next(c for c in book["ranking"].columns if c[0].value == "last_name")}
    assert names == {"last_name", "=1+1", "@SUM(A1)", "+7 701 000", "-Аружан"}
    assert "Серік" in " ".join(str(row[0].value) for row in book.worksheets[0].iter_rows())


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_holds_kazakh_letters_and_the_tie_rule(run: Run, sitting: SimpleNamespace, language: str) -> None:
    """Text comes back whole from the PDF."""
    body = pdf_bytes(run, sitting.snapshot(), language)  # type: ignore[arg-type]
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)
    flat = " ".join(text.split())
    assert {"kk": "Нәтижелер есебі", "ru": "Отчёт о результатах", "en": "Report of results"}[language] in flat
    assert "1, 2, 2, 4" in flat


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_run_gives_the_same_files(run: Run, sitting: SimpleNamespace, language: str) -> None:
    """Workbook, tables and PDF, byte for byte."""
    snapshot = sitting.snapshot()
    one, other = (files(run, snapshot, language, names=False, reader="", purpose="") for _ in range(2))  # type: ignore[arg-type]
    assert one == other
    assert pdf_bytes(run, snapshot, language) == pdf_bytes(run, snapshot, language)  # type: ignore[arg-type]
