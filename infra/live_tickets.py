"""Tickets to a live view: the portal signs the watcher's, the ingest the phone's, the forwarder verifies both.

A ticket is 22 packed bytes and 16 of HMAC-SHA-256 in base64url. It is for one view, one role and some seconds to begin in.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from typing import Literal

import msgspec

LAYOUT = struct.Struct(">BBQQI")
MAC_BYTES = 16
START_S = 60
Role = Literal["publish", "watch"]
ROLES: tuple[Role, Role] = ("publish", "watch")
VERSION = 1


class LiveClaims(msgspec.Struct, frozen=True):
    """Who may begin what until `expires_s` (Unix seconds)."""

    role: Role
    view: int
    attempt: int
    expires_s: int


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def sign(key: bytes, claims: LiveClaims) -> str:
    """A ticket for these claims."""
    body = LAYOUT.pack(VERSION, ROLES.index(claims.role), claims.view, claims.attempt, claims.expires_s)
    mac = hmac.digest(key, body, "sha256")[:MAC_BYTES]
    return _spelled(body + mac)


def verify(key: bytes, ticket: str) -> LiveClaims | None:
    """The claims; None for anything that we did not sign. Times are the caller's."""
    try:
        raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != LAYOUT.size + MAC_BYTES or _spelled(raw) != ticket:
        return None
    body = raw[: LAYOUT.size]
    if not hmac.compare_digest(hmac.digest(key, body, "sha256")[:MAC_BYTES], raw[LAYOUT.size :]):
        return None
    version, role, view, attempt, expires_s = LAYOUT.unpack(body)
    if version != VERSION or role >= len(ROLES):
        return None
    return LiveClaims(ROLES[role], view, attempt, expires_s)
