"""Saves at an even rate under changing circumstances, in one run: visitors come and go, the nation grows."""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import TYPE_CHECKING

import asyncpg

from infra.local import decode_key, environment
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.saves import Candidate, Sent, save_for, sign_in_all
from loadtest.bench.stack import fresh_stack, serve
from loadtest.nation.run import page_paths
from loadtest.scene import BenchScene, make_scene
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

CONNECTIONS = 600
OURS = ("engine", "flusher", "valkey", "postgres")
SAVE_EVERY_S = 30.0
CURVE = (10_000, 30_000, 100_000, 300_000)


async def visitors(candidates: int = 100_000, rounds: int = 3, seconds: float = 20.0) -> None:
    """`visitors_p99_growth`: saves without and with visitors, by turns; five visitors a candidate in fifteen minutes."""
    async with fresh_stack() as stack:
        scene, pool, host, pupils = await signed_in(stack, candidates)
        rate = candidates / SAVE_EVERY_S
        paths = await page_paths(stack.home.ports.engine)
        guests = Pool("127.0.0.1", stack.home.ports.engine)
        await guests.open(128)
        pages = 5 * candidates / 900
        alone: list[float] = []
        beside: list[float] = []
        seen = 0
        await save_for(pool, host, pupils, scene.items, rate, 5)
        for _ in range(rounds):
            alone += (await save_for(pool, host, pupils, scene.items, rate, seconds)).latencies_ms
            visiting = asyncio.create_task(_visit(guests, host, paths, pages, seconds))
            beside += (await save_for(pool, host, pupils, scene.items, rate, seconds)).latencies_ms
            seen += await visiting
        pool.close()
        guests.close()
    before, after = (Sent(latencies_ms=each).percentile(0.99) for each in (alone, beside))
    basis = (
        f"{candidates} candidates, {rate:.0f} saves/s; {pages:.0f} visitors/s, each with {len(paths)} files, {seen} answers; "
        f"{rounds} turns of {seconds:g} s each: p99 {before:.1f} ms alone, {after:.1f} ms beside them"
    )
    write(Figure(metric="visitors_p99_growth", value=round(100 * (after / before - 1), 1), unit="%", basis=basis))


async def curve(sizes: tuple[int, ...] = CURVE, seconds: float = 30.0) -> None:
    """CPU a save for each size, each on a stack of its own: by the load of the largest, and at each one's true pace.

    `cost_curve_spread` is the first: whether a pupil of a large sitting costs more than one of a small one, all else being
    equal. `cost_curve_true_pace_spread` is the second, in which a small sitting shares its wakings with nobody
    (docs/decisions/0075-two-cost-curves.md).
    """
    full = max(sizes) / SAVE_EVERY_S
    loaded: dict[int, float] = {}
    paced: dict[int, float] = {}
    loaded_lines: list[str] = []
    paced_lines: list[str] = []
    for size in sizes:
        async with fresh_stack() as stack:
            scene, pool, host, pupils = await signed_in(stack, size)
            # Nobody saves in the order of sign-in for long, and memory is dear to who comes in no order.
            random.Random(size).shuffle(pupils)
            rate = size / SAVE_EVERY_S
            costs, line = await _cost(stack, scene, pool, host, pupils, rate, seconds)
            paced[size] = costs
            paced_lines.append(line)
            if rate < full:
                costs, line = await _cost(stack, scene, pool, host, pupils, full, seconds)
            loaded[size] = costs
            loaded_lines.append(line)
            pool.close()
    spread, paced_spread = (100 * (max(each.values()) / min(each.values()) - 1) for each in (loaded, paced))
    basis = f"CPU a save, pupils in random order, all sizes at {full:.0f} saves/s: {'; '.join(loaded_lines)}"
    pace = f"each at its true pace, one save in {SAVE_EVERY_S:g} s: {'; '.join(paced_lines)}"
    write(
        Figure(
            metric="cost_curve_spread",
            value=round(spread, 1),
            unit="%",
            basis=f"{basis}. At true pace the spread is {paced_spread:.0f} % (`cost_curve_true_pace_spread`)",
        )
    )
    write(Figure(metric="cost_curve_true_pace_spread", value=round(paced_spread, 1), unit="%", basis=pace))


async def _cost(
    stack: Stack, scene: BenchScene, pool: Pool, host: str, pupils: list[Candidate], rate: float, seconds: float
) -> tuple[float, str]:
    """µs of CPU a save of all parts at a rate, and whose it was."""
    await save_for(pool, host, pupils, scene.items, rate, 5)
    meter = Meter({name: pid for name in OURS if (pid := stack.parts[name].pid)})
    sent = await save_for(pool, host, pupils, scene.items, rate, seconds)
    await asyncio.sleep(2)
    taken = meter.taken()
    cost = 1e6 * sum(taken.values()) / sent.acked
    shares = ", ".join(f"{name} {1e6 * value / sent.acked:.0f}" for name, value in taken.items())
    line = f"{len(pupils)}: {cost:.1f} µs ({shares}; {rate:.0f}/s, p99 {sent.percentile(0.99):.0f} ms)"
    print(line, flush=True)
    return cost, line


async def signed_in(
    stack: Stack, count: int, starts_in_s: float = 3600
) -> tuple[BenchScene, Pool, str, list[Candidate]]:
    """So many pupils with tokens of a sitting of their own, the connections for their saves, and the host's name."""
    owner = stack.owner_url
    pack = {**os.environ, **environment(stack.home, "pack")}
    scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), count, starts_in_s=starts_in_s)
    await serve(stack)
    pool = Pool("127.0.0.1", stack.home.ports.engine)
    await pool.open(CONNECTIONS)
    await asyncio.sleep(3)
    host = f"127.0.0.1:{stack.home.ports.engine}"
    candidates, _ = await sign_in_all(pool, host, scene)
    db = await asyncpg.connect(owner)
    try:
        # Until the flusher has taken the sign-ins in.
        while await db.fetchval("select count(*) from attempt where sitting_id = $1", scene.sitting) < count:
            await asyncio.sleep(0.5)
    finally:
        await db.close()
    return scene, pool, host, candidates


async def _visit(pool: Pool, host: str, paths: list[str], pages: float, seconds: float) -> int:
    """Visitors at an even rate; returns answers."""
    asked = [request("GET", host, path, b"") for path in paths]
    waiting: list[bytes] = []
    answers = 0
    clock = time.perf_counter
    began, due = clock(), 0

    def done_of(connection: object) -> object:
        def done(status: int, _body: bytes) -> None:
            nonlocal answers
            answers += status == 200
            if status:
                pool.idle.append(connection)  # type: ignore[arg-type]

        return done

    while (now := clock() - began) < seconds:
        while due < now * pages:
            due += 1
            waiting += asked
        while waiting and pool.idle:
            connection = pool.idle.pop()
            connection.send(waiting.pop(), done_of(connection))  # type: ignore[arg-type]
        await asyncio.sleep(0.005)
    return answers
