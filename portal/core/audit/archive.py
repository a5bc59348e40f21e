"""Records beyond the term leave the table for files of the object store; their fingerprints stay (docs/decisions/0050).

A file is Parquet, so that it is read without us; each row carries the very text its fingerprint is taken of.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import structlog

from infra.objects import open_bucket
from portal.core.audit.record import record_for

if TYPE_CHECKING:
    from asyncpg import Record

    from infra.settings import ObjectStore
    from portal.core.db import Connection

log = structlog.get_logger()
BUCKET = "audit-archive"
# About 40 MB of memory; the oldest first, as often as there are more.
MOST_RECORDS = 50_000
ZEROS = bytes(32)
SCHEMA = {
    "id": pl.Int64,
    "at": pl.Datetime("us", "UTC"),
    "staff_id": pl.Int64,
    "acting_as": pl.String,
    "address": pl.String,
    "act": pl.String,
    "object_kind": pl.String,
    "object_id": pl.String,
    "before": pl.String,
    "after": pl.String,
    "reason": pl.String,
    "previous_hash": pl.Binary,
    "hash": pl.Binary,
    "canonical": pl.String,
}
# Columns in the order of the canonical text; the time stands there in seconds.
IN_CANONICAL = ("id", "at", "staff_id", "acting_as", "address", "act", "object_kind", "object_id", "before", "after")


class ArchiveFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of records that left the table."""

    id: int
    first_id: int
    last_id: int
    first_at: datetime
    last_at: datetime
    records: int
    object_key: str
    sha256: bytes
    archived_at: datetime


async def archive(db: Connection, store: ObjectStore, most: int = MOST_RECORDS) -> int:
    """Move what is beyond the term; how many records. Killed between file and table, the next run writes the file anew."""
    moved = 0
    while upto := await db.fetchval("select audit_movable($1)", most):
        rows = await db.fetch(
            """
            select id, at, staff_id, acting_as, address, act, object_kind, object_id, before::text as before,
                   after::text as after, reason, previous_hash, hash, audit_canonical(a) as canonical
            from audit a
            where id <= $1
            order by id
            """,
            upto,
        )
        key = f"{rows[0]['id']:012}-{upto:012}.parquet"
        body = await asyncio.to_thread(_as_parquet, rows)
        async with open_bucket(store, BUCKET) as bucket:
            await bucket.ensure()
            await bucket.put(key, body, "application/vnd.apache.parquet")
            kept = await bucket.get(key)
        if kept != body:
            msg = f"The store gave another file back for {key} than it was given."
            raise OSError(msg)
        async with db.transaction():
            # The whole chain is computed again before anything of it is moved.
            await db.execute("set local statement_timeout = '10min'")
            count = await db.fetchval("select audit_move($1, $2, $3)", upto, key, hashlib.sha256(body).digest())
            await record_for(
                db,
                staff_id=None,
                acting_as="job",
                address="-",
                act="audit.trail.archived",
                kind="audit",
                object_id=key,
                after={"records": count, "upto": upto},
            )
        moved += count
        log.info("audit.archived", records=count, file=key)
    return moved


def _as_parquet(rows: list[Record]) -> bytes:
    table = pl.DataFrame([tuple(row) for row in rows], schema=SCHEMA, orient="row")
    out = io.BytesIO()
    table.write_parquet(out, compression="zstd")
    return out.getvalue()


async def files(db: Connection) -> list[ArchiveFile]:
    """All files, newest first."""
    rows = await db.fetch(
        """
        select id, first_id, last_id, first_at, last_at, records, object_key, sha256, archived_at
        from audit_file
        order by id desc
        """
    )
    return [ArchiveFile(**row) for row in rows]


async def broken_in_files(db: Connection, store: ObjectStore) -> int | None:
    """The first archived record that is not what it was; None when all are. A file that is gone breaks at its first."""
    link = ZEROS
    async with open_bucket(store, BUCKET) as bucket:
        for file in reversed(await files(db)):
            body = await bucket.get(file.object_key)
            if body is None or hashlib.sha256(body).digest() != file.sha256:
                return file.first_id
            rows = await db.fetch("select id, hash from audit_archived where file_id = $1 order by id", file.id)
            held = [(row["id"], row["hash"]) for row in rows]
            broken = await asyncio.to_thread(broken_in, body, held, link)
            if broken is not None:
                return broken
            link = held[-1][1]
    return None


def broken_in(body: bytes, held: list[tuple[int, bytes]], link: bytes) -> int | None:
    """Each row of a file against its own text, the row before it, and the fingerprint that stayed in the database."""
    table = pl.read_parquet(io.BytesIO(body))
    for row, (number, fingerprint) in zip(table.iter_rows(named=True), held, strict=False):
        expected = hashlib.sha256(link + row["canonical"].encode()).digest()
        whole = row["previous_hash"] == link and row["hash"] == fingerprint == expected
        if row["id"] != number or not whole or not _says_the_same(row):
            return number
        link = fingerprint
    return None if len(table) == len(held) else held[min(len(table), len(held) - 1)][0]


def _says_the_same(row: dict[str, object]) -> bool:
    """The columns that people read are those of the text that is sealed."""
    said = json.loads(str(row["canonical"]))
    for name, value in zip((*IN_CANONICAL, "reason"), said, strict=True):
        held = row[name]
        if name == "at":
            held = held.timestamp() if isinstance(held, datetime) else None
            if held is None or abs(held - float(value)) > 1e-5:
                return False
        elif name in {"before", "after"}:
            if (json.loads(str(held)) if held is not None else None) != value:
                return False
        elif held != value:
            return False
    return True
