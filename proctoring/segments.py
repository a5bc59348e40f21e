"""A segment: groups one after the other, in the spool and in the store the same bytes.

A group is a mark, then the entries that were written and acknowledged together. The mark names the segment and has a
checksum over all of the group: it tells what a crash tore, and what is left of an older segment in the same file.

An entry is a head of 48 bytes, then nonce (12), ciphertext and tag (16). The head is bound to the ciphertext as its
associated data, so no picture can be passed off as another child's.
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
HEAD_BYTES = HEAD.size
# magic · version · kind, which is 0 · length of what follows · segment · CRC-32 of the mark up to here and what follows
MARK = struct.Struct(">2sBBI16sI")
MARK_BYTES = MARK.size
CHECK = struct.Struct(">I")
MAGIC, VERSION = b"EP", 1
GROUP = 0
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


def entry_bytes(body: int) -> int:
    """How long the entry of a body of so many bytes is."""
    return HEAD_BYTES + NONCE_BYTES + body + TAG_BYTES


def seal_into(
    entry: memoryview, key: Key, kind: int, seq: int, taken_ms: int, received_ms: int, body: bytes, nonce: bytes
) -> None:
    """Fill `entry`, which is `entry_bytes` long. `nonce`: 12 random bytes, used for this alone."""
    length = NONCE_BYTES + len(body) + TAG_BYTES
    head = head_of(kind, length, key.attempt, key.sitting, seq, taken_ms, received_ms, key.id)
    body_at = HEAD_BYTES + NONCE_BYTES
    entry[:body_at] = head + nonce
    AESGCM(key.secret).encrypt_into(nonce, body, head, entry[body_at:])


def mark(group: memoryview, segment: bytes) -> None:
    """Fill the mark that a group begins with; `segment`: the 16 bytes of its id."""
    end = MARK_BYTES - CHECK.size
    MARK.pack_into(group, 0, MAGIC, VERSION, GROUP, len(group) - MARK_BYTES, segment, 0)
    CHECK.pack_into(group, end, crc32(group[MARK_BYTES:], crc32(group[:end])))


def entries(segment: Buffer) -> Iterator[Entry]:
    """The entries of whole groups, one after the other."""
    view = memoryview(segment)
    at, size = 0, len(view)
    while at + HEAD_BYTES <= size:
        magic, version, kind, length, attempt, sitting, seq, taken, received, key = HEAD.unpack_from(view, at)
        if magic != MAGIC or version != VERSION:
            return
        if kind == GROUP:
            at += MARK_BYTES
            continue
        offset = at + HEAD_BYTES
        if kind not in NAMES or length > LARGEST or offset + length > size:
            return
        yield Entry(kind, attempt, sitting, seq, taken, received, key, offset, length)
        at = offset + length


def has_no_groups(begin: bytes) -> bool:
    """Whether a file that begins so is of a version without groups: nothing of ours since begins with an entry."""
    return begin[:3] == MAGIC + bytes([VERSION]) and begin[3:4] != b"" and begin[3] in NAMES


def whole_bytes(body: Buffer, segment: bytes) -> int:
    """How many bytes at the beginning are whole groups of this segment: what a crash left of the rest was promised to nobody."""
    view = memoryview(body)
    at = 0
    while at + MARK_BYTES <= len(view):
        magic, version, kind, length, named, told = MARK.unpack_from(view, at)
        first, end = at + MARK_BYTES, at + MARK_BYTES + length
        if (magic, version, kind, named) != (MAGIC, VERSION, GROUP, segment) or end > len(view):
            break
        if told != crc32(view[first:end], crc32(view[at : first - CHECK.size])):
            break
        at = end
    return at
