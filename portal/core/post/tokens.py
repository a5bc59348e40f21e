"""What stands in a letter's link, and the six digits of an SMS: made from a seed that the outbox holds and a key that no database does."""

from __future__ import annotations

import base64
import hmac


def token_of(key: bytes, purpose: str, seed: str) -> str:
    """The token of a seed, for one purpose."""
    digest = hmac.digest(key, f"link:{purpose}:{seed}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def code_of(key: bytes, purpose: str, seed: str) -> str:
    """Six digits of a seed, to be typed in within minutes and a few tries."""
    digest = hmac.digest(key, f"code:{purpose}:{seed}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"
