"""The viewer's name and the time, in the pixels: a picture that leaves the wall says through whom (SAFETY R4)."""

from __future__ import annotations

import functools
import io
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from proctoring.decoding import opened

if TYPE_CHECKING:
    from datetime import datetime

SMALL = (160, 120)
QUALITY = 78
# Every so many pixels of height another line: cutting the picture leaves one.
LINE_EVERY = 60
INK, SHADE, COVER = (255, 255, 255), (0, 0, 0), 130


def shown(body: bytes, by: str, at: datetime, *, small: bool) -> bytes:
    """The picture as this viewer gets it: WebP. UnreadableError: it cannot be decoded."""
    with opened(body) as found:
        if small:
            found.draft("RGB", SMALL)
            found.thumbnail(SMALL)
        image = found.convert("RGB")
    strip, mask = _line(f"{by} · {at:%Y-%m-%d %H:%M:%S}", max(9, image.height // 22))
    for number, y in enumerate(range(4, max(5, image.height - strip.height), max(strip.height * 2, LINE_EVERY))):
        image.paste(strip, (4 if number % 2 == 0 else max(4, image.width // 4), y), mask)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=0)
    return out.getvalue()


# A wall asks for two hundred in a second, for the same person: the line is drawn once.
@functools.lru_cache(maxsize=64)
def _line(text: str, size: int) -> tuple[Image.Image, Image.Image]:
    """The line in ink with its shade, and how much of it covers what is below."""
    font = _font(size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    strip = Image.new("RGB", (right - left + 2, bottom - top + 2))
    mask = Image.new("L", strip.size)
    for offset, ink in ((1, SHADE), (0, INK)):
        at = (offset - left, offset - top)
        ImageDraw.Draw(strip).text(at, text, font=font, fill=ink)
        ImageDraw.Draw(mask).text(at, text, font=font, fill=COVER)
    return strip, mask


@functools.lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files("font_roboto") / "files" / "Roboto-Regular.ttf") as path:
        return ImageFont.truetype(io.BytesIO(path.read_bytes()), size)
