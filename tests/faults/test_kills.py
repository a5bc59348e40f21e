"""kill -9 under running answers: every acknowledged event is in Postgres once, and every player ends `durable`.

The players write and save without a pause while parts die one after the other. What was acknowledged is in the
players' own ledgers; at the end these are compared with Postgres, event by event.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import psutil
import pytest
import redis.asyncio

from infra.local import environment
from tests.support.pupil import Pupil, Refused
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop
    from tests.support.sittings import Scene

PUPILS = 12
TROUBLE = (Refused, httpx.HTTPError)
# The player's own limit is 120 s; a test does not wait that long to send again what is not durable.
AGAIN_AFTER_S = 6.0


class Writer:
    """A pupil who answers and saves until told to stop."""

    def __init__(self, pupil: Pupil, items: list[int]) -> None:
        self.pupil = pupil
        self.items = items
        self.stopped = False
        self.acknowledged: set[int] = set()
        self.longest_silence_s = 0.0
        self.turned_away = 0

    async def run(self) -> None:
        """Answer, save, be refused, go on."""
        pupil = self.pupil
        heard = time.monotonic()
        while not self.stopped:
            pupil.answer(random.choice(self.items), random.randrange(1000))
            try:
                await pupil.save()
            except TROUBLE:
                self.turned_away += 1
            else:
                self.acknowledged |= {seq for seq, receipt in pupil.acked.items() if receipt}
                self.longest_silence_s = max(self.longest_silence_s, time.monotonic() - heard)
                heard = time.monotonic()
            await asyncio.sleep(random.uniform(0.05, 0.2))

    async def settle(self, limit_s: float) -> None:
        """Until everything is durable; what is not in time is sent again."""
        pupil = self.pupil
        began = time.monotonic()
        forgot = began
        while len(pupil.durable) < len(pupil.log):
            assert time.monotonic() - began < limit_s, f"{len(pupil.log) - len(pupil.durable)} events not durable"
            if time.monotonic() - forgot > AGAIN_AFTER_S:
                pupil.forget_acks()
                forgot = time.monotonic()
            with contextlib.suppress(*TROUBLE):
                await pupil.save()
            await asyncio.sleep(0.1)


async def kill(stack: Stack, name: str, *, children: bool = False) -> None:
    """Kill -9 a part (or one of its worker processes)."""
    part = stack.parts[name]
    assert part.pid is not None
    process = psutil.Process(part.pid)
    victims = process.children(recursive=True) if children else [process]
    os.kill(victims[0].pid, signal.SIGKILL)


async def wipe_valkey(stack: Stack) -> None:
    """Lose all of Valkey's data: killed, its folder emptied, started again empty."""
    part = stack.parts["valkey"]
    await part.down()
    data = stack.home.part("valkey")
    for path in data.iterdir():
        if path.name != "valkey.conf":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    await part.up()


async def reconcile(scene: Scene, writers: list[Writer], owner_url: str) -> None:
    """Every event of every log is in Postgres once, as it was written; nothing is a conflict or a dead letter."""
    db = await asyncpg.connect(owner_url)
    try:
        for writer in writers:
            pupil = writer.pupil
            rows = await db.fetch(
                "select seq, item, value from response_event where sitting_id = $1 and attempt_id = $2 order by seq",
                *(scene.sitting, pupil.attempt),
            )
            assert [(row["seq"], row["item"], int(row["value"])) for row in rows] == [
                (event["seq"], event["item"], event["value"]) for event in pupil.log
            ]
            assert writer.acknowledged <= {row["seq"] for row in rows}
            conflicts = await db.fetchval("select count(*) from response_conflict where attempt_id = $1", pupil.attempt)
            assert conflicts == 0
        assert await db.fetchval("select count(*) from dead_letter") == 0
    finally:
        await db.close()


async def play(mortal: Stack, owner_url: str, blows: list[str], loop: Loop) -> list[Writer]:
    """Pupils write; the blows fall one after the other; everybody settles; the ledgers are compared."""
    scene = await make_sitting(mortal, owner_url, pupils=PUPILS)
    url = f"http://127.0.0.1:{mortal.home.ports.engine}"
    writers: list[Writer] = []
    for seat in scene.seats:
        pupil = Pupil(url, seat)
        await eventually(pupil.sign_in, limit_s=30)
        await eventually(pupil.start, limit_s=30)
        writers.append(Writer(pupil, list(scene.items.values())))
    running = [asyncio.create_task(writer.run()) for writer in writers]
    await asyncio.sleep(1)
    for blow in blows:
        match blow:
            case "engine worker":
                await kill(mortal, "engine", children=True)
            case "all of valkey's data":
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(wipe_valkey(mortal), loop.loop))
            case name:
                await kill(mortal, name)
        await asyncio.sleep(2)
    for writer in writers:
        writer.stopped = True
    await asyncio.gather(*running)
    await asyncio.gather(*(writer.settle(60) for writer in writers))
    await reconcile(scene, writers, owner_url)
    assert sum(len(writer.acknowledged) for writer in writers) > PUPILS * 2
    return writers


@pytest.mark.parametrize(
    "blow",
    ["engine worker", "flusher", "valkey", "postgres", "all of valkey's data"],
    ids=lambda blow: blow.split()[-1],
)
async def test_nothing_acknowledged_is_lost_when_a_part_is_killed(
    blow: str, mortal: Stack, mortal_owner: str, loop: Loop
) -> None:
    await play(mortal, mortal_owner, [blow], loop)


async def test_nothing_is_lost_when_everything_dies_in_turn(mortal: Stack, mortal_owner: str, loop: Loop) -> None:
    blows = ["flusher", "engine worker", "valkey", "flusher", "postgres", "engine worker"]
    await play(mortal, mortal_owner, blows, loop)


async def test_a_child_whose_phone_died_goes_on_within_ten_seconds_after_a_kill(
    mortal: Stack, mortal_owner: str
) -> None:
    """Re-entry while the flusher has just been killed: the other phone has all answers within ten seconds."""
    scene = await make_sitting(mortal, mortal_owner)
    url = f"http://127.0.0.1:{mortal.home.ports.engine}"
    first = Pupil(url, scene.seats[0])
    await eventually(first.sign_in)
    await eventually(first.start)
    items = list(scene.items.values())
    for item in items:
        first.answer(item, 3)
    await eventually(first.save)
    await kill(mortal, "flusher")
    began = time.monotonic()
    second = Pupil(url, scene.seats[0])
    await second.sign_in()

    async def whole() -> None:
        resumed = await second.call("POST", "/v1/resume", {"device": second.device})
        assert len(resumed["answers"]) == len(items)

    await eventually(whole, limit_s=10)
    assert time.monotonic() - began < 10


async def test_a_receipt_reaches_its_child_though_the_flusher_died_before_it_told_of_it(
    mortal: Stack, mortal_owner: str
) -> None:
    """The seal is committed, no word of it left the flusher, and a kill -9 comes: the next one tells."""
    scene = await make_sitting(mortal, mortal_owner)
    pupil = Pupil(f"http://127.0.0.1:{mortal.home.ports.engine}", scene.seats[0])
    await eventually(pupil.sign_in, limit_s=30)
    await eventually(pupil.start, limit_s=30)
    pupil.answer(next(iter(scene.items.values())), 3)
    await pupil.save_until_durable()
    flusher = psutil.Process(mortal.parts["flusher"].pid)
    flusher.suspend()
    pupil.finish_event()
    await pupil.save("/v1/finish")
    async with redis.asyncio.Redis.from_url(environment(mortal.home, "flusher")["ELUMITI_VALKEY_URL"]) as valkey:
        await valkey.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        try:
            flusher.resume()
            db = await asyncpg.connect(mortal_owner)

            async def is_sealed() -> None:
                assert await db.fetchval("select count(*) from seal where attempt_id = $1", pupil.attempt)

            await eventually(is_sealed, every_s=0.05)
            await db.close()
            flusher.kill()
            await asyncio.to_thread(flusher.wait, 10)
        finally:
            await valkey.execute_command("CLIENT", "UNPAUSE")

    async def has_his_receipt() -> None:
        assert "final" in await pupil.save(events=[])

    await eventually(has_his_receipt, limit_s=30)


async def test_a_flusher_that_loses_postgres_while_it_is_asked_to_stop_stops(mortal: Stack, mortal_owner: str) -> None:
    """In the middle of a write the one hides the other: taken for a trouble it was waited out, for ever."""
    scene = await make_sitting(mortal, mortal_owner)
    pupil = Pupil(f"http://127.0.0.1:{mortal.home.ports.engine}", scene.seats[0])
    await eventually(pupil.sign_in)
    await eventually(pupil.start)
    pupil.answer(next(iter(scene.items.values())), 3)
    flusher = psutil.Process(mortal.parts["flusher"].pid)
    db = await asyncpg.connect(mortal_owner)
    try:
        async with db.transaction():
            await db.execute("lock table response_event in access exclusive mode")
            await eventually(pupil.save)

            async def in_a_write() -> int:
                query = "select pid from pg_locks where not granted and relation = 'response_event'::regclass"
                found: int | None = await db.fetchval(query)
                assert found
                return found

            backend = await eventually(in_a_write)
            # It cannot answer the flusher, which rolls back because it was asked to stop; then the line breaks.
            postgres = psutil.Process(backend)
            postgres.suspend()
            flusher.terminate()

            async def asked_to_cancel() -> None:
                status = Path(f"/proc/{backend}/status").read_text()
                pending = int(status.partition("ShdPnd:")[2].split()[0], 16)
                assert pending & 1 << (signal.SIGINT - 1)

            await eventually(asked_to_cancel)
            postgres.terminate()
            postgres.resume()
            await asyncio.to_thread(flusher.wait, 10)
    finally:
        await db.close()
    # The next one, which the supervisor starts, writes what that one could not.
    await pupil.save_until_durable()
