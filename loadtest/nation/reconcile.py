"""The ledger against Postgres: every acknowledged event must be there, once, unaltered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from loadtest.nation.courses import KINDS

if TYPE_CHECKING:
    import asyncpg

    from loadtest.nation.courses import Course

FINISH = 10


class Ledger(msgspec.Struct, kw_only=True):
    """What became of the acknowledged events. All but the first three have to be nothing."""

    acknowledged: int = 0
    durable: int = 0
    devices: int = 0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    unknown: int = 0
    conflicts: int = 0
    dead_letters: int = 0
    unsealed: int = 0
    # Acknowledged and not durable within two minutes, as the pupils saw it.
    late: int = 0
    examples: list[str] = []

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or altered."""
        return not (self.lost or self.duplicated or self.altered or self.unknown or self.conflicts or self.dead_letters)


class _Log(msgspec.Struct, gc=False):
    number: int
    course: int
    offset: int
    finish: int


async def reconcile(
    db: asyncpg.Connection[asyncpg.Record],
    sitting: int,
    courses: list[Course],
    devices: pl.DataFrame,
    acks: pl.DataFrame,
) -> Ledger:
    """Compare. `devices` and `acks` are those of `record.Record`, of one generator or of several joined."""
    ledger = Ledger(devices=devices.height)
    acknowledged = acknowledged_runs(acks)
    ledger.acknowledged = sum(last - first + 1 for runs in acknowledged.values() for first, last in runs)
    logs = {
        (attempt, device): _Log(number, course, offset, finish)
        for number, attempt, device, course, offset, finish in devices.select(
            "log", "attempt", "device", "course", "offset", "finish"
        ).iter_rows()
    }
    expected: dict[tuple[int, int, int], str] = {}
    seen: set[int] = set()
    # The stable columns only: anchors and times are the phone's and may differ between two sendings.
    async with db.transaction():
        async for row in db.cursor(DEVICES, sitting, prefetch=5000):
            key = (row["attempt_id"], row["device"].hex)
            ledger.durable += row["rows"]
            ledger.duplicated += row["rows"] - row["seqs"]
            log = logs.get(key)
            if log is None:
                ledger.unknown += row["rows"]
                _example(ledger, f"attempt {key[0]}: a device that nobody played")
                continue
            seen.add(log.number)
            runs = acknowledged.get(log.number, [])
            whole = row["seqs"] == row["newest"]
            plain = row["newest"] - (1 if row["finished"] else 0)
            memo = (log.course, log.offset, plain)
            if memo not in expected:
                expected[memo] = _digest(courses[log.course], log.offset, plain)
            if whole and row["digest"] == expected[memo] and all(last <= row["newest"] for _, last in runs):
                continue
            await _look_closer(db, sitting, key, log, courses[log.course], runs, ledger)
    for number, runs in acknowledged.items():
        if number not in seen:
            ledger.lost += sum(last - first + 1 for first, last in runs)
            _example(ledger, f"log {number}: nothing of it is in Postgres")
    ledger.conflicts = await db.fetchval("select count(*) from response_conflict where sitting_id = $1", sitting)
    ledger.dead_letters = await db.fetchval("select count(*) from dead_letter")
    ledger.unsealed = await db.fetchval(UNSEALED, sitting)
    return ledger


def acknowledged_runs(acks: pl.DataFrame) -> dict[int, list[tuple[int, int]]]:
    """Log → rising ranges of acknowledged seqs that do not overlap."""
    if not acks.height:
        return {}
    rising = (
        acks.sort("log", "first", "last")
        # A range that begins beyond everything before it (and not right behind) begins a run.
        .with_columns(reach=pl.col("last").cum_max().shift(1).over("log").fill_null(0))
        .with_columns(run=(pl.col("first") > pl.col("reach") + 1).cum_sum().over("log"))
        .group_by("log", "run")
        .agg(pl.col("first").min(), pl.col("last").max())
        .sort("log", "first")
    )
    runs: dict[int, list[tuple[int, int]]] = {}
    for log, first, last in rising.select("log", "first", "last").iter_rows():
        runs.setdefault(log, []).append((first, last))
    return runs


def _digest(course: Course, offset: int, count: int) -> str:
    """MD5 of the first `count` events as DEVICES makes it."""
    lines = [
        f"{seq} {KINDS[kind]} {'-' if item is None else item} {'-' if value is None else value}"
        for seq, (kind, item, value) in enumerate(course.rows[offset : offset + count], start=1)
    ]
    return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


async def _look_closer(
    db: asyncpg.Connection[asyncpg.Record],
    sitting: int,
    key: tuple[int, str],
    log: _Log,
    course: Course,
    runs: list[tuple[int, int]],
    ledger: Ledger,
) -> None:
    """Which events of a device differ, and how."""
    held: dict[int, tuple[int, int | None, str | None]] = {
        row["seq"]: (row["kind"], row["item"], row["value"]) for row in await db.fetch(EVENTS, sitting, key[0], key[1])
    }
    for first, last in runs:
        missing = [seq for seq in range(first, last + 1) if seq not in held]
        ledger.lost += len(missing)
        if missing:
            _example(ledger, f"attempt {key[0]}, device {key[1]}: acknowledged seqs {missing[:5]} are not in Postgres")
    for seq, (kind, item, value) in held.items():
        if kind == FINISH:
            continue
        place = log.offset + seq - 1
        sent = course.rows[place] if place < len(course.rows) else None
        if sent is None or (KINDS[sent[0]], sent[1], sent[2]) != (kind, item, value):
            ledger.altered += 1
            _example(ledger, f"attempt {key[0]}, seq {seq}: sent {sent}, Postgres holds {(kind, item, value)}")


def _example(ledger: Ledger, text: str) -> None:
    if len(ledger.examples) < 20:
        ledger.examples.append(text)


DEVICES = """
    select attempt_id, device, count(*)::int as rows, count(distinct seq)::int as seqs, max(seq) as newest,
           bool_or(kind = 10) as finished,
           md5(coalesce(string_agg(
               seq || ' ' || kind || ' ' || coalesce(item::text, '-') || ' ' || coalesce(value, '-'), E'\\n' order by seq
           ) filter (where kind <> 10), '')) as digest
    from response_event
    where sitting_id = $1
    group by attempt_id, device
"""

EVENTS = """
    select seq, kind, item, value from response_event where sitting_id = $1 and attempt_id = $2 and device = $3::text::uuid
"""

UNSEALED = """
    select count(*)
    from attempt a
    where a.sitting_id = $1 and a.finished_at is not null
      and not exists (select 1 from seal where seal.attempt_id = a.id)
"""
