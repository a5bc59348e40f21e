"""Where Pillow or OpenCV meets what a phone sent: what a file says of its size, and what is in it, may be two things."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

from PIL import Image

from proctoring.images import MOST_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnreadableError(Exception):
    """What was stored is no picture that can be decoded."""


@contextlib.contextmanager
def opened(body: bytes) -> Iterator[Image.Image]:
    """The picture before a pixel of it is decoded; UnreadableError: none, one that is too large, or one that breaks within."""
    try:
        with Image.open(io.BytesIO(body), formats=["WEBP", "JPEG"]) as image:
            if max(image.size) > MOST_SIDE:
                raise UnreadableError
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableError from error
