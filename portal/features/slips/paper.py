"""The PDF: one strip a pupil, eight a page, cut along the dotted lines."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import qrcode
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from engine.codes import show_code
from portal.core.files.fonts import BOLD, PLAIN, register_fonts
from portal.core.i18n import N_, in_language, of, t, when

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.core.i18n import Language
    from portal.features.slips.structs import Slip, SlipSheet

PAGE_WIDTH, PAGE_HEIGHT = A4
STRIPS = 8
MARGIN, HEAD, FOOT = 12 * mm, 12 * mm, 12 * mm
STRIP = (PAGE_HEIGHT - HEAD - FOOT) / STRIPS
QR = 27 * mm
INK, QUIET, SKY, LINE = HexColor("#1b2530"), HexColor("#5c6b78"), HexColor("#0079a8"), HexColor("#9aa7b2")
HOW = N_("Open the address or point the camera. Type the code, then the day and month of your birth.")


def slips_pdf(sheet: SlipSheet, slips: Sequence[Slip], codes: Mapping[int, str]) -> bytes:
    """The file. Slips speak their pupil's language, head and foot the printer's."""
    register_fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle(of(sheet.title))
    canvas.setAuthor(sheet.printed_by)
    # A page holds one school only, so that a pile can be parted without reading names.
    pages = _pages(slips)
    for number, page in enumerate(pages, 1):
        _frame(canvas, sheet, page[0], number, len(pages))
        for place, slip in enumerate(page):
            with in_language(_language(slip)):
                _strip(canvas, sheet, slip, codes[slip.participant_id], PAGE_HEIGHT - HEAD - (place + 1) * STRIP)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _language(slip: Slip) -> Language:
    return "ru" if slip.language == "ru" else "en" if slip.language == "en" else "kk"


def _pages(slips: Sequence[Slip]) -> list[list[Slip]]:
    pages: list[list[Slip]] = []
    for slip in slips:
        if not pages or len(pages[-1]) == STRIPS or pages[-1][0].school != slip.school:
            pages.append([])
        pages[-1].append(slip)
    return pages


def _frame(canvas: Canvas, sheet: SlipSheet, first: Slip, number: int, pages: int) -> None:
    canvas.setFillColor(QUIET)
    canvas.setFont(PLAIN, 8)
    canvas.drawString(
        MARGIN, PAGE_HEIGHT - 8 * mm, _fit(f"{of(first.school)} · {of(sheet.title)}", 8, PAGE_WIDTH - 2 * MARGIN)
    )
    printed = t(
        N_("Printed by {name}, {when}. Keep these slips as you keep keys."),
        name=sheet.printed_by,
        when=sheet.printed_at,
    )
    canvas.drawString(MARGIN, 6 * mm, printed)
    canvas.drawRightString(PAGE_WIDTH - MARGIN, 6 * mm, t(N_("Page {page} of {pages}"), page=number, pages=pages))


def _strip(canvas: Canvas, sheet: SlipSheet, slip: Slip, code: str, bottom: float) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setDash(1, 3)
    canvas.line(0, bottom, PAGE_WIDTH, bottom)
    canvas.setDash()
    top = bottom + STRIP
    _qr(canvas, f"{sheet.player_url}#{code}", MARGIN, bottom + (STRIP - QR) / 2)
    left = MARGIN + QR + 6 * mm
    right = PAGE_WIDTH - MARGIN
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, 13)
    canvas.drawString(left, top - 9 * mm, f"{slip.first_name} {slip.initial}.")
    canvas.setFillColor(QUIET)
    canvas.setFont(PLAIN, 9)
    canvas.drawRightString(
        right, top - 9 * mm, t(N_("Class {grade}{letter}"), grade=slip.grade, letter=slip.class_letter)
    )
    canvas.drawString(left, top - 14 * mm, _fit(f"{of(sheet.title)}, {when(sheet.starts_at)}", 9, right - left))
    canvas.setFillColor(SKY)
    canvas.setFont(BOLD, 19)
    canvas.drawString(left, top - 22.5 * mm, show_code(code))
    canvas.setFillColor(INK)
    canvas.setFont(PLAIN, 9)
    canvas.drawRightString(
        right, top - 22 * mm, sheet.player_url.removeprefix("https://").removeprefix("http://").rstrip("/")
    )
    canvas.setFont(PLAIN, 8)
    canvas.drawString(left, top - 27.5 * mm, _fit(t(HOW), 8, right - left))
    canvas.setFillColor(QUIET)
    helper = t(N_("Help: {name}, {phone}"), name=sheet.help_name, phone=sheet.help_phone)
    canvas.drawString(left, top - 31.5 * mm, _fit(helper, 8, right - left))


def _qr(canvas: Canvas, text: str, x: float, y: float) -> None:
    code = qrcode.QRCode(border=0, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    cell = QR / len(matrix)
    path = canvas.beginPath()
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                path.rect(x + column * cell, y + QR - (row + 1) * cell, cell, cell)
    canvas.setFillColor(INK)
    canvas.drawPath(path, stroke=0, fill=1)


def _fit(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where the paper ends."""
    if stringWidth(text, PLAIN, size) <= width:
        return text
    while text and stringWidth(f"{text}…", PLAIN, size) > width:
        text = text[:-1]
    return f"{text}…"
