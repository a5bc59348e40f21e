"""The consent on paper: two pages at the most, with boxes, a line for the name and one for the signature."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from portal.core.consents import PURPOSES
from portal.core.files.fonts import BOLD, PLAIN, register_fonts
from portal.core.i18n import N_, t

if TYPE_CHECKING:
    from typing import Any

    from reportlab.pdfgen.canvas import Canvas

    from portal.core.consents.texts import Version

INK, LINE = HexColor("#1b2530"), HexColor("#5c6b78")
MARGIN = 18 * mm
BOX = 4.5 * mm


def as_form(text: Version, language: str) -> bytes:
    """The file, in one language."""
    register_fonts()
    plain = ParagraphStyle("plain", fontName=PLAIN, fontSize=10, leading=13.5, textColor=INK, alignment=TA_LEFT)
    bold = ParagraphStyle("bold", parent=plain, fontName=BOLD)
    title = ParagraphStyle("title", parent=bold, fontSize=15, leading=20, spaceAfter=3 * mm)
    small = ParagraphStyle("small", parent=plain, fontSize=8.5, leading=11, textColor=LINE)
    body: list[Any] = [Paragraph(escape(t(N_("Consent of a parent or guardian"))), title)]
    body += [_line(t(name), small) for name in (N_("Child: last name, first name, birth date"), N_("School and class"))]
    body += [_line(t(N_("Parent or guardian: name, and mother, father or guardian")), small), Spacer(1, 3 * mm)]
    body += [Paragraph(escape(text.texts["whole"][language]), plain), Spacer(1, 3 * mm)]
    body += [_purpose(t(name), text.texts[code][language], plain, bold) for code, name in PURPOSES.items()]
    body += [Spacer(1, 3 * mm), Paragraph(escape(t(N_("Tick what you agree to, and sign."))), plain), Spacer(1, 8 * mm)]
    body += [_line(t(N_("Signature, date")), small)]
    foot = t(N_("Version of the text: {version}"), version=text.version)
    if text.draft:
        foot += " · " + t(N_("Draft, to be checked by a lawyer"))

    def draw_foot(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(PLAIN, 8)
        canvas.setFillColor(LINE)
        canvas.drawString(MARGIN, 9 * mm, foot)

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=t(N_("Consent of a parent or guardian")),
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=15 * mm,
        bottomMargin=16 * mm,
    )
    document.build(body, onFirstPage=draw_foot, onLaterPages=draw_foot)
    return out.getvalue()


def _line(name: str, style: ParagraphStyle) -> Table:
    """A line to write on, its name below."""
    made = Table([[""], [Paragraph(escape(name), style)]], colWidths=[A4[0] - 2 * MARGIN], rowHeights=[8 * mm, None])
    made.setStyle([("LINEABOVE", (0, 1), (-1, 1), 0.5, LINE), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    return made


def _purpose(name: str, text: str, plain: ParagraphStyle, bold: ParagraphStyle) -> Table:
    """An empty box, and what it stands for."""
    box = Table([[""]], colWidths=[BOX], rowHeights=[BOX])
    box.setStyle([("BOX", (0, 0), (-1, -1), 0.8, INK)])
    words = [Paragraph(escape(name), bold), Paragraph(escape(text), plain)]
    made = Table([[box, words]], colWidths=[9 * mm, A4[0] - 2 * MARGIN - 9 * mm])
    made.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    return made
