"""`python -m loadtest.bench.beside`: phones that send pictures, in a process of their own beside those that save answers.

It says «ready», begins when a line comes in, and says at the end, as JSON, what became of each acknowledged picture.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import uvloop

from infra.local import Home, Ports
from infra.objects import open_bucket
from infra.parts.supervisor import Stack
from loadtest.bench.picture_phones import CONNECTIONS, picture_of, send_for, tokens_of
from loadtest.bench.snapshots import BUCKET, roll, store_of, until_stored
from loadtest.wire import Pool

if TYPE_CHECKING:
    from collections.abc import Iterable


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which stack, whose pictures, how many a second. `stored`: of the ingest's pictures, so many came before these."""

    home: str
    ports: Ports
    sitting: int
    first: int
    candidates: int
    every_s: float
    seconds: float
    ramp_s: float = 0.0
    connections: int = CONNECTIONS
    stored: int = 0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; times in ms from when a picture was due to its acknowledgement."""

    due: int
    acked: int
    refused: dict[str, int]
    lost: int
    doubled: int
    p50_ms: float
    p99_ms: float
    cpu_s: float
    segments: int
    wrong: int


class Beside:
    """The process, as its parent has it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, asked: Asked) -> Beside:
        """Start it and wait until its connections are open and its tokens signed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest.bench.beside", msgspec.json.encode(asked).decode()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError("the generator of pictures did not start")
        return cls(process)

    async def play(self) -> Told:
        """Let it send; what came of it, when all is stored and compared."""
        told, _ = await self._process.communicate(b"go\n")
        if self._process.returncode:
            raise RuntimeError("the generator of pictures failed")
        return msgspec.json.decode(told, type=Told)


async def play(asked: Asked) -> Told:
    """Send, wait for the store, compare with the index."""
    # The stack runs already; this is its address and its secrets.
    stack = Stack(Home(Path(asked.home), asked.ports))
    tokens = tokens_of(stack, asked.sitting, asked.candidates, asked.first)
    pool = Pool("127.0.0.1", asked.ports.pictures)
    await pool.open(asked.connections)
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    over = asyncio.Event()
    window: dict[str, float] = {"largest_bytes": 0, "segments": 0, "read": 0, "wrong": 0}
    before = time.process_time()
    async with open_bucket(store_of(stack), BUCKET) as bucket:
        janitor = asyncio.create_task(roll(stack, bucket, window, over))
        sent = await send_for(pool, tokens, asked.candidates / asked.every_s, asked.seconds, asked.ramp_s)
        pool.close()
        cpu_s = time.process_time() - before
        await until_stored(stack, asked.stored + sent.acked)
        over.set()
        await janitor
    lost, doubled = await _compare(stack, asked, sent.turns)
    return Told(
        due=sent.due,
        acked=sent.acked,
        refused={str(status): count for status, count in sent.refused.items()},
        lost=lost,
        doubled=doubled,
        p50_ms=round(sent.percentile(0.5)),
        p99_ms=round(sent.percentile(0.99)),
        cpu_s=round(cpu_s, 1),
        segments=round(window["segments"]),
        wrong=round(window["wrong"]),
    )


async def _compare(stack: Stack, asked: Asked, turns: Iterable[int]) -> tuple[int, int]:
    """Acknowledged and not in the index; in the index twice."""
    owner = stack.owner_url
    db = await asyncpg.connect(owner, command_timeout=1800)
    try:
        await db.execute("create temp table acked (attempt_id bigint, seq int)")
        pictures = (picture_of(turn, asked.candidates) for turn in turns)
        await db.copy_records_to_table(
            "acked", records=((asked.first + candidate, number) for candidate, number in pictures)
        )
        lost = await db.fetchval(
            """
            select count(*) from acked a
            where not exists (
                select from picture p where p.sitting_id = $1 and p.attempt_id = a.attempt_id and p.seq = a.seq)
            """,
            asked.sitting,
        )
        doubled = await db.fetchval(
            "select count(*) - count(distinct (attempt_id, seq, taken_ms)) from picture where sitting_id = $1",
            asked.sitting,
        )
        return lost, doubled
    finally:
        await db.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        said = runner.run(play(msgspec.json.decode(sys.argv[1], type=Asked)))
    sys.stdout.buffer.write(msgspec.json.encode(said))
