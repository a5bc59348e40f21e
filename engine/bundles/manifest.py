"""What a bundle is made of, as its readers know it (docs/protocol.md)."""

from __future__ import annotations

from typing import Literal

import msgspec


class BundleFile(msgspec.Struct, frozen=True, kw_only=True):
    """An encrypted file. `name` is the SHA-256 of its bytes, `id` what its key is derived from."""

    id: str
    name: str
    size: int
    section: int
    language: str
    kind: Literal["text", "media"]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a bundle before T0: names and sizes (SAFETY D3)."""

    version: int
    form: int
    languages: list[str]
    sections: list[int]
    files: list[BundleFile]


# There is no field here for a key, points, a tolerance or accepted variants, and a law test keeps it so.


class BundleOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An option of a choice or of a gap."""

    id: int
    text: str | None = None
    picture: str | None = None
    alt: str | None = None


class BundleGap(msgspec.Struct, frozen=True, kw_only=True):
    """A drop-down in the prompt."""

    id: str
    options: list[BundleOption]


class BundleItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item in one language as the player gets it."""

    id: int
    kind: str
    prompt: str
    group: int | None = None
    stimulus: str | None = None
    fixed_order: bool = False
    options: list[BundleOption] | None = None
    gaps: list[BundleGap] | None = None
    unit: str | None = None


class SectionText(msgspec.Struct, frozen=True, kw_only=True):
    """The plain content of a `text` file."""

    section: int
    language: str
    title: str
    items: list[BundleItem]
