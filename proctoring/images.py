"""Is this a picture, and how large? From its first bytes, without decoding it: the hot path has 20 µs for all."""

from __future__ import annotations

LEAST_SIDE, MOST_SIDE = 16, 2048
JPEG, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
# Start of frame: all but DHT (c4), JPG (c8), DAC (cc), which only look like it.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Before the frame these have no length behind them, or are no marker: a decoder reads on where we would jump, and finds a
# frame of its own there.
BARE = frozenset({0x00, 0x01, *range(0xD0, 0xDB), 0xFF})
MOST_MARKERS = 64


def size_of(body: bytes) -> tuple[int, int] | None:
    """Width and height of a whole WebP or JPEG; None for anything else, also for one that was cut off."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        found = _webp(body)
    elif body[:3] == JPEG and body[-2:] == JPEG_END:
        found = _jpeg(body)
    else:
        return None
    if found is None or not all(LEAST_SIDE <= side <= MOST_SIDE for side in found):
        return None
    return found


def _webp(body: bytes) -> tuple[int, int] | None:
    if len(body) < 30 or int.from_bytes(body[4:8], "little") + 8 != len(body):
        return None
    kind = body[12:16]
    if kind == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(body[26:28], "little") & 0x3FFF, int.from_bytes(body[28:30], "little") & 0x3FFF
    if kind == b"VP8L" and body[20] == 0x2F:
        bits = int.from_bytes(body[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    # Moving pictures (bit 1) are none of ours.
    if kind == b"VP8X" and not body[20] & 2:
        return int.from_bytes(body[24:27], "little") + 1, int.from_bytes(body[27:30], "little") + 1
    return None


def _jpeg(body: bytes) -> tuple[int, int] | None:
    at, end = 2, len(body) - 9
    for _ in range(MOST_MARKERS):
        if at > end or body[at] != 0xFF:
            return None
        if body[at + 1] in FRAMES:
            return int.from_bytes(body[at + 7 : at + 9], "big"), int.from_bytes(body[at + 5 : at + 7], "big")
        if body[at + 1] in BARE:
            return None
        at += 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    return None
