"""A segment: entries one after the other, in the spool and in the store the same bytes.

An entry is a head of 52 bytes, then nonce (12), ciphertext and tag (16). The head is bound to the ciphertext as its
associated data, so no picture can be passed off as another child's; its checksum tells a torn tail after a crash.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from isal.isal_zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proctoring.keys import Key

    Buffer = bytes | memoryview

# magic · version · kind · length of what follows · attempt · sitting · seq · taken ms · received ms · key
HEAD = struct.Struct(">2sBBIQIIQQ8s")
CHECK = struct.Struct(">I")
HEAD_BYTES = HEAD.size + CHECK.size
MAGIC, VERSION = b"EP", 1
NONCE_BYTES, TAG_BYTES = 12, 16
KINDS = {"snapshot": 1, "identity": 2, "screen": 3, "events": 4}
NAMES = {number: name for name, number in KINDS.items()}
EVENTS = KINDS["events"]
LARGEST = 2**17


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry as its head tells it; `offset` and `length` are those of nonce, ciphertext and tag."""

    kind: int
    attempt: int
    sitting: int
    seq: int
    taken_ms: int
    received_ms: int
    key: bytes
    offset: int
    length: int


def head_of(
    kind: int, length: int, attempt: int, sitting: int, seq: int, taken_ms: int, received_ms: int, key: bytes
) -> bytes:
    """The head, without its checksum; `length` counts nonce and tag."""
    return HEAD.pack(MAGIC, VERSION, kind, length, attempt, sitting, seq, taken_ms, received_ms, key)


def check_of(head: bytes, rest: Buffer) -> bytes:
    """The checksum (CRC-32) that stands behind the head; `rest`: nonce, ciphertext and tag."""
    return CHECK.pack(crc32(rest, crc32(head)))


def entry_bytes(body: int) -> int:
    """How long the entry of a body of so many bytes is."""
    return HEAD_BYTES + NONCE_BYTES + body + TAG_BYTES


def seal_into(
    entry: memoryview, key: Key, kind: int, seq: int, taken_ms: int, received_ms: int, body: bytes, nonce: bytes
) -> None:
    """Fill `entry`, which is `entry_bytes` long. `nonce`: 12 random bytes, used for this alone."""
    length = NONCE_BYTES + len(body) + TAG_BYTES
    head = head_of(kind, length, key.attempt, key.sitting, seq, taken_ms, received_ms, key.id)
    rest = entry[HEAD_BYTES:]
    rest[:NONCE_BYTES] = nonce
    AESGCM(key.secret).encrypt_into(nonce, body, head, rest[NONCE_BYTES:])
    entry[: HEAD.size] = head
    entry[HEAD.size : HEAD_BYTES] = check_of(head, rest)


def entries(segment: Buffer, *, checked: bool) -> Iterator[Entry]:
    """The entries up to the end, or to the first that is not whole. `checked`: look at the checksums too."""
    view = memoryview(segment)
    at, size = 0, len(view)
    while at + HEAD_BYTES <= size:
        magic, version, kind, length, attempt, sitting, seq, taken, received, key = HEAD.unpack_from(view, at)
        offset = at + HEAD_BYTES
        if magic != MAGIC or version != VERSION or kind not in NAMES or length > LARGEST or offset + length > size:
            return
        if checked:
            (told,) = CHECK.unpack_from(view, at + HEAD.size)
            seen = crc32(view[offset : offset + length], crc32(view[at : at + HEAD.size]))
            if told != seen:
                return
        yield Entry(kind, attempt, sitting, seq, taken, received, key, offset, length)
        at = offset + length


def whole_bytes(segment: Buffer) -> int:
    """How many bytes at the beginning are whole entries: what a crash left of the rest is no entry."""
    end = 0
    for entry in entries(segment, checked=True):
        end = entry.offset + entry.length
    return end
