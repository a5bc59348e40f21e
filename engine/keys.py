"""Form keys: sealed until T0, opened here at the first request after it (SAFETY D3, J2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacl.public import PrivateKey, SealedBox

from engine.problems import Problem
from infra.local import encode_key

if TYPE_CHECKING:
    from engine.roster import Form


class KeyRing:
    """Opens sealed form keys. Callers ask only when the clock allows; before that no key is in this process in clear."""

    def __init__(self, private_key: bytes) -> None:
        self._box = SealedBox(PrivateKey(private_key))
        self._sealed: dict[int, dict[str, bytes]] = {}
        self._open: dict[int, dict[str, str]] = {}

    def hold(self, forms: dict[int, Form]) -> None:
        """Know these forms' sealed keys; a form packed anew has new ones."""
        for number, form in forms.items():
            if self._sealed.get(number) != form.sealed_keys:
                self._sealed[number] = form.sealed_keys
                self._open.pop(number, None)

    def released(self, form: int) -> dict[str, str]:
        """`section/language` → key in base64url. To be called after T0 only."""
        opened = self._open.get(form)
        if opened is None:
            sealed = self._sealed.get(form)
            if not sealed:
                # A form that this worker has not read yet: an answer without keys would strand the child.
                raise Problem("try-later", retry_after_s=2)
            opened = {name: encode_key(self._box.decrypt(key)) for name, key in sealed.items()}
            self._open[form] = opened
        return opened
