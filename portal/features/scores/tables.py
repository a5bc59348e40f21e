"""The tables of runs out of the object store, the last few kept in memory: they never change once written."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from infra.objects import open_bucket
from portal.features.scores.problems import RunFilesAway
from portal.features.scores.rules import said_parameter
from portal.features.scores.structs import Difference
from scoring.run import Run, Summary
from scoring.snapshot import Snapshot, from_files
from scoring.structs import Parameters

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Scope
    from portal.features.scores.structs import RunRow

KEPT = 4
# A run of 300 000 pupils holds some 100 MB in memory; a few of them fit, many would not.
_kept: OrderedDict[tuple[int, int], Run] = OrderedDict()
_lock = asyncio.Lock()


async def load(settings: PortalSettings, row: RunRow) -> Run:
    """A recorded run with its files."""
    key = (row.sitting_id, row.version)
    async with _lock:
        if key not in _kept:
            files = await _files(settings, f"sittings/{row.sitting_id}/runs/{row.version:04d}/")
            _kept[key] = Run(
                sitting_id=row.sitting_id,
                parameters=msgspec.convert(row.parameters, Parameters),
                snapshot_hash=row.snapshot_hash,
                result_hash=row.result_hash,
                code_version=row.code_version,
                summary=msgspec.convert(row.summary, Summary),
                files=files,
                version=row.version,
            )
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


async def load_snapshot(settings: PortalSettings, row: RunRow) -> Snapshot:
    """The input of a run, without names, and without the keys: they are sealed to scoring (SAFETY J6)."""
    files = await _files(settings, f"sittings/{row.sitting_id}/snapshots/{row.snapshot_hash}/")
    return await asyncio.to_thread(from_files, files, keys=False)


async def table(settings: PortalSettings, row: RunRow, name: str) -> pl.DataFrame:
    """One table of a run."""
    run = await load(settings, row)
    return await asyncio.to_thread(lambda: run.tables()[name])


async def _files(settings: PortalSettings, prefix: str) -> dict[str, bytes]:
    try:
        async with open_bucket(settings.objects, settings.score_bucket) as bucket:
            found = {key.removeprefix(prefix): await bucket.get(key) for key in await bucket.keys(prefix)}
    except (ClientError, BotoCoreError, OSError) as error:
        raise RunFilesAway from error
    files = {name: body for name, body in found.items() if body is not None}
    if not files:
        raise RunFilesAway
    return files


def within(scores: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """The rows of a scope's territory."""
    if scope.country:
        return scores
    return scores.filter(
        pl.col("region_code").is_in(list(scope.regions)) | pl.col("school_id").is_in(list(scope.schools))
    )


def quota_counts(chosen: pl.DataFrame, places: dict[str, int]) -> list[dict[str, Any]]:
    """Each region's places, how many are on the list, and how many of them share the place at the line."""
    given = chosen.group_by("region_code").agg(given=pl.len(), at_line=pl.col("at_line").sum())
    known = {row["region_code"]: row for row in given.to_dicts()}
    return [
        {"region": code, "places": count, "given": 0, "at_line": 0, **known.get(code, {})}
        for code, count in places.items()
    ]


def differences(old: pl.DataFrame, new: pl.DataFrame, old_row: RunRow, new_row: RunRow) -> Difference:
    """Who has other points or another place, the largest moves first."""
    columns = ["attempt_id", "raw", "rank_nation"]
    both = old.select(columns).join(new.select(columns), on="attempt_id", how="full", suffix="_new", coalesce=True)
    present = both.filter(pl.col("raw").is_not_null() & pl.col("raw_new").is_not_null())
    moved = present.filter((pl.col("raw") != pl.col("raw_new")) | (pl.col("rank_nation") != pl.col("rank_nation_new")))
    largest = (
        moved.with_columns(move=(pl.col("rank_nation").cast(pl.Int64) - pl.col("rank_nation_new").cast(pl.Int64)))
        .sort(pl.col("move").abs(), "attempt_id", descending=[True, False])
        .head(50)
    )
    names = sorted({*old_row.parameters, *new_row.parameters})
    changed = [
        (name, said_parameter(name, old_row.parameters.get(name)), said_parameter(name, new_row.parameters.get(name)))
        for name in names
        if old_row.parameters.get(name) != new_row.parameters.get(name)
    ]
    return Difference(
        changed=moved.height,
        only_old=both.filter(pl.col("raw_new").is_null() & pl.col("raw").is_not_null()).height,
        only_new=both.filter(pl.col("raw").is_null() & pl.col("raw_new").is_not_null()).height,
        same=present.height - moved.height,
        largest=largest.to_dicts(),
        parameters=changed,
        same_input=old_row.snapshot_hash == new_row.snapshot_hash,
    )
