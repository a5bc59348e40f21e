"""Writing tables. A CSV cell that a spreadsheet would run gets a leading apostrophe, and import takes it off again."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from urllib.parse import quote

import msgspec
import xlsxwriter
from litestar import Response

from infra.cells import guard
from portal.core.i18n import ASTANA

Cell = str | int | float | date | datetime | bool | None
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADER_LENGTH = 255
CSV_TYPE = "text/csv; charset=utf-8"


class Table(msgspec.Struct, frozen=True):
    """A name, a head and rows; `note`: for whom and what for, at the end of the file (SAFETY P1).

    `mark`: a watermark, across every page of paper, and in a workbook over the table and at the head of each printed page.
    """

    name: str
    head: list[str]
    rows: list[list[Cell]]
    note: str = ""
    mark: str = ""


def as_csv(table: Table) -> bytes:
    """UTF-8 with a mark, so that Excel reads Kazakh letters; semicolons, as Excel of this country expects."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([guard(cell) for cell in table.head])
    for row in table.rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    if table.note:
        writer.writerows([[], [guard(table.note)]])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(table: Table) -> bytes:
    """Typed strings, no formulas, no links; the head stays in sight and filters."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(table.name[:31].translate(str.maketrans("[]:*?/\\", "       ")) or "1")
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EAF3F7"})
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        minute = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        top = 1 if table.mark else 0
        if table.mark:
            sheet.write_string(0, 0, table.mark, book.add_format({"italic": True, "font_color": "#5C6B78"}))
            # An ampersand begins a code in a header.
            sheet.set_header(f"&C{table.mark.replace('&', '&&')}"[:HEADER_LENGTH])
        for column, name in enumerate(table.head):
            sheet.write_string(top, column, name, head)
            widest = max((len(str(row[column] or "")) for row in table.rows[:500]), default=0)
            sheet.set_column(column, column, min(48, max(len(name), widest) + 3))
        for line, row in enumerate(table.rows, top + 1):
            for column, cell in enumerate(row):
                if isinstance(cell, bool):
                    sheet.write_boolean(line, column, cell)
                elif isinstance(cell, (int, float)):
                    sheet.write_number(line, column, cell)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(line, column, cell.astimezone(ASTANA).replace(tzinfo=None), minute)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
                elif cell is not None:
                    sheet.write_string(line, column, cell)
        if table.note:
            sheet.write_string(top + len(table.rows) + 2, 0, table.note)
        sheet.freeze_panes(top + 1, 0)
        sheet.autofilter(top, 0, top + max(1, len(table.rows)), max(0, len(table.head) - 1))
    return out.getvalue()


def download(body: bytes, name: str, kind: str) -> Response[bytes]:
    """A file for the person's folder; its name may be Kazakh."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "x-content-type-options": "nosniff",
    }
    return Response(body, media_type=kind, headers=headers)


def export(table: Table, form: str) -> Response[bytes]:
    """The table as `csv` or `xlsx`."""
    if form == "csv":
        return download(as_csv(table), f"{table.name}.csv", CSV_TYPE)
    return download(as_xlsx(table), f"{table.name}.xlsx", XLSX_TYPE)


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(ASTANA).strftime("%d.%m.%Y %H:%M")
    if isinstance(cell, date):
        return cell.strftime("%d.%m.%Y")
    if isinstance(cell, float):
        return str(cell).replace(".", ",")
    return guard(cell) if isinstance(cell, str) else str(cell)
