"""What is done to the ingest of pictures while phones send, and whether anything acknowledged was lost.

These need no sitting that is sat: answers go another way.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import msgspec
import psutil

from infra.parts.supervisor import pictures_argv
from loadtest.bench.figures import machine
from loadtest.bench.picture_phones import CONNECTIONS, picture_of, send_for, tokens_of
from loadtest.bench.snapshots import watched
from loadtest.bench.stack import fresh_stack
from loadtest.chaos.case import Outcome
from loadtest.chaos.outages import mount_small_disk
from loadtest.wire import Pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.database import Db
    from infra.parts.supervisor import Stack

RATE, CALM_S, CANDIDATES = 300, 5.0, 2000
DISK_MB = 64


class PictureCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case by name; `deed` breaks and mends, `trouble_s` is how long it takes."""

    name: str
    told: str
    deed: Callable[[Stack], Awaitable[None]]
    trouble_s: float
    small_disk: bool = False


async def store_down(stack: Stack) -> None:
    """The object store is away for ten minutes."""
    await stack.parts["objects"].down()
    await asyncio.sleep(600)
    await stack.parts["objects"].up()


async def slow_store(stack: Stack) -> None:
    """The store works a tenth of the time for a minute."""
    pid = stack.parts["objects"].pid
    assert pid is not None
    for _ in range(60):
        os.killpg(pid, signal.SIGSTOP)
        await asyncio.sleep(0.9)
        os.killpg(pid, signal.SIGCONT)
        await asyncio.sleep(0.1)


async def kill_workers(stack: Stack, times: int = 6) -> None:
    """All workers die by kill -9, six times, with groups on their disk and segments on their way."""
    for _ in range(times):
        pid = stack.parts["pictures"].pid
        assert pid is not None
        for child in psutil.Process(pid).children():
            if "python" in child.name():
                child.send_signal(signal.SIGKILL)
        await asyncio.sleep(4)


async def fill_disk(stack: Stack) -> None:
    """The spool's disk is full for ten seconds, with the store away, so that nothing leaves it."""
    await stack.parts["objects"].down()
    ballast = stack.home.part("pictures") / "ballast"
    # To the last byte, with phones writing beside it.
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(2**16)):
            pass
    await asyncio.sleep(10)
    ballast.unlink()
    await stack.parts["objects"].up()


CASES = [
    PictureCase(
        name="pictures-store-down", told="the store of pictures is away for 10 minutes", deed=store_down, trouble_s=620
    ),
    PictureCase(
        name="pictures-slow-store", told="the store stands nine tenths of a minute", deed=slow_store, trouble_s=65
    ),
    PictureCase(
        name="pictures-killed",
        told="the ingest dies by kill -9 six times while it writes",
        deed=kill_workers,
        trouble_s=28,
    ),
    PictureCase(
        name="pictures-disk-full",
        told="the spool's disk is full for 10 s with the store away",
        deed=fill_disk,
        trouble_s=25,
        small_disk=True,
    ),
]


async def run_case(case: PictureCase) -> Outcome:
    """Phones send all the time; what was acknowledged is looked up in the index."""
    began = time.monotonic()
    async with fresh_stack() as stack:
        db, sitting = await watched(stack)
        stack.overrides["proctoring"] = {"ELUMITI_SPOOL_FREE_BYTES": "1000000"}
        spool = stack.home.part("pictures")
        if case.small_disk:
            mount_small_disk(spool, DISK_MB)
        try:
            argv = pictures_argv(stack.home, 2)
            await stack.start_process("pictures", "proctoring", argv, stack.home.ports.pictures)
            pool = Pool("127.0.0.1", stack.home.ports.pictures)
            await pool.open(CONNECTIONS // 4)
            tokens = tokens_of(stack, sitting, CANDIDATES)
            sending = asyncio.create_task(send_for(pool, tokens, RATE, case.trouble_s + 2 * CALM_S))
            await asyncio.sleep(CALM_S)
            await case.deed(stack)
            mended = time.monotonic()
            sent = await sending
            pool.close()
            ledger = {(1 + candidate, number) for candidate, number in (picture_of(t, CANDIDATES) for t in sent.turns)}
            await until_indexed(db, sitting, ledger)
            recovery_s = time.monotonic() - mended
            rows = await db.fetch("select attempt_id, seq from picture where sitting_id = $1", sitting)
            await db.close()
        finally:
            if spool.is_mount():
                await stack.parts["pictures"].down()
                subprocess.run(["umount", str(spool)], check=False)  # noqa: ASYNC221 (nothing else runs any more)
    found = [tuple(row) for row in rows]
    refusals = {f"/v1/pictures {status or '-'}": count for status, count in sent.refused.items()}
    return Outcome(
        case=case.name,
        told=case.told,
        acked=len(ledger),
        durable=len(set(found)),
        lost=len(ledger - set(found)),
        duplicated=len(found) - len(set(found)),
        altered=None,
        recovery_s=round(recovery_s, 1),
        refusals=refusals,
        notes={"p99_ms": round(sent.percentile(0.99)), "took_s": round(time.monotonic() - began)},
        machine=machine(),
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


async def until_indexed(db: Db, sitting: int, ledger: set[tuple[int, int]], limit_s: float = 180) -> None:
    """Until the index has what was acknowledged, or the limit: then the ledger says what is lost."""
    limit = time.monotonic() + limit_s
    while time.monotonic() < limit:
        rows = await db.fetch("select attempt_id, seq from picture where sitting_id = $1", sitting)
        if ledger <= {tuple(row) for row in rows}:
            return
        await asyncio.sleep(1)
