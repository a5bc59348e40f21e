"""Answers and pictures together: how many candidates one machine bears with both, and what pictures cost the answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg

from infra.parts.supervisor import pictures_argv
from loadtest.bench.beside import Asked, Beside, Told
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.mass import OUT, SPREAD_S, basis_of, nation_of, require_clean
from loadtest.bench.saves import Sent, save_for
from loadtest.bench.stack import fresh_stack
from loadtest.bench.steady import SAVE_EVERY_S, signed_in
from loadtest.nation.report import write_report
from loadtest.nation.run import Play, play

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from loadtest.scene import BenchScene

CANDIDATES, MINUTES, EVERY_S = 150_000, 10.0, 30.0
GROWTH_CANDIDATES, ROUNDS, SECONDS = 75_000, 3, 30.0
MOST_P99_MS = 500
# Of the pictures that were due: a machine that falls behind bears fewer candidates.
LEAST_PICTURES = 0.99
OURS = ("engine", "flusher", "valkey", "postgres", "pictures", "objects")


async def both(candidates: int, minutes: float, workers: int) -> None:
    """`both_candidates`: a whole sitting at true pace, a save and a picture of each candidate in 30 s."""
    seen: list[tuple[Told, dict[str, float]]] = []

    async def pictures(played: Play) -> None:
        await open_ingest(played.stack, played.scene, 1)
        asked = asked_of(played.stack, played.scene, minutes * 60, ramp_s=SPREAD_S)
        beside = await Beside.start(asked)
        await asyncio.sleep(max(0.0, played.driver.t0 - played.driver.now()))
        meter = Meter({name: pid for name in OURS if (pid := played.stack.parts[name].pid)})
        told = await beside.play()
        seen.append((told, meter.taken()))

    async with fresh_stack() as stack:
        result = await play(stack, nation_of(candidates, minutes, workers), trouble=pictures)
    print(write_report(result, OUT / "both"))
    told, taken = seen[0]
    cpu = ", ".join(f"{name} {value:.0f}" for name, value in taken.items())
    basis = (
        f"{basis_of(result)}; beside them a picture of 12 288 bytes of each in {EVERY_S:g} s, begun over {SPREAD_S:g} s: "
        f"{said(told)}; CPU seconds from T0 until all was stored: {cpu}"
    )
    print(basis)
    require_clean(result)
    _require_kept(told)
    p99 = result.latencies["save"].p99
    if p99 > MOST_P99_MS:
        print(f"No figure: the answers' p99 was {p99:.0f} ms, beyond {MOST_P99_MS}.")
        return
    if told.acked < LEAST_PICTURES * told.due:
        print(
            f"No figure: {told.acked} of {told.due} pictures kept pace; that many candidates send more than this machine takes."
        )
        return
    write(Figure(metric="both_candidates", value=candidates, unit="candidates", basis=basis))


async def growth(candidates: int, rounds: int, seconds: float) -> None:
    """`answers_p99_growth`: saves without and with pictures, by turns, in one run."""
    async with fresh_stack() as stack:
        scene, pool, host, pupils = await signed_in(stack, candidates)
        await open_ingest(stack, scene, 1)
        rate = candidates / SAVE_EVERY_S
        alone: list[float] = []
        beside: list[float] = []
        told: list[Told] = []
        await save_for(pool, host, pupils, scene.items, rate, 5)
        for _ in range(rounds):
            alone += (await save_for(pool, host, pupils, scene.items, rate, seconds)).latencies_ms
            stored = sum(one.acked for one in told)
            phones = await Beside.start(asked_of(stack, scene, seconds + 4, stored=stored))
            playing = asyncio.create_task(phones.play())
            await asyncio.sleep(2)
            beside += (await save_for(pool, host, pupils, scene.items, rate, seconds)).latencies_ms
            told.append(await playing)
            _require_kept(told[-1])
        pool.close()
    before, after = (Sent(latencies_ms=each).percentile(0.99) for each in (alone, beside))
    basis = (
        f"{candidates} candidates, {rate:.0f} saves/s, beside them {candidates / EVERY_S:.0f} pictures/s of 12 288 bytes; "
        f"{rounds} turns of {seconds:g} s each: p99 {before:.1f} ms alone, {after:.1f} ms with pictures; "
        f"{'; '.join(said(one) for one in told)}"
    )
    write(Figure(metric="answers_p99_growth", value=round(100 * (after / before - 1), 1), unit="%", basis=basis))


async def open_ingest(stack: Stack, scene: BenchScene, workers: int) -> None:
    """The sitting is proctored, and the ingest runs."""
    owner = stack.owner_url
    db = await asyncpg.connect(owner)
    try:
        await db.execute("insert into sitting_watch (sitting_id) values ($1)", scene.sitting)
    finally:
        await db.close()
    # What is sent cannot be decoded: the server's sample would only say so.
    stack.overrides["proctoring"] = {"ELUMITI_CHECK_ONE_OF": "1000000"}
    await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, workers), stack.home.ports.pictures)
    await asyncio.sleep(3)


def asked_of(stack: Stack, scene: BenchScene, seconds: float, *, ramp_s: float = 0.0, stored: int = 0) -> Asked:
    """Pictures of everybody in the scene, whose attempts were numbered in one go."""
    attempts = [attempt for attempt, _ in scene.seats]
    assert max(attempts) - min(attempts) + 1 == len(attempts)
    return Asked(
        home=str(stack.home.folder),
        ports=stack.home.ports,
        sitting=scene.sitting,
        first=min(attempts),
        candidates=len(attempts),
        every_s=EVERY_S,
        seconds=seconds,
        ramp_s=ramp_s,
        stored=stored,
    )


def said(told: Told) -> str:
    """In a line."""
    return (
        f"{told.acked} of {told.due} pictures acknowledged, refused {told.refused}, {told.lost} lost, {told.doubled} doubled, "
        f"p50 {told.p50_ms:.0f} ms, p99 {told.p99_ms:.0f} ms, {told.segments} segments, generator {told.cpu_s:.0f} CPU s"
    )


def _require_kept(told: Told) -> None:
    if told.lost or told.wrong:
        raise RuntimeError(f"the ledger of pictures is not clean: {told}")
