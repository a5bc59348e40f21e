"""Small files of every kind that people send, drawn here."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas


def picture(form: str = "PNG", size: tuple[int, int] = (400, 300), *, mark: bytes = b"") -> bytes:
    """A picture; `mark` hides in its metadata as a phone's place and name do."""
    image = Image.new("RGB", size, "#d9edf5")
    ImageDraw.Draw(image).ellipse((size[0] // 3, size[1] // 4, size[0] // 2, size[1] // 2), fill="#f5b301")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = mark.decode() or "x"
    image.save(out, form, exif=exif.tobytes())
    return out.getvalue()


def pdf(text: str = "DIPLOMA") -> bytes:
    """A page."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(100, 700, text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()
