"""Packing a form: items and pictures become encrypted files, keys are sealed, nothing tells a right answer.

- Items and options get random ids and options a random stored order; pictures get neutral names (SAFETY J1).
- Every file has its own key, HKDF of its section's and language's key; these are sealed to the release service (D3).
- The packer has no access to the answer keys: they lie in a schema that its database role cannot read (J6).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.public import PublicKey, SealedBox

from engine.bundles.clean import UncleanError, clean_html, clean_svg
from engine.bundles.manifest import BundleFile, BundleGap, BundleItem, BundleOption, Manifest, SectionText
from engine.rooms.blob import join_blobs, make_codes
from infra.local import encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ID_SPACE = 2**16
FILE_INFO = b"elumiti/file/"
ANY_LANGUAGE = "*"
PICTURES = frozenset({"image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif"})
Text = dict[str, str]


class AuthoredOption(msgspec.Struct, frozen=True, kw_only=True):
    """An option as authored; `code` is its author's letter and never leaves the server."""

    code: str
    text: Text | None = None
    picture: str | None = None
    alt: Text | None = None


class AuthoredGap(msgspec.Struct, frozen=True, kw_only=True):
    """A drop-down as authored."""

    code: str
    options: list[AuthoredOption]


class AuthoredItem(msgspec.Struct, frozen=True, kw_only=True):
    """`form_item.content`. Fields that are not named here (what follows from the key) never reach a bundle."""

    kind: str
    prompt: Text
    stimulus: Text | None = None
    stimulus_id: str | None = None
    options: list[AuthoredOption] = []
    gaps: list[AuthoredGap] = []
    unit: Text | None = None
    fixed_order: bool = False


class SourceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `form_item`."""

    code: str
    section: int
    content: AuthoredItem


class SourceForm(msgspec.Struct, frozen=True, kw_only=True):
    """All that the packer reads."""

    id: int
    languages: list[str]
    sections: dict[int, Text]
    items: list[SourceItem]
    media: dict[str, tuple[str, bytes]]


class MappedItem(msgspec.Struct, frozen=True, kw_only=True):
    """How the ids of one packing map back to the author's letters (`form_pack.item_map`).

    `options`: letter → id; for a drop-down gap → letter → id.
    """

    id: int
    section: int
    options: dict[str, int | dict[str, int]]


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A packed form: its files by name, the manifest's name, the map back, the sealed keys.

    `rooms`: number → (sealed code, name of its blob); `room_blobs`: the file that holds all blobs, "" without rooms.
    """

    files: dict[str, bytes]
    manifest: str
    item_map: dict[str, MappedItem]
    sealed_keys: dict[tuple[int, str], bytes]
    rooms: dict[int, tuple[bytes, str]] = {}
    room_blobs: str = ""


def pack(
    form: SourceForm, release_public_key: bytes, rooms: int = 0, progress: Callable[[int], None] = lambda _done: None
) -> Packed:
    """Pack a form under fresh keys, ids and orders, with as many room codes; `progress` hears how many are made."""
    return _Packer(form, SealedBox(PublicKey(release_public_key))).pack(rooms, progress)


def file_key(section_key: bytes, file_id: str) -> bytes:
    """Key of one file: HKDF-SHA-256, empty salt (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=FILE_INFO + file_id.encode()).derive(section_key)


def open_file(section_key: bytes, file_id: str, body: bytes) -> bytes:
    """The plain content of a bundle's file; what players do, here for tests and for `elumiti doctor`."""
    return gzip.decompress(AESGCM(file_key(section_key, file_id)).decrypt(body[:12], body[12:], file_id.encode()))


class _Packer:
    def __init__(self, form: SourceForm, box: SealedBox) -> None:
        self._form = form
        self._box = box
        self._keys = {
            (section, language): os.urandom(32)
            for section in form.sections
            for language in (*form.languages, ANY_LANGUAGE)
        }
        self._contents: dict[str, bytes] = {}
        self._files: list[BundleFile] = []
        self._media_ids: dict[tuple[int, str], str] = {}
        self._taken: set[int] = set()
        self._groups: dict[str, int] = {}
        self._map = {item.code: self._mapped(item) for item in form.items}

    def pack(self, rooms: int, progress: Callable[[int], None]) -> Packed:
        for section in sorted(self._form.sections):
            for language in self._form.languages:
                self._add_text(section, language)
        # In random order: the place of a file in the manifest tells nothing of where it is used.
        secrets.SystemRandom().shuffle(self._files)
        manifest = Manifest(
            version=1,
            form=self._form.id,
            languages=self._form.languages,
            sections=sorted(self._form.sections),
            files=self._files,
        )
        body = msgspec.json.encode(manifest)
        name = hashlib.sha256(body).hexdigest()
        self._contents[name] = body
        sealed = {key_of: bytes(self._box.encrypt(key)) for key_of, key in self._keys.items()}
        # Here and nowhere else are the keys in clear before T0, so the rooms' codes are made with the form (SAFETY D3).
        keys = {f"{section}/{language}": encode_key(key) for (section, language), key in self._keys.items()}
        codes = make_codes(rooms, name, keys, progress)
        joined = join_blobs(codes)
        room_blobs = hashlib.sha256(joined).hexdigest() if codes else ""
        if codes:
            self._contents[room_blobs] = joined
        return Packed(
            files=self._contents,
            manifest=name,
            item_map=self._map,
            sealed_keys=sealed,
            rooms={room.number: (bytes(self._box.encrypt(room.code.encode())), room.name) for room in codes},
            room_blobs=room_blobs,
        )

    def _add_text(self, section: int, language: str) -> None:
        items: list[BundleItem] = []
        for item in self._form.items:
            if item.section == section:
                try:
                    items.append(self._item(item, language))
                except UncleanError as error:
                    raise UncleanError(f"Item {item.code} ({language}): {error}") from error
                except KeyError as error:
                    raise UncleanError(f"Item {item.code}: no text in language {error}.") from error
        title = self._form.sections[section].get(language)
        if title is None:
            raise UncleanError(f"Section {section}: no title in language «{language}».")
        text = SectionText(section=section, language=language, title=title, items=items)
        self._add_file(section, language, "text", msgspec.json.encode(text))

    def _add_file(self, section: int, language: str, kind: str, plain: bytes) -> str:
        file_id = secrets.token_hex(8)
        nonce = os.urandom(12)
        squeezed = gzip.compress(plain, 9, mtime=0)
        cipher = AESGCM(file_key(self._keys[section, language], file_id))
        body = nonce + cipher.encrypt(nonce, squeezed, file_id.encode())
        name = hashlib.sha256(body).hexdigest()
        self._contents[name] = body
        meant = {"id": file_id, "name": name, "size": len(body), "section": section, "language": language, "kind": kind}
        self._files.append(msgspec.convert(meant, BundleFile))
        return file_id

    def _media(self, section: int) -> Callable[[str], str]:
        """Authored picture name → id of its file in this section; the file is made at its first use."""

        def media_id(name: str) -> str:
            known = self._media_ids.get((section, name))
            if known is not None:
                return known
            if name not in self._form.media:
                raise UncleanError(f"there is no picture «{name}» in the form.")
            kind, picture = self._form.media[name]
            if kind not in PICTURES:
                raise UncleanError(f"{name}: {kind} is not a kind of picture that players show.")
            if kind == "image/svg+xml":
                picture = clean_svg(picture, name)
            plain = bytes([len(kind)]) + kind.encode("ascii") + picture
            made = self._add_file(section, ANY_LANGUAGE, "media", plain)
            self._media_ids[section, name] = made
            return made

        return media_id

    def _item(self, item: SourceItem, language: str) -> BundleItem:
        content, mapped = item.content, self._map[item.code]
        media = self._media(item.section)
        return BundleItem(
            id=mapped.id,
            kind=content.kind,
            group=self._group(content.stimulus_id),
            stimulus=clean_html(content.stimulus[language], media) if content.stimulus else None,
            prompt=clean_html(content.prompt[language], media),
            fixed_order=content.fixed_order,
            options=self._options(content, content.options, mapped.options, language, media)
            if content.options
            else None,
            gaps=[
                BundleGap(id=gap.code, options=self._options(content, gap.options, ids, language, media))
                for gap in content.gaps
                if isinstance(ids := mapped.options[gap.code], dict)
            ]
            or None,
            unit=content.unit[language] if content.unit else None,
        )

    def _options(
        self,
        content: AuthoredItem,
        options: Sequence[AuthoredOption],
        ids: Mapping[str, int | dict[str, int]],
        language: str,
        media: Callable[[str], str],
    ) -> list[BundleOption]:
        made = [
            BundleOption(
                id=_number(ids[option.code]),
                text=clean_html(option.text[language], media) if option.text else None,
                picture=media(option.picture) if option.picture else None,
                alt=option.alt[language] if option.alt else None,
            )
            for option in options
        ]
        # Stored by the random id: a random order, the same in every language. A natural order stays as it is.
        return made if content.fixed_order else sorted(made, key=lambda option: option.id)

    def _mapped(self, item: SourceItem) -> MappedItem:
        content = item.content
        return MappedItem(
            id=self._draw_id(self._taken),
            section=item.section,
            options=dict(self._drawn(content.options, ordered=content.fixed_order))
            | {gap.code: self._drawn(gap.options, ordered=content.fixed_order) for gap in content.gaps},
        )

    def _drawn(self, options: Sequence[AuthoredOption], *, ordered: bool) -> dict[str, int]:
        taken: set[int] = set()
        drawn = [self._draw_id(taken) for _ in options]
        return {
            option.code: number for option, number in zip(options, sorted(drawn) if ordered else drawn, strict=True)
        }

    @staticmethod
    def _draw_id(taken: set[int]) -> int:
        while (number := secrets.randbelow(ID_SPACE)) in taken:
            pass
        taken.add(number)
        return number

    def _group(self, stimulus: str | None) -> int | None:
        if stimulus is None:
            return None
        if stimulus not in self._groups:
            self._groups[stimulus] = self._draw_id(set(self._groups.values()))
        return self._groups[stimulus]


def _number(option: int | dict[str, int]) -> int:
    assert isinstance(option, int)
    return option


def read_item(code: str, content: str | bytes) -> AuthoredItem:
    """`form_item.content` as a struct; extra fields (authors' notes, limits that follow from the key) are dropped."""
    try:
        return msgspec.json.decode(content, type=AuthoredItem)
    except msgspec.ValidationError as error:
        raise UncleanError(f"Item {code}: {error}.") from error
