"""Parts that die: kill -9, one after the other, also in the worst moment."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import time
from typing import TYPE_CHECKING

import asyncpg
import psutil

if TYPE_CHECKING:
    from loadtest.chaos.case import Scene

TIMES = 4


async def kill_workers(scene: Scene) -> None:
    """Each of the engine's workers, and again."""
    await scene.calm()
    for _ in range(TIMES):
        for worker in scene.workers()[:1]:
            worker.send_signal(signal.SIGKILL)
        await asyncio.sleep(2)


async def kill_flusher(scene: Scene) -> None:
    """The flusher, wherever it stands."""
    await scene.calm()
    for _ in range(TIMES):
        scene.process("flusher").send_signal(signal.SIGKILL)
        await _is_back(scene, "flusher")
        await asyncio.sleep(1)


async def kill_flusher_at_commit(scene: Scene) -> None:
    """The flusher between its COPY and the return of its COMMIT: held there by a trigger that waits at the commit."""
    await scene.calm()
    db = await asyncpg.connect(scene.play.owner_url)
    partition = f"response_event_{scene.play.scene.sitting}"
    await db.execute(HOLD.format(partition=partition))
    caught = 0
    try:
        for _ in range(TIMES):
            limit = time.monotonic() + 10
            while time.monotonic() < limit:
                if await db.fetchval("select count(*) from pg_stat_activity where wait_event = 'PgSleep'"):
                    scene.process("flusher").send_signal(signal.SIGKILL)
                    caught += 1
                    break
                await asyncio.sleep(0.01)
            await _is_back(scene, "flusher")
    finally:
        await db.execute("drop function chaos_hold cascade")
        await db.close()
    scene.notes["killed at the commit"] = caught


async def kill_valkey(scene: Scene) -> None:
    """Valkey; its append-only file stays."""
    await scene.calm()
    for _ in range(2):
        scene.process("valkey").send_signal(signal.SIGKILL)
        await _is_back(scene, "valkey")
        await asyncio.sleep(2)


async def kill_postgres(scene: Scene) -> None:
    """Postgres' first process; the others end by themselves."""
    await scene.calm()
    for _ in range(2):
        scene.process("postgres").send_signal(signal.SIGKILL)
        await _is_back(scene, "postgres")
        await asyncio.sleep(2)


async def wipe_valkey(scene: Scene) -> None:
    """Valkey comes back with nothing: all that was not yet in Postgres is gone from the servers."""
    await scene.calm()
    part = scene.stack.parts["valkey"]
    # Held up first, so that there is something to lose.
    scene.process("flusher").send_signal(signal.SIGSTOP)
    await asyncio.sleep(3)
    held = scene.process("flusher")
    await part.down()
    shutil.rmtree(scene.stack.home.part("valkey") / "appendonlydir")
    await part.up()
    held.send_signal(signal.SIGCONT)


async def freeze_worker(scene: Scene) -> None:
    """A worker stands still with its XADD on the wire, is replaced, and wakes up again."""
    await scene.calm()
    valkey, worker = scene.process("valkey"), scene.workers()[0]
    valkey.send_signal(signal.SIGSTOP)
    await asyncio.sleep(0.4)
    worker.send_signal(signal.SIGSTOP)
    valkey.send_signal(signal.SIGCONT)
    # Its streams' entries are written, its answers are not sent. Pupils go to the others meanwhile.
    await asyncio.sleep(12)
    worker.send_signal(signal.SIGCONT)
    await asyncio.sleep(2)
    with contextlib.suppress(psutil.NoSuchProcess):
        worker.send_signal(signal.SIGKILL)


async def two_flushers(scene: Scene) -> None:
    """A second flusher beside the first, which is then frozen for a while with its transaction open."""
    from infra.parts.supervisor import flusher_argv

    await scene.calm()
    await scene.stack.start_process("flusher-2", "flusher", flusher_argv())
    for _ in range(TIMES):
        await asyncio.sleep(2)
        process = scene.process("flusher")
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5)
        process.send_signal(signal.SIGCONT)


async def _is_back(scene: Scene, name: str) -> None:
    limit = time.monotonic() + 60
    ready = scene.stack.parts[name].command.ready
    await asyncio.sleep(0.3)
    while time.monotonic() < limit:
        with contextlib.suppress(Exception):
            if scene.stack.parts[name].pid and await ready():
                return
        await asyncio.sleep(0.1)
    msg = f"{name} did not come back"
    raise TimeoutError(msg)


# A deferred trigger runs at COMMIT, after the COPY; it sleeps once a transaction.
HOLD = """
    create function chaos_hold() returns trigger language plpgsql security definer as
    $$
    begin
        if coalesce(current_setting('chaos.held', true), '') = '' then
            perform set_config('chaos.held', 'yes', true);
            perform pg_sleep(0.4);
        end if;
        return null;
    end
    $$;
    create constraint trigger chaos_hold after insert on {partition}
    deferrable initially deferred for each row execute function chaos_hold()
"""
