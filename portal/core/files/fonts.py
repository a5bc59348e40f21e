"""The fonts of PDFs: Golos Text has all Kazakh letters and the tenge; the build of portal/islands brings it."""

from __future__ import annotations

import functools

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from infra.errors import PlainError
from portal.core.ui.pages import STATIC

PLAIN, BOLD = "Golos", "Golos-Bold"
FILES = {PLAIN: "GolosText_400Regular.ttf", BOLD: "GolosText_600SemiBold.ttf"}


@functools.cache
def register_fonts() -> None:
    """Make both faces known to reportlab, once a process."""
    for name, file in FILES.items():
        path = STATIC / "dist" / file
        if not path.exists():
            what = f"The font {file} is not built."
            raise PlainError(what, "Run `npm ci --ignore-scripts && npm run build` in portal/islands.")
        pdfmetrics.registerFont(TTFont(name, str(path)))
