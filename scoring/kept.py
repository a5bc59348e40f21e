"""Reads a recorded run and its snapshot back from the store, for pages and downloads; checks their hashes.

A kept file that isn't the one that score_run names is an error, never a figure (results are never updated).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scoring.artefacts import SUMS, hash_of, snapshot_prefix, version_prefix
from scoring.run import Run, Summary
from scoring.snapshot import Snapshot, from_files
from scoring.structs import Parameters, SnapshotError

if TYPE_CHECKING:
    from scoring.artefacts import Store


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of score_run; parameters and summary as JSON text."""

    sitting_id: int
    version: int
    parameters: str
    snapshot_hash: str
    result_hash: str
    code_version: str
    summary: str


async def kept_run(store: Store, row: RunRow) -> Run:
    """The run as it was computed. Raises SnapshotError if a file is gone or another."""
    return Run(
        sitting_id=row.sitting_id,
        parameters=msgspec.json.decode(row.parameters, type=Parameters),
        snapshot_hash=row.snapshot_hash,
        result_hash=row.result_hash,
        code_version=row.code_version,
        summary=msgspec.json.decode(row.summary, type=Summary),
        files=await _files(store, version_prefix(row.sitting_id, row.version), row.result_hash),
        version=row.version,
    )


async def kept_snapshot(store: Store, sitting_id: int, snapshot_hash: str) -> Snapshot:
    """The snapshot that a run was computed from. It was kept without names: `persons` is empty."""
    return from_files(await _files(store, snapshot_prefix(sitting_id, snapshot_hash), snapshot_hash))


async def _files(store: Store, prefix: str, expected: str) -> dict[str, bytes]:
    sums = await store.get(f"{prefix}/{SUMS}")
    files: dict[str, bytes] = {}
    for line in (sums or b"").decode().splitlines():
        name = line.split("  ", 1)[1]
        body = await store.get(f"{prefix}/{name}")
        if body is not None:
            files[name] = body
    if hash_of(files) != expected:
        what = f"The files below {prefix} are not the ones that were recorded."
        raise SnapshotError(what, "Restore them from the object store's backup, or score the sitting again.")
    return {**files, SUMS: sums or b""}
