"""From the bytes of a file to rows of texts: XLSX by calamine, CSV as Excel of this country writes it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from portal.core.files import workbook
from portal.core.files.columns import places
from portal.core.files.problems import ColumnsMissing, FileUnreadable, NothingInFile
from portal.core.i18n import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.core.files.columns import Column

Row = tuple[int, dict[str, str]]
ZIP_MAGIC = b"PK\x03\x04"
# A CSV of 300 000 pupils has 40 MB; a workbook packs 10 : 1, so what it unpacks to is bounded by its rows.
MOST_ROWS = 400_000


def read_rows(body: bytes, columns: Sequence[Column]) -> tuple[int, Iterator[Row]]:
    """How many rows there are and the rows, numbered as in the file (the head is row 1)."""
    lines = _workbook(body) if body.startswith(ZIP_MAGIC) else _csv(body)
    start = next((number for number, line in enumerate(lines) if any(cell.strip() for cell in line)), None)
    if start is None:
        raise NothingInFile
    where = places(lines[start], columns)
    missing = [column.title for column in columns if column.required and column.code not in where]
    if missing:
        raise ColumnsMissing(columns=_Names(missing))
    rows = [
        (number, line)
        for number, line in enumerate(lines[start + 1 :], start + 2)
        if any(cell.strip() for cell in line)
    ]
    if not rows:
        raise NothingInFile
    if len(rows) > MOST_ROWS:
        raise FileUnreadable
    return len(rows), ((number, _named(line, where)) for number, line in rows)


class _Names:
    """Titles of columns, in the language of whoever reads the sentence."""

    def __init__(self, titles: list[str]) -> None:
        self.titles = titles

    def __str__(self) -> str:
        return ", ".join(f"«{Text(title)}»" for title in self.titles)


def _named(line: list[str], where: dict[str, int]) -> dict[str, str]:
    return {code: line[place] for code, place in where.items() if place < len(line)}


def _workbook(body: bytes) -> list[list[str]]:
    lines = workbook.read(body)
    if lines is None:
        raise FileUnreadable
    return lines


def _csv(body: bytes) -> list[list[str]]:
    if b"\0" in body[:4096]:
        raise FileUnreadable
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What older Excel writes here. It has no Kazakh letters, but the head and many names come through.
        text = body.decode("cp1251", errors="replace")
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(";,\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise FileUnreadable from error
