"""Drawn pictures of a webcam for the demo: a room, a window, somebody without a face. Nobody exists.

Some rooms are dark, some are empty for a moment, in some a second person stands beside: what a proctor has to tell apart.
"""

from __future__ import annotations

import functools
import io
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from portal.demo.cards import CLOTHES, HAIR, SKIN
from portal.demo.people import SEED

WIDTH, HEIGHT = 320, 240
MOST_BYTES = 12 * 1024
# So many children look different; what is seen of them: a child keeps its room and its clothes.
LOOKS = 8
KINDS = ("alone", "turned", "down", "nobody", "two", "dark")
WALLS = ("#e9dfd0", "#d5e3e8", "#dfe6d3", "#eadbd6", "#d9d6e6")
CURTAINS = ("#b9705a", "#5f8f8b", "#c9a54c", "#7c83b5")


@functools.cache
def draw_room(look: int, kind: str) -> bytes:
    """One picture, small as phones send them; of a hundred that are wanted some two dozen are drawn."""
    random = Random(f"{SEED}-{look}")
    room = Image.new("RGB", (WIDTH * 2, HEIGHT * 2), random.choice(WALLS))
    pen = ImageDraw.Draw(room)
    _furnish(pen, random)
    light = random.choice((1.0, 0.92, 0.84))
    if kind == "two":
        _somebody(pen, Random(f"{SEED}-{look}-beside"), x=120 if look % 2 else 500, y=120, head=88)
    if kind == "nobody":
        _chair(pen)
    else:
        x, y = (378, 150) if kind == "turned" else (320, 190) if kind == "down" else (320, 150)
        _somebody(pen, random, x=x, y=y, head=128, bowed=kind == "down")
    pen.rectangle((0, 440, 640, 480), fill="#a97b4f")
    room = Image.blend(Image.new("RGB", room.size, "#0a0d16"), room, 0.2 if kind == "dark" else light)
    small = room.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6))
    # A sensor is never quite still.
    grain = Image.effect_noise((WIDTH, HEIGHT), 14).convert("RGB")
    out = io.BytesIO()
    Image.blend(small, grain, 0.05).save(out, "WEBP", quality=58)
    return out.getvalue()


def _furnish(pen: ImageDraw.ImageDraw, random: Random) -> None:
    """A window on one side, a shelf or a carpet on the other."""
    left = random.random() < 0.5
    x = 30 if left else 430
    pen.rectangle((x, 40, x + 180, 250), fill="#f8f5ec", outline="#8c7a63", width=6)
    pen.rectangle((x + 12, 52, x + 168, 238), fill=random.choice(("#bfe0f2", "#dbeef7", "#f6e3b8")))
    pen.line((x + 90, 40, x + 90, 250), fill="#8c7a63", width=6)
    curtain = random.choice(CURTAINS)
    for side in (x - 22, x + 162):
        pen.rectangle((side, 26, side + 40, 290), fill=curtain)
    other = 430 if left else 40
    if random.random() < 0.6:
        pen.rectangle((other, 150, other + 170, 166), fill="#8a6238")
        for book in range(7):
            tall = random.randrange(50, 90)
            pen.rectangle(
                (other + 8 + book * 22, 150 - tall, other + 26 + book * 22, 150), fill=random.choice(CLOTHES + CURTAINS)
            )
    else:
        pen.rectangle((other, 60, other + 170, 230), fill="#9c3f3a")
        for inset in (16, 34, 52):
            pen.rectangle(
                (other + inset, 60 + inset, other + 170 - inset, 230 - inset), outline=random.choice(CURTAINS), width=8
            )


def _somebody(pen: ImageDraw.ImageDraw, random: Random, *, x: int, y: int, head: int, bowed: bool = False) -> None:
    """Shoulders, neck, hair and a head without a face."""
    skin, hair, cloth = random.choice(SKIN), random.choice(HAIR), random.choice(CLOTHES)
    half, below = head // 2, y + head
    pen.ellipse((x - head, below + 6, x + head, below + 3 * head), fill=cloth)
    pen.rectangle((x - head // 6, below - 24, x + head // 6, below + 34), fill=skin)
    long = random.random() < 0.5
    pen.ellipse((x - half - 12, y - 26, x + half + 12, below - 20), fill=hair)
    if long:
        for left in (x - half - 12, x + half - 16):
            pen.rounded_rectangle((left, y + half - 10, left + 28, below + head // 2), 14, fill=hair)
    pen.ellipse((x - half, y - 6, x + half, below + 12), fill=skin)
    pen.pieslice((x - half - 8, y - 26, x + half + 8, y + (head if bowed else head * 3 // 5)), 180, 360, fill=hair)
    if bowed:
        pen.ellipse((x - half - 4, y - 20, x + half + 4, y + head * 2 // 3), fill=hair)


def _chair(pen: ImageDraw.ImageDraw) -> None:
    """Where the child sat a moment ago."""
    pen.rounded_rectangle((230, 210, 410, 470), 26, fill="#5a6b7b")
    pen.rounded_rectangle((250, 232, 390, 380), 18, fill="#6d8092")
