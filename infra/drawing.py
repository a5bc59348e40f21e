"""Pictures out of files that people sent, made in a child process of little memory and time.

What a hostile file does to a decoder ends with the child. `draw` is the parent's side. A photo becomes two squares, a
document (of a PDF the first page) two previews; all is encoded anew as WebP, so that no metadata and no byte of the file
is passed on.
"""

from __future__ import annotations

import asyncio
import io
import resource
import sys
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.Image import Image

PDF, JPEG, PNG, WEBP = "application/pdf", "image/jpeg", "image/png", "image/webp"
PHOTO, PREVIEW = "photo", "preview"
LARGE, SMALL = 480, 96
PAGE, THUMB = 1400, 320
LEAST_SIDE, MOST_PIXELS = 96, 40_000_000
MEMORY_BYTES, CPU_S, LIMIT_S = 2**30, 20, 30.0
UNREADABLE = 3
AT_ONCE = asyncio.Semaphore(2)


class UnreadableError(Exception):
    """The file is no picture that we can show: broken, too small, too large, or it took too long."""


def media_of(body: bytes) -> str | None:
    """What a file is by its content, whatever it is called; None: nothing that we take."""
    if body.startswith(b"%PDF-"):
        return PDF
    if body.startswith(b"\xff\xd8\xff"):
        return JPEG
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return WEBP if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None


async def draw(kind: str, body: bytes) -> tuple[bytes, bytes]:
    """The larger and the smaller picture; UnreadableError if it cannot be."""
    async with AT_ONCE:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.drawing", kind),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # No secret of ours is in the child's reach.
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        )
        try:
            async with asyncio.timeout(LIMIT_S):
                out, _ = await child.communicate(body)
        except TimeoutError as error:
            raise UnreadableError from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    if child.returncode != 0:
        raise UnreadableError
    return msgspec.msgpack.decode(out, type=tuple[bytes, bytes])


def main(kind: str) -> None:
    """The child: a file comes in, two pictures go out."""
    body = sys.stdin.buffer.read()
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if media_of(body) == PDF:
        if kind == PHOTO:
            sys.exit(UNREADABLE)
        picture = _first_page(body)
    else:
        opened = Image.open(io.BytesIO(body), formats=["JPEG", "PNG", "WEBP"])
        if opened.width * opened.height > MOST_PIXELS or min(opened.size) < (LEAST_SIDE if kind == PHOTO else 1):
            sys.exit(UNREADABLE)
        opened.draft("RGB", (2 * PAGE, 2 * PAGE))
        picture = _on_white(ImageOps.exif_transpose(opened))
    if kind == PHOTO:
        # Faces are above the middle.
        made = [ImageOps.fit(picture, (side, side), centering=(0.5, 0.35)) for side in (LARGE, SMALL)]
    else:
        made = [ImageOps.contain(picture, (min(side, picture.width), 2 * side)) for side in (PAGE, THUMB)]
    sys.stdout.buffer.write(msgspec.msgpack.encode([_webp(one) for one in made]))


def _first_page(body: bytes) -> Image:
    import pypdfium2

    document = pypdfium2.PdfDocument(body)
    page = document[0]
    width, height = page.get_size()
    scale = min(PAGE / max(width, 1), 2 * PAGE / max(height, 1), 8)
    return page.render(scale=scale).to_pil().convert("RGB")


def _on_white(picture: Image) -> Image:
    """Without transparency, which would show as black."""
    from PIL import Image

    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        whole = picture.convert("RGBA")
        ground = Image.new("RGBA", whole.size, "white")
        ground.alpha_composite(whole)
        return ground.convert("RGB")
    return picture.convert("RGB")


def _webp(picture: Image) -> bytes:
    out = io.BytesIO()
    # A new picture of the same pixels: whatever else the file said stays behind.
    from PIL import Image

    clean = Image.frombytes("RGB", picture.size, picture.tobytes())
    clean.save(out, "WEBP", quality=82)
    return out.getvalue()


if __name__ == "__main__":
    main(sys.argv[1])
