"""Tickets to a live view: the portal signs the watcher's, the ingest the phone's, the forwarder verifies both.

A ticket is 22 packed bytes and 16 of HMAC-SHA-256 in base64url. It is for one view, one role and some seconds to begin in.
"""

from __future__ import annotations

import hmac
import struct
from typing import Literal

import msgspec

from infra.one_spelling import spell, unspell

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


def sign(key: bytes, claims: LiveClaims) -> str:
    """A ticket for these claims."""
    body = LAYOUT.pack(VERSION, ROLES.index(claims.role), claims.view, claims.attempt, claims.expires_s)
    mac = hmac.digest(key, body, "sha256")[:MAC_BYTES]
    return spell(body + mac)


def verify(key: bytes, ticket: str) -> LiveClaims | None:
    """The claims; None for anything that we did not sign. Times are the caller's."""
    raw = unspell(ticket)
    if raw is None or len(raw) != LAYOUT.size + MAC_BYTES:
        return None
    body = raw[: LAYOUT.size]
    if not hmac.compare_digest(hmac.digest(key, body, "sha256")[:MAC_BYTES], raw[LAYOUT.size :]):
        return None
    version, role, view, attempt, expires_s = LAYOUT.unpack(body)
    if version != VERSION or role >= len(ROLES):
        return None
    return LiveClaims(ROLES[role], view, attempt, expires_s)
