"""Receipt codes for the child: made from what Postgres holds, checked by staff and by `elumiti receipt` (rule 5)."""

from __future__ import annotations

import hmac

from engine.codes import ALPHABET


def receipt_code(key: bytes, attempt: int, finish_seq: int, digest: bytes) -> str:
    """Eight characters in two groups (40 bits): HMAC over attempt, number of answers' events and their digest."""
    message = b"receipt:%d:%d:" % (attempt, finish_seq) + digest
    number = int.from_bytes(hmac.digest(key, message, "sha256")[:5], "big")
    letters = "".join(ALPHABET[(number >> shift) & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"
