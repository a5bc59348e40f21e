"""Keys: each attempt's is drawn at random, wrapped by its sitting's, which is wrapped by the key that only proctoring has.

A process draws keys of its own, so that no two need to agree on one. A key is on this machine's disk (wrapped) before
the first picture under it is acknowledged, and in Postgres with that picture's row; then the disk forgets it, and the
table `picture_key` alone decides who can still be read (SAFETY R3).
"""

from __future__ import annotations

import os
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, ID_BYTES, NONCE_BYTES = 32, 8, 12
LABEL = struct.Struct(">7sQI8s")
# id · attempt · sitting · the key, wrapped: nonce, ciphertext, tag
LINE = struct.Struct(">8sQI60s")


class Key(msgspec.Struct, frozen=True, gc=False):
    """One attempt's key of one process."""

    id: bytes
    secret: bytes
    attempt: int
    sitting: int


class WrongKeyError(Exception):
    """What was wrapped does not open: another wrapping key, or other bytes."""


def draw(attempt: int, sitting: int) -> Key:
    """A new key."""
    drawn = os.urandom(ID_BYTES + KEY_BYTES)
    return Key(drawn[:ID_BYTES], drawn[ID_BYTES:], attempt, sitting)


def wrap(secret: bytes, by: AESGCM, label: bytes) -> bytes:
    """A key under a key, whose cipher is made once for many."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + by.encrypt(nonce, secret, label)


def unwrap(wrapped: bytes, by: bytes, label: bytes) -> bytes:
    """The key that was wrapped for this label."""
    try:
        return AESGCM(by).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label)
    except (InvalidTag, ValueError) as error:
        raise WrongKeyError from error


def label_of(key_id: bytes, attempt: int, sitting: int) -> bytes:
    """What a wrapped attempt's key is bound to."""
    return LABEL.pack(b"attempt", attempt, sitting, key_id)


def sitting_label(sitting: int) -> bytes:
    """What a wrapped sitting's key is bound to."""
    return LABEL.pack(b"sitting", 0, sitting, bytes(ID_BYTES))


def lines_of(keys: list[Key], kek: bytes) -> list[bytes]:
    """Keys as they wait on this machine's disk."""
    by = AESGCM(kek)
    return [
        LINE.pack(key.id, key.attempt, key.sitting, wrap(key.secret, by, label_of(key.id, key.attempt, key.sitting)))
        for key in keys
    ]


def read_lines(lines: bytes, kek: bytes, ring: KeyRing | None = None) -> list[Key]:
    """The keys of such a file; a torn last line belongs to no picture that was acknowledged.

    What `ring` holds need not be unwrapped.
    """
    found: list[Key] = []
    for start in range(0, len(lines) - LINE.size + 1, LINE.size):
        key_id, attempt, sitting, wrapped = LINE.unpack_from(lines, start)
        key = None if ring is None else ring.by_id(key_id)
        found.append(key or Key(key_id, unwrap(wrapped, kek, label_of(key_id, attempt, sitting)), attempt, sitting))
    return found


class KeyRing:
    """The keys of one ingest process: of each attempt that sends to it."""

    def __init__(self) -> None:
        self._of: dict[int, Key] = {}
        self._by_id: dict[bytes, Key] = {}
        # Drawn, and not on the disk yet: the next group writes them before its pictures.
        self.fresh: list[Key] = []

    def of(self, attempt: int, sitting: int) -> Key:
        """The attempt's key, drawn at its first picture."""
        key = self._of.get(attempt)
        if key is None:
            key = self._of[attempt] = draw(attempt, sitting)
            self._by_id[key.id] = key
            self.fresh.append(key)
        return key

    def hold(self, keys: list[Key]) -> None:
        """Keys that another process left: to read its events with, not to write under."""
        self._by_id.update((key.id, key) for key in keys)

    def by_id(self, key_id: bytes) -> Key | None:
        """A key by its id."""
        return self._by_id.get(key_id)

    def forget(self, attempts: set[int]) -> None:
        """Keys of attempts that are refused from now on."""
        for key_id in [key.id for key in self._by_id.values() if key.attempt in attempts]:
            del self._by_id[key_id]
        for attempt in attempts:
            self._of.pop(attempt, None)
        self.fresh = [key for key in self.fresh if key.attempt not in attempts]

    def keep_only(self, sittings: set[int]) -> None:
        """Of sittings that are over nothing more will come."""
        old = {key.attempt for key in self._of.values() if key.sitting not in sittings}
        for attempt in old:
            key = self._of.pop(attempt)
            if key not in self.fresh:
                self._by_id.pop(key.id, None)

    def __len__(self) -> int:
        return len(self._of)
