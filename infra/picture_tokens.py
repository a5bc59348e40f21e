"""Tokens for pictures: the engine gives one to a candidate with a consent, the ingest takes no byte without one.

A token is 24 packed bytes and 16 of HMAC-SHA-256 in base64url (54 characters). Its key is not the answers' token key: who
can take pictures can save nothing (SAFETY D5).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import TYPE_CHECKING

import msgspec

from infra.one_spelling import spell, unspell

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYOUT = struct.Struct(">BBHQIII")
MAC_BYTES = 16
REMEMBERED = 500_000


class PictureClaims(msgspec.Struct, frozen=True, gc=False):
    """Whose pictures may come until `expires_s` (Unix seconds), and not before `opens_s`.

    `device`: the mark of the one that it was given to (0: none), for an attempt that another device has taken over.
    """

    attempt: int
    sitting: int
    opens_s: int
    expires_s: int
    device: int = 0


def device_mark(device: bytes) -> int:
    """Sixteen bits that tell an attempt's few devices apart; never 0."""
    return int.from_bytes(hashlib.blake2b(device, digest_size=2).digest(), "big") or 1


class PictureTokens:
    """Signs and verifies. `keys`: number (1–255) → key; the highest signs, all verify."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = dict(keys)
        self._signing = max(keys)
        self._genuine: dict[str, PictureClaims] = {}

    def sign(self, claims: PictureClaims) -> str:
        """A token for these claims."""
        times = claims.opens_s, claims.expires_s
        body = LAYOUT.pack(self._signing, 0, claims.device, claims.attempt, claims.sitting, *times)
        mac = hmac.digest(self._keys[self._signing], body, "sha256")[:MAC_BYTES]
        return spell(body + mac)

    def verify(self, token: str) -> PictureClaims | None:
        """The claims; None for anything that we did not sign. Times are the caller's."""
        known = self._genuine.get(token)
        if known is not None:
            return known
        # In the one spelling that was signed: each other one that verified would be remembered besides.
        raw = unspell(token)
        if raw is None or len(raw) != LAYOUT.size + MAC_BYTES:
            return None
        key, body = self._keys.get(raw[0]), raw[: LAYOUT.size]
        if key is None or not hmac.compare_digest(hmac.digest(key, body, "sha256")[:MAC_BYTES], raw[LAYOUT.size :]):
            return None
        _, _, device, *facts = LAYOUT.unpack(body)
        claims = PictureClaims(*facts, device=device)
        if len(self._genuine) >= REMEMBERED:
            self._genuine.clear()
        self._genuine[token] = claims
        return claims
