"""Pupils under a blow, and the account of it: what was acknowledged against what Postgres holds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from tests.faults.test_kills import TROUBLE, Writer
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.cluster.stack import ClusterStack
    from tests.support.loop import Loop
    from tests.support.sittings import Scene

PUPILS = 6
# Acknowledged events that an account is worth reading from.
ENOUGH = 150
KEPT = Path(__file__).parents[2] / "build" / "chaos"
RECOVERY_LIMIT_S = 90


class Outcome(msgspec.Struct, kw_only=True):
    """One case, as it is kept. `recovery_s`: from the blow until an answer given after it was durable."""

    case: str
    acked: int
    durable: int
    lost: int
    duplicated: int
    altered: int
    recovery_s: float


async def on(loop: Loop, work: Awaitable[object]) -> None:
    """Do something with the parts: they belong to the loop in the thread."""
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop.loop))  # type: ignore[arg-type]


class Load:
    """Pupils who answer and save through the front; `strike` hurts something beneath them."""

    def __init__(self, cluster: ClusterStack, scene: Scene, writers: list[Writer]) -> None:
        self.cluster = cluster
        self.scene = scene
        self.writers = writers
        self.probe = writers[-1].pupil
        self.recovery_s = 0.0
        self._running = [asyncio.create_task(writer.run()) for writer in writers[:-1]]

    async def strike(self, blow: Callable[[], Awaitable[object]]) -> float:
        """Hurt it; seconds until an answer that was given afterwards is in Postgres, and the pupil has heard so."""
        began = time.monotonic()
        await blow()
        await self.recover(began)
        return time.monotonic() - began

    async def recover(self, began: float) -> None:
        """Until an answer given now is durable."""
        probe = self.probe
        probe.answer(next(iter(self.scene.items.values())), int(time.monotonic() * 1000) % 100_000)
        seq, tried = len(probe.log), time.monotonic()
        while seq not in probe.durable:
            assert time.monotonic() - began < RECOVERY_LIMIT_S, "it did not recover"
            if time.monotonic() - tried > 3:
                # What lies on a shard that died is sent again, as the player does after two minutes.
                probe.forget_acks()
                tried = time.monotonic()
            with contextlib.suppress(*TROUBLE):
                await probe.save()
                self.writers[-1].acknowledged |= set(probe.acked)
            await asyncio.sleep(0.05)
        self.recovery_s = max(self.recovery_s, time.monotonic() - began)

    async def settle(self, case: str, owner_url: str) -> Outcome:
        """Let it go on for a while, stop, let everybody become durable, compare event by event, and keep the figures."""
        limit = time.monotonic() + RECOVERY_LIMIT_S
        while sum(len(writer.acknowledged) for writer in self.writers) < ENOUGH:
            assert time.monotonic() < limit, "saves do not go on"
            await asyncio.sleep(0.1)
        for writer in self.writers:
            writer.stopped = True
        await asyncio.gather(*self._running)
        await asyncio.gather(*(writer.settle(RECOVERY_LIMIT_S) for writer in self.writers))
        outcome = await _account(case, self, owner_url)
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"cluster-{case}.json").write_text(json.dumps(msgspec.to_builtins(outcome), indent=2) + "\n")
        print(f"\ncluster-{case}: {outcome.acked} acknowledged, recovered in {outcome.recovery_s:.1f} s", flush=True)
        assert (outcome.lost, outcome.duplicated, outcome.altered) == (0, 0, 0), outcome
        assert outcome.acked >= ENOUGH
        return outcome


async def begin(cluster: ClusterStack) -> Load:
    """A sitting, its pupils inside, everybody saving."""
    scene = await make_sitting(cluster, cluster.owner_url, pupils=PUPILS)
    url = f"http://127.0.0.1:{cluster.home.ports.engine}"
    writers: list[Writer] = []
    for seat in scene.seats:
        pupil = Pupil(url, seat)
        await eventually(pupil.sign_in, limit_s=30)
        await eventually(pupil.start, limit_s=30)
        writers.append(Writer(pupil, list(scene.items.values())))
    load = Load(cluster, scene, writers)
    await load.recover(time.monotonic())
    load.recovery_s = 0.0
    return load


async def _account(case: str, load: Load, owner_url: str) -> Outcome:
    outcome = Outcome(case=case, acked=0, durable=0, lost=0, duplicated=0, altered=0, recovery_s=load.recovery_s)
    db = await asyncpg.connect(owner_url)
    try:
        for writer in load.writers:
            pupil = writer.pupil
            rows = await db.fetch(
                "select seq, item, value from response_event where sitting_id = $1 and attempt_id = $2 order by seq",
                *(load.scene.sitting, pupil.attempt),
            )
            held = {row["seq"]: (row["item"], int(row["value"])) for row in rows}
            log = {event["seq"]: (event["item"], event["value"]) for event in pupil.log}
            conflicts = await db.fetchval("select count(*) from response_conflict where attempt_id = $1", pupil.attempt)
            outcome.acked += len(writer.acknowledged)
            outcome.durable += len(rows)
            # Settled means that everything is durable, acknowledged before or not.
            outcome.lost += len(log.keys() - held.keys())
            outcome.duplicated += len(rows) - len(held)
            outcome.altered += conflicts + sum(held[seq] != said for seq, said in log.items() if seq in held)
        assert await db.fetchval("select count(*) from dead_letter") == 0
    finally:
        await db.close()
    outcome.recovery_s = round(outcome.recovery_s, 2)
    return outcome
