"""The viewer's name and the time, in the pixels: a picture that leaves the wall says through whom (SAFETY R4)."""

from __future__ import annotations

import functools
import io
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from datetime import datetime

SMALL = (160, 120)
QUALITY = 78
# Every so many pixels of height another line: cutting the picture leaves one.
LINE_EVERY = 60
INK, SHADE = (255, 255, 255, 110), (0, 0, 0, 110)


class UnreadableError(Exception):
    """What was stored is no picture that can be decoded."""


def shown(body: bytes, by: str, at: datetime, *, small: bool) -> bytes:
    """The picture as this viewer gets it: WebP."""
    try:
        with Image.open(io.BytesIO(body), formats=["WEBP", "JPEG"]) as opened:
            if small:
                opened.draft("RGB", SMALL)
                opened.thumbnail(SMALL)
            image = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableError from error
    text = f"{by} · {at:%Y-%m-%d %H:%M:%S}"
    size = max(9, image.height // 22)
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for number, y in enumerate(range(4, max(5, image.height - size), max(size * 3, LINE_EVERY))):
        x = 4 if number % 2 == 0 else max(4, image.width // 4)
        draw.text((x + 1, y + 1), text, font=_font(size), fill=SHADE)
        draw.text((x, y), text, font=_font(size), fill=INK)
    out = io.BytesIO()
    Image.alpha_composite(image, layer).convert("RGB").save(out, "WEBP", quality=QUALITY, method=0)
    return out.getvalue()


@functools.lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    with as_file(files("font_roboto") / "files" / "Roboto-Regular.ttf") as path:
        return ImageFont.truetype(io.BytesIO(path.read_bytes()), size)
