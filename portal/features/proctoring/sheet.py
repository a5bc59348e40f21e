"""A case on paper: A4 upright, lines of text, then two pictures a row; its reader and purpose at the foot of each page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import msgspec
from PIL import Image as Raster
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from portal.core.files.fonts import BOLD, PLAIN, register_fonts
from portal.core.files.paper import INK, LINE, MARGIN, QUIET

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

WIDTH = 86 * mm


class Shown(msgspec.Struct, frozen=True):
    """A picture as it was given for this reader."""

    seq: int
    taken_ms: int
    body: bytes
    caption: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """Texts are in the reader's language already."""

    title: str
    note: str
    facts: list[tuple[str, str]]
    parts: list[tuple[str, list[str]]]
    pictures: list[Shown]
    pictures_title: str
    nothing: str
    no_pictures: str


def as_pdf(sheet: Sheet) -> bytes:
    """The file."""
    register_fonts()
    out = io.BytesIO()
    text = ParagraphStyle("text", fontName=PLAIN, fontSize=9.5, leading=13, textColor=INK)
    quiet = ParagraphStyle("quiet", parent=text, textColor=QUIET)
    head = ParagraphStyle("head", parent=text, fontName=BOLD, fontSize=12, leading=16, spaceBefore=8, spaceAfter=3)
    title = ParagraphStyle("title", parent=text, fontName=BOLD, fontSize=18, leading=24, spaceAfter=6)
    facts = Table(
        [[Paragraph(escape(name), quiet), Paragraph(escape(value), text)] for name, value in sheet.facts],
        colWidths=[48 * mm, None],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)],
    )
    body: list[Any] = [Paragraph(escape(sheet.title), title), facts]
    for name, lines in sheet.parts:
        body.append(Paragraph(escape(name), head))
        body += [Paragraph(escape(line), text) for line in lines] or [Paragraph(escape(sheet.nothing), quiet)]
    if sheet.pictures:
        body.append(Paragraph(escape(sheet.pictures_title), head))
    else:
        # A heading over nothing reads like a page that was lost.
        body += [Spacer(1, 4 * mm), Paragraph(escape(sheet.no_pictures), quiet)]
    cells = [[_image(one), Paragraph(escape(one.caption), quiet)] for one in sheet.pictures]
    for start in range(0, len(cells), 2):
        row = cells[start : start + 2]
        body.append(
            KeepTogether([Table([row + [""] * (2 - len(row))], colWidths=[WIDTH + 6 * mm] * 2), Spacer(1, 2 * mm)])
        )

    def foot(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(PLAIN, 7.5)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN, 7 * mm, sheet.note)
        canvas.drawRightString(A4[0] - MARGIN, 7 * mm, str(canvas.getPageNumber()))

    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=sheet.title,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=14 * mm,
        bottomMargin=14 * mm,
    )
    document.build(body, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _image(one: Shown) -> Image:
    """PDF knows no WebP: the pixels go in as JPEG."""
    made = io.BytesIO()
    with Raster.open(io.BytesIO(one.body)) as opened:
        image = opened.convert("RGB")
    image.save(made, "JPEG", quality=85)
    made.seek(0)
    width = WIDTH
    height = width * image.height / image.width
    if height > 110 * mm:
        width, height = width * 110 * mm / height, 110 * mm
    return Image(made, width=width, height=height)
