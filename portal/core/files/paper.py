"""A table on paper: A4 across, the head on every page, who it is for at the foot of each (SAFETY P1)."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate

from portal.core.files.fonts import BOLD, PLAIN, register_fonts
from portal.core.i18n import ASTANA

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

    from portal.core.files.tables import Cell, Table

PDF_TYPE = "application/pdf"
INK, QUIET, SKY, LINE = HexColor("#1b2530"), HexColor("#5c6b78"), HexColor("#eaf3f7"), HexColor("#dfe3e6")
MARGIN = 12 * mm
# What is wider than this many letters is broken into lines.
WIDEST = 34


def as_pdf(table: Table) -> bytes:
    """The file."""
    register_fonts()
    out = io.BytesIO()
    cell = ParagraphStyle("cell", fontName=PLAIN, fontSize=8, leading=10, textColor=INK)
    head = ParagraphStyle("head", parent=cell, fontName=BOLD)
    lines = [[Paragraph(escape(name), head) for name in table.head]]
    lines += [[Paragraph(escape(_text(value)), cell) for value in row] for row in table.rows]
    width, height = landscape(A4)
    widths = _widths(table, width - 2 * MARGIN)
    body = LongTable(lines, colWidths=widths, repeatRows=1)
    body.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), SKY),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )

    def foot(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(BOLD, 11)
        canvas.setFillColor(INK)
        canvas.drawString(MARGIN, height - 10 * mm, table.name)
        canvas.setFont(PLAIN, 7.5)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN, 7 * mm, table.note)
        canvas.drawRightString(width - MARGIN, 7 * mm, str(canvas.getPageNumber()))
        _watermark(canvas, table.mark, width, height)

    document = SimpleDocTemplate(
        out,
        pagesize=(width, height),
        title=table.name,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=16 * mm,
        bottomMargin=14 * mm,
    )
    document.build([body], onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _watermark(canvas: Canvas, mark: str, width: float, height: float) -> None:
    """Across the page, three times, so that no cut of it is without; pale enough to read through."""
    if not mark:
        return
    canvas.saveState()
    # A long name makes it smaller, never cut.
    canvas.setFont(BOLD, min(20, 0.9 * width / canvas.stringWidth(mark, BOLD, 1)))
    canvas.setFillColor(INK, alpha=0.1)
    for part in (0.2, 0.5, 0.8):
        canvas.saveState()
        canvas.translate(width / 2, height * part)
        canvas.rotate(12)
        canvas.drawCentredString(0, 0, mark)
        canvas.restoreState()
    canvas.restoreState()


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(ASTANA).strftime("%d.%m.%Y %H:%M")
    return value.strftime("%d.%m.%Y") if isinstance(value, date) else str(value)


def _widths(table: Table, room: float) -> list[float]:
    """By what stands in each column; the whole width is used."""
    longest = [
        max(6, min(WIDEST, max([len(name), *(len(_text(row[place])) for row in table.rows[:300])])))
        for place, name in enumerate(table.head)
    ]
    return [room * letters / sum(longest) for letters in longest]
