"""A security key in software: what a browser would send for it, made by hand from the WebAuthn specification."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from tests.portal.conftest import Visitor


def text(value: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(value).decode().rstrip("=")


class SecurityKey:
    """One key; it works at `origin` and counts its uses."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0

    def register(self, visitor: Visitor) -> str:
        """The answer to the page that adds it."""
        data = self._client_data("webauthn.create", self._options(visitor, "register"))
        numbers = self.private.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        about = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        body = {"fmt": "none", "attStmt": {}, "authData": self._authenticator_data(0x41) + about}
        return self._credential({"clientDataJSON": text(data), "attestationObject": text(cbor2.dumps(body))})

    def confirm(self, visitor: Visitor) -> str:
        """The answer to a page that wants a touch."""
        return self.touch(self._options(visitor, "confirm"))

    def touch(self, options: dict[str, Any]) -> str:
        """Sign these options."""
        data = self._client_data("webauthn.get", options)
        self.count += 1
        held = self._authenticator_data(0x01)
        signature = self.private.sign(held + hashlib.sha256(data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {"clientDataJSON": text(data), "authenticatorData": text(held), "signature": text(signature)}
        )

    def _options(self, visitor: Visitor, purpose: str) -> dict[str, Any]:
        return visitor.post("/account/keys/options", {"purpose": purpose}).json()

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        urlsafe_b64decode(options["challenge"] + "==")
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        party = self.origin.split("//")[1].split(":")[0]
        return hashlib.sha256(party.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _credential(self, response: dict[str, str]) -> str:
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response})
