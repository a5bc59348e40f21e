"""Sign-in codes: eleven random characters and a check, printed as three groups of four (docs/protocol.md)."""

from __future__ import annotations

import hmac
import secrets

# Crockford's base32: no I, L, O, U, so that nothing on a slip can be misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
VALUE = {letter: number for number, letter in enumerate(ALPHABET)}
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u2013": None, "\u00a0": None})
# What a Kazakh or Russian keyboard writes for a letter that looks the same (the player has them too: src/code.ts).
MISREAD |= str.maketrans("АВЕКМНҺОРСТУҮХІ", "ABEKMHH0PCTYYX1")


def draw_code() -> str:
    """A fresh code: 55 random bits and the check character (docs/decisions/0002)."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def show_code(code: str) -> str:
    """As it is printed: `K7QM 2XW9 P14G`."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def normalise_code(text: str) -> str | None:
    """The code as stored: spaces, hyphens, case and look-alikes put right; None if it can't be a code of ours."""
    return normalise(text, LENGTH)


def normalise(text: str, length: int) -> str | None:
    """The same for codes of another length with a check at their end."""
    code = text.upper().translate(MISREAD)
    if len(code) != length or any(letter not in VALUE for letter in code) or code[-1] != check_character(code[:-1]):
        return None
    return code


def hash_code(code: str, pepper: bytes) -> bytes:
    """16 bytes of HMAC-SHA-256: codes have enough bits for a fast hash; 300 000 slow ones would be 25 cores."""
    return hmac.digest(pepper, b"code:" + code.encode(), "sha256")[:16]


def check_character(body: str) -> str:
    """The last character of a code, from those before it."""
    # Odd weights are units modulo 32, so every single wrong character changes the sum.
    return ALPHABET[sum(VALUE[letter] * (2 * place + 1) for place, letter in enumerate(body, 1)) % 32]
