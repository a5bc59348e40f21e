"""Tokens and signed times: what lets the engine stay without sessions.

A token is 56 packed bytes and 16 bytes of HMAC-SHA-256 in base64 (96 characters). Several live keys may be held, so
a rotation refuses nobody (docs/operations/secrets.md); the highest number signs unless another is named. Verification costs no look-up and no wait.
"""

from __future__ import annotations

import binascii
import hmac
import struct
from typing import TYPE_CHECKING

import msgspec

from engine.memory import keep_newest
from engine.timing import last_possible_end_ms, times_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.timing import AttemptClock, SittingClock

LAYOUT = struct.Struct(">BQIIIQQ16sBxx")
MAC_BYTES = 16
TOKEN_CHARS = 96
# A pupil shows the same token with every save: one that was found genuine is known again for a tenth of the cost
# (0.2 instead of 2.9 µs). About 300 bytes each. The oldest go first: of sign-ins, whose place the keys' have taken.
REMEMBERED = 1_000_000
# Fifty are signed in a second, and phones come back with that of half a minute ago, or of their last good line.
REMEMBERED_TIMES = 65_536


class Claims(msgspec.Struct, frozen=True, gc=False):
    """Who speaks. Times are Unix milliseconds; 0 in `started_ms` and `deadline_ms`: not started."""

    attempt: int
    sitting: int
    extra_s: int
    expires_s: int
    started_ms: int
    deadline_ms: int
    device: bytes
    leg: int = 0
    """Which form `started_ms` is the start of: 0 the sitting's, 1 the reserve after a restart."""


OUTLIVES_S = 6 * 3600


def expiry_s(sitting: SittingClock, attempt: AttemptClock) -> int:
    """When a token of this attempt expires, Unix seconds: some hours after nobody can be writing any more."""
    clock = times_of(sitting, attempt)
    return last_possible_end_ms(clock, attempt.extra_s + attempt.held_s) // 1000 + OUTLIVES_S


class Tokens:
    """Signs and verifies tokens. `keys`: number (1–255) → key; `signs_with`: one of the numbers, 0 is the highest."""

    def __init__(self, keys: Mapping[int, bytes], signs_with: int = 0) -> None:
        self._keys = dict(keys)
        self._signing = signs_with or max(keys)
        self._genuine: dict[str, Claims] = {}

    def sign(self, claims: Claims) -> str:
        """A token for these claims under the signing key."""
        body = LAYOUT.pack(
            self._signing,
            *(claims.attempt, claims.sitting, claims.extra_s, claims.expires_s, claims.started_ms, claims.deadline_ms),
            claims.device,
            claims.leg,
        )
        mac = hmac.digest(self._keys[self._signing], body, "sha256")[:MAC_BYTES]
        token = binascii.b2a_base64(body + mac, newline=False).decode()
        # Whoever gets it comes back with it, most likely here.
        self._genuine[f"Bearer {token}"] = claims
        return token

    def verify(self, header: str | None) -> Claims | None:
        """The claims of an `Authorization` header; None for anything that we did not sign. Expiry is the caller's."""
        known = self._genuine.get(header) if header is not None else None
        if known is not None:
            return known
        if header is None or len(header) != 7 + TOKEN_CHARS or not header.startswith("Bearer "):
            return None
        try:
            raw = binascii.a2b_base64(header[7:])
        except ValueError:
            return None
        if len(raw) != LAYOUT.size + MAC_BYTES:
            return None
        key = self._keys.get(raw[0])
        body = raw[: LAYOUT.size]
        if key is None or not hmac.compare_digest(hmac.digest(key, body, "sha256")[:MAC_BYTES], raw[LAYOUT.size :]):
            return None
        claims = Claims(*LAYOUT.unpack(body)[1:])
        self._genuine[header] = claims
        return claims

    def forget(self) -> None:
        """Keep within memory; nobody is refused for it."""
        keep_newest(self._genuine, REMEMBERED)


class SignedTimes:
    """Signs the server's time and verifies what comes back as an event's anchor (rule 9).

    Not bound to an attempt: an anchor only ever makes an event *later*, so another pupil's is of no use to anybody,
    and one signature serves all replies of some milliseconds.
    """

    def __init__(self, key: bytes, other_key: bytes = b"") -> None:
        self._key = key
        # While keys are changed: anchors that players hold are of the one or the other.
        self._other_key = other_key
        self._seen: dict[str, int | None] = {}
        self._newest = (-1, "")

    def sign(self, now_ms: int) -> str:
        """`1764057600123.` and 12 characters of HMAC."""
        known_ms, signed = self._newest
        if known_ms != now_ms:
            text = str(now_ms)
            signed = f"{text}.{_time_mac(self._key, text)}"
            self._newest = (now_ms, signed)
        return signed

    def verify(self, text: str) -> int | None:
        """Its milliseconds; None if we did not sign it. The same few are asked again and again, hence the memory."""
        try:
            return self._seen[text]
        except KeyError:
            pass
        number, _, mac = text.partition(".")
        genuine = number.isascii() and number.isdigit() and self._is_ours(number, mac.encode())
        if len(self._seen) >= REMEMBERED_TIMES:
            self._seen.clear()
        self._seen[text] = value = int(number) if genuine else None
        return value

    def _is_ours(self, number: str, mac: bytes) -> bool:
        if hmac.compare_digest(mac, _time_mac(self._key, number).encode()):
            return True
        return bool(self._other_key) and hmac.compare_digest(mac, _time_mac(self._other_key, number).encode())


def _time_mac(key: bytes, text: str) -> str:
    mac = hmac.digest(key, b"time:" + text.encode(), "sha256")[:9]
    return binascii.b2a_base64(mac, newline=False).decode()
