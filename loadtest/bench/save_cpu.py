"""`save_cpu_us`: CPU time per durable save, beside the usual way, in one run on one machine."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

import asyncpg

from infra.local import decode_key, environment
from infra.parts.process import Command
from infra.parts.supervisor import Stack
from loadtest.bench import peer
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.saves import Candidate, Sent, save_for, sign_in_all
from loadtest.bench.stack import fresh_stack, serve
from loadtest.flushed import until_flushed
from loadtest.scene import BenchScene, make_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from infra.parts.process import Part

RATE = 10_000
SECONDS = 30
PUPILS = 30_000
PEER_RATE = 700
PEER_SECONDS = 20
CONNECTIONS = 600
DURABLE_LIMIT_S = 60


async def measure(rate: int = RATE, seconds: float = SECONDS, pupils: int = PUPILS, workers: int = 1) -> None:
    """Run both, write the figure."""
    async with fresh_stack() as stack:
        owner = stack.owner_url
        _say(f"{pupils} pupils …")
        pack = {**os.environ, **environment(stack.home, "pack")}
        scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), pupils)
        await serve(stack, workers)
        ours, sent = await _ours(stack, scene, owner, rate, seconds)
        theirs = await _theirs(stack, scene, owner)
    per = {name: 1e6 * taken / sent.acked for name, taken in ours.items()}
    total = per["engine"] + per["valkey"] + per["flusher"] + per["postgres"]
    shares = ", ".join(f"{name} {value:.1f}" for name, value in per.items())
    basis = (
        f"{sent.acked} of {sent.due} saves answered at {rate}/s for {seconds:g} s, 3 events a save, 1 % sent again, "
        f"{pupils} pupils on {CONNECTIONS} connections, {workers} engine worker(s), all {sent.events} events durable; "
        f"µs a save: {shares}; p50 {sent.percentile(0.5):.0f} ms, p99 {sent.percentile(0.99):.0f} ms, "
        f"{sent.refused} refused, {sent.lost} lost; from the processes' CPU time, start to the last durable event"
    )
    write(
        Figure(
            metric="save_cpu_us",
            value=round(total, 1),
            unit="µs",
            peer="FastAPI + uvicorn + asyncpg upsert",
            peer_value=round(theirs, 1),
            ratio=round(theirs / total, 2),
            basis=basis,
        )
    )


async def _ours(
    stack: Stack, scene: BenchScene, owner: str, rate: int, seconds: float
) -> tuple[dict[str, float], Sent]:
    host = f"127.0.0.1:{stack.home.ports.engine}"
    pool = Pool("127.0.0.1", stack.home.ports.engine)
    await pool.open(CONNECTIONS)
    await asyncio.sleep(3)
    candidates, took = await sign_in_all(pool, host, scene)
    _say(f"{len(candidates)} signed in in {took:.1f} s; saves …")
    await asyncio.sleep(3)
    meter = Meter({name: pid for name in ("engine", "flusher", "valkey", "postgres") if (pid := stack.parts[name].pid)})
    own = time.process_time()
    sent = await save_for(pool, host, candidates, scene.items, rate, seconds)
    await _durable(owner, scene.sitting, candidates)
    taken = meter.taken() | {"generator": time.process_time() - own}
    pool.close()
    return taken, sent


async def _durable(owner: str, sitting: int, candidates: list[Candidate]) -> None:
    """Wait until Postgres holds every event that was sent and acknowledged."""
    expected = sum(candidate.seq for candidate in candidates)
    db = await asyncpg.connect(owner, command_timeout=120)
    try:
        await until_flushed(db, DURABLE_LIMIT_S)
        held = await db.fetchval("select count(*) from response_event where sitting_id = $1", sitting)
    finally:
        await db.close()
    if held != expected:
        msg = f"{expected} events were sent, Postgres holds {held}."
        raise RuntimeError(msg)


async def _theirs(stack: Stack, scene: BenchScene, owner: str) -> float:
    """µs of CPU a save of the usual way: its server and Postgres."""
    _say("The usual way …")
    port = stack.home.ports.portal
    part: Part = await stack.start(
        Command(
            name="peer",
            argv=[
                *[sys.executable, "-m", "uvicorn", "loadtest.bench.peer:app", "--port", str(port), "--no-access-log"],
                *["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"],
            ],
            environ={"PEER_DATABASE_URL": owner},
            log=stack.home.log("peer"),
            ready=_answers(port),
        )
    )
    candidates = [Candidate(attempt) for attempt, _ in scene.seats[:5000]]
    for candidate in candidates:
        candidate.token, candidate.anchor = peer.sign(candidate.attempt), "0"
    pool = Pool("127.0.0.1", port)
    await pool.open(100)
    host = f"127.0.0.1:{port}"
    await save_for(pool, host, candidates, scene.items, PEER_RATE, 2)
    assert part.pid is not None
    postgres = stack.parts["postgres"].pid
    assert postgres is not None
    meter = Meter({"peer": part.pid, "postgres": postgres})
    sent = await save_for(pool, host, candidates, scene.items, PEER_RATE, PEER_SECONDS)
    taken = meter.taken()
    pool.close()
    return 1e6 * sum(taken.values()) / sent.acked


def _answers(port: int):  # noqa: ANN202 (a closure for Command.ready)
    from infra.parts.process import port_answers

    async def ready() -> bool:
        return await port_answers(port)

    return ready


def _say(line: str) -> None:
    print(line, flush=True)
