"""What sign-on keeps sealed in the database: secrets of providers, private halves of our signing keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from infra.local import decode_key

if TYPE_CHECKING:
    from infra.settings import PortalSettings


def seal(settings: PortalSettings, plain: str) -> bytes:
    """For the table."""
    return bytes(SecretBox(decode_key(settings.signon_key)).encrypt(plain.encode()))


def unseal(settings: PortalSettings, sealed: bytes) -> str | None:
    """What was sealed; None: with a key that was changed since."""
    try:
        return SecretBox(decode_key(settings.signon_key)).decrypt(sealed).decode()
    except CryptoError:
        return None
