"""Forms for the packer's tests: authored in memory, opened again as a player opens them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec
from nacl.public import PrivateKey, SealedBox

from engine.bundles.manifest import Manifest, SectionText
from engine.bundles.pack import AuthoredItem, AuthoredOption, Packed, SourceForm, SourceItem, open_file, pack

if TYPE_CHECKING:
    from collections.abc import Iterable

RELEASE = PrivateKey.generate()
LANGUAGES = ["kk", "ru"]


class Opened(msgspec.Struct, kw_only=True):
    """A bundle after T0: its texts by (section, language), its media by id."""

    manifest: Manifest
    texts: dict[tuple[int, str], SectionText]
    media: dict[str, tuple[str, bytes]]


def two(text: str) -> dict[str, str]:
    """A text in the form's two languages."""
    return dict.fromkeys(LANGUAGES, text)


def item(code: str, prompt: str = "<p>?</p>", options: Iterable[AuthoredOption] = (), **more: object) -> SourceItem:
    """An authored item in section 1."""
    known = {"kind": "single", "prompt": two(prompt)} | more
    return SourceItem(code=code, section=1, content=AuthoredItem(options=list(options), **known))  # type: ignore[arg-type]


def form(items: list[SourceItem], media: dict[str, tuple[str, bytes]] | None = None) -> SourceForm:
    """A form of one section."""
    return SourceForm(id=1, languages=LANGUAGES, sections={1: two("I")}, items=items, media=media or {})


def packed(source: SourceForm) -> Packed:
    """Packed to a release key of ours."""
    return pack(source, bytes(RELEASE.public_key))


def opened(bundle: Packed) -> Opened:
    """What a player makes of it at T0, by docs/protocol.md alone."""
    manifest = msgspec.json.decode(bundle.files[bundle.manifest], type=Manifest)
    box = SealedBox(RELEASE)
    key = functools.cache(lambda section, language: box.decrypt(bundle.sealed_keys[section, language]))
    texts: dict[tuple[int, str], SectionText] = {}
    media: dict[str, tuple[str, bytes]] = {}
    for file in manifest.files:
        plain = open_file(key(file.section, file.language), file.id, bundle.files[file.name])
        if file.kind == "text":
            texts[file.section, file.language] = msgspec.json.decode(plain, type=SectionText)
        else:
            size = plain[0]
            media[file.id] = (plain[1 : 1 + size].decode("ascii"), plain[1 + size :])
    return Opened(manifest=manifest, texts=texts, media=media)
