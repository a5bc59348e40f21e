"""Signed bytes as text that has one spelling: Python's own reader lets foreign characters and stray bits pass."""

from __future__ import annotations

import base64
import binascii


def spell(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unspell(text: str) -> bytes | None:
    """The bytes that `spell` wrote so; None for any other text."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if spell(raw) == text else None
