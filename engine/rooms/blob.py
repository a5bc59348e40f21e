"""A room's blob: a form's keys, sealed by a code that goes to the room's supervisor at T0 (docs/protocol.md, «Room codes»).

version 1 ‖ number (4 bytes) ‖ salt (16) ‖ nonce (12) ‖ AES-256-GCM of the keys as JSON, under scrypt(code, salt). The
number and the manifest's name are authenticated: a blob opens for its own packing and its own number only.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.codes import ALPHABET, check_character, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# 80 bits. A guesser with the blob pays 32 MB and some 90 ms a guess; a phone pays them once.
BODY_LENGTH = 16
CODE_LENGTH = BODY_LENGTH + 1
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
SCRYPT_MEMORY = 2**26
SALT_BYTES, NONCE_BYTES = 16, 12
VERSION = b"\x01"
HEAD = struct.Struct(">I")
SIZE = struct.Struct(">I")
HEAD_BYTES = len(VERSION) + HEAD.size


class RoomCode(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered code and the blob that it opens."""

    number: int
    code: str
    blob: bytes

    @property
    def name(self) -> str:
        """SHA-256 of the blob, under which it is served."""
        return hashlib.sha256(self.blob).hexdigest()


def draw_room_code() -> str:
    """Sixteen random characters and a check."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY_LENGTH))
    return body + check_character(body)


def normalise_room_code(text: str) -> str | None:
    """As it is kept: upper case without spaces; None if it can't be a room code of ours."""
    return normalise(text, CODE_LENGTH)


def seal_blob(code: str, number: int, manifest: str, keys: dict[str, str]) -> bytes:
    """The blob of one room. `keys`: «section/language» → key in base64url, as the key's reply has them."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    body = AESGCM(_stretch(code, salt)).encrypt(nonce, msgspec.json.encode(keys), _bound_to(manifest, number))
    return VERSION + HEAD.pack(number) + salt + nonce + body


def open_blob(code: str, blob: bytes, manifest: str) -> dict[str, str]:
    """The keys; what players do, here for tests. cryptography's InvalidTag: not this code, packing or number."""
    number = HEAD.unpack_from(blob, len(VERSION))[0]
    salt = blob[HEAD_BYTES : HEAD_BYTES + SALT_BYTES]
    nonce = blob[HEAD_BYTES + SALT_BYTES : HEAD_BYTES + SALT_BYTES + NONCE_BYTES]
    body = blob[HEAD_BYTES + SALT_BYTES + NONCE_BYTES :]
    plain = AESGCM(_stretch(code, salt)).decrypt(nonce, body, _bound_to(manifest, number))
    return msgspec.json.decode(plain, type=dict[str, str])


def make_codes(
    count: int, manifest: str, keys: dict[str, str], progress: Callable[[int], None] = lambda _done: None
) -> list[RoomCode]:
    """Codes 1 … `count` with their blobs, on all cores (scrypt leaves Python's lock: threads are enough)."""

    def one(number: int) -> RoomCode:
        code = draw_room_code()
        return RoomCode(number=number, code=code, blob=seal_blob(code, number, manifest, keys))

    made: list[RoomCode] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for room in pool.map(one, range(1, count + 1)):
            made.append(room)
            progress(len(made))
    return made


def join_blobs(rooms: list[RoomCode]) -> bytes:
    """All blobs of a form as one object: eight thousand small ones would be eight thousand requests."""
    return b"".join(SIZE.pack(len(room.blob)) + room.blob for room in rooms)


def split_blobs(joined: bytes) -> Iterator[bytes]:
    """The blobs of `join_blobs`."""
    place = 0
    while place < len(joined):
        size = SIZE.unpack_from(joined, place)[0]
        place += SIZE.size
        yield joined[place : place + size]
        place += size


def _stretch(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        code.encode("ascii"), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=SCRYPT_MEMORY, dklen=32
    )


def _bound_to(manifest: str, number: int) -> bytes:
    return f"elumiti/room/{manifest}/{number}".encode("ascii")
