"""Answer keys at rest: in the object store they lie sealed under a key that the scoring process alone holds (SAFETY J6).

One credential may open a whole store (the embedded one knows no limits between buckets), and the portal has one to show
results. So a snapshot's keys are encrypted before they leave this process; every other file of it is as it was.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.local import decode_key
from infra.objects import open_bucket
from scoring.artefacts import SEALED
from scoring.structs import SnapshotError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.settings import ScoringSettings
    from scoring.artefacts import Store

KEY_BEARING = "keys.parquet"


class SealedStore:
    """A store whose key-bearing files are sealed on the way in and opened on the way out.

    AES-SIV (RFC 5297) takes no nonce: the same file at the same place gives the same bytes, so a run that is stored
    again changes nothing, and nothing can be repeated that must not be. A file that was moved does not open.
    """

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._cipher = AESSIV(HKDF(SHA256(), length=64, salt=None, info=b"elumiti/score-keys").derive(key))

    async def put(self, key: str, body: bytes) -> None:
        """Store an object whole."""
        if key.endswith(f"/{KEY_BEARING}"):
            await self._store.put(key + SEALED, self._cipher.encrypt(body, [key.encode()]))
        else:
            await self._store.put(key, body)

    async def get(self, key: str) -> bytes | None:
        """An object's bytes; None when there is none."""
        if not key.endswith(f"/{KEY_BEARING}"):
            return await self._store.get(key)
        sealed = await self._store.get(key + SEALED)
        if sealed is None:
            return None
        try:
            return self._cipher.decrypt(sealed, [key.encode()])
        except InvalidTag as error:
            what = f"{key} does not open with ELUMITI_SCORE_KEY."
            raise SnapshotError(what, "Give the key it was sealed with, or score the sitting again.") from error


@contextlib.asynccontextmanager
async def score_store(settings: ScoringSettings) -> AsyncIterator[SealedStore]:
    """The store of scoring runs, made if it is not there, for the time of a block."""
    async with open_bucket(settings.objects, settings.score_bucket) as bucket:
        await bucket.ensure()
        yield SealedStore(bucket, decode_key(settings.score_key))
