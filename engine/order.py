"""In which order an attempt sees items and options: docs/protocol.md, «Order», as the player draws it (SAFETY D4).

The player's own code is engine/player/src/order.ts; both are tested against engine/player/vectors/order.json.
"""

from __future__ import annotations

import hmac
import struct
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine.bundles.manifest import BundleGap, BundleItem, SectionText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

SEED = struct.Struct(">4I")
DISCARDED = 12
WORD = 0xFFFFFFFF


def attempt_seed(order_key: bytes, sitting: int, attempt: int) -> bytes:
    """128 bits: neighbours, siblings and consecutive attempts share nothing, and who lacks the key can't tell them."""
    return hmac.digest(order_key, b"order:%d:%d" % (sitting, attempt), "sha256")[:16]


def sfc32(seed: bytes) -> Callable[[], int]:
    """The generator from four big-endian words, its first outputs discarded; whole numbers below 2³²."""
    a, b, c, d = SEED.unpack(seed)

    def draw() -> int:
        nonlocal a, b, c, d
        t = (a + b + d) & WORD
        d = (d + 1) & WORD
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & WORD
        c = (((c << 21) | (c >> 11)) + t) & WORD
        return t

    for _ in range(DISCARDED):
        draw()
    return draw


def shuffle(things: Sequence[T], draw: Callable[[], int]) -> list[T]:
    """Fisher–Yates from the end, a new list."""
    out = list(things)
    for i in range(len(out) - 1, 0, -1):
        j = (draw() * (i + 1)) >> 32
        out[i], out[j] = out[j], out[i]
    return out


def grouped(items: Sequence[BundleItem]) -> list[list[BundleItem]]:
    """Items of one group together and in order; groups in order of first appearance."""
    groups: dict[tuple[str, int], list[BundleItem]] = {}
    for item in items:
        name = ("item", item.id) if item.group is None else ("group", item.group)
        groups.setdefault(name, []).append(item)
    return list(groups.values())


def draw_order(sections: Sequence[SectionText], seed: bytes) -> list[SectionText]:
    """All sections in ascending number, their groups and options as this seed shuffles them."""
    draw = sfc32(seed)
    drawn: list[SectionText] = []
    for section in sorted(sections, key=lambda each: each.section):
        groups = shuffle(grouped(section.items), draw)
        shown = {item.id: item if item.fixed_order else _mixed(item, draw) for item in section.items}
        items = [shown[item.id] for group in groups for item in group]
        drawn.append(msgspec.structs.replace(section, items=items))
    return drawn


def _mixed(item: BundleItem, draw: Callable[[], int]) -> BundleItem:
    options = shuffle(item.options, draw) if item.options else item.options
    gaps = [BundleGap(id=gap.id, options=shuffle(gap.options, draw)) for gap in item.gaps] if item.gaps else item.gaps
    return msgspec.structs.replace(item, options=options, gaps=gaps)
