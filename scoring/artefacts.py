"""Named tables as Parquet files with stable bytes, their hash, and where they are kept.

A set of files has one hash: SHA-256 of its SHA256SUMS file, so anybody with `sha256sum -c` can check a
download.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

SUMS = "SHA256SUMS"
# Behind the name of a file that only the scoring process can open (see scoring.sealed).
SEALED = ".sealed"
# Fixed, so that the same rows give the same bytes on a machine with more memory.
ROWS_A_GROUP = 500_000


class Store(Protocol):
    """Where artefacts lie: an object store's bucket, or a folder. Keys are paths with slashes."""

    async def put(self, key: str, body: bytes) -> None:
        """Store an object whole."""

    async def get(self, key: str) -> bytes | None:
        """An object's bytes; None when there is none."""


class FolderStore:
    """Artefacts in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, key: str, body: bytes) -> None:
        """Write a file beside its place and move it there, so that nobody reads half of it."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_bytes(body)
        unfinished.replace(path)

    async def get(self, key: str) -> bytes | None:
        """A file's bytes; None when there is none."""
        path = self.folder / key
        return path.read_bytes() if path.is_file() else None


def parquet(table: pl.DataFrame) -> bytes:
    """A table as Parquet; the same rows in the same order give the same bytes (for one version of Polars)."""
    buffer = io.BytesIO()
    table.rechunk().write_parquet(buffer, compression="zstd", compression_level=3, row_group_size=ROWS_A_GROUP)
    return buffer.getvalue()


def read_parquet(body: bytes) -> pl.DataFrame:
    """The table of a Parquet file."""
    return pl.read_parquet(io.BytesIO(body))


def with_sums(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files and their SHA256SUMS, names ascending."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return {**{name: files[name] for name in sorted(files)}, SUMS: "".join(lines).encode()}


def hash_of(files: dict[str, bytes]) -> str:
    """The hash of a set of files: hex SHA-256 of its SHA256SUMS."""
    return hashlib.sha256(files[SUMS] if SUMS in files else with_sums(files)[SUMS]).hexdigest()


def snapshot_prefix(sitting_id: int, snapshot_hash: str) -> str:
    """Where a snapshot's files lie in the store."""
    return f"sittings/{sitting_id}/snapshots/{snapshot_hash}"


def version_prefix(sitting_id: int, version: int) -> str:
    """Where the result tables of a recorded run lie in the store."""
    return f"sittings/{sitting_id}/runs/{version:04d}"


async def put_all(store: Store, prefix: str, files: dict[str, bytes]) -> None:
    """Store a set; SHA256SUMS goes last, so a set that has it is whole."""
    for name in sorted(files, key=lambda name: (name == SUMS, name)):
        await store.put(f"{prefix}/{name}", files[name])
