"""Parts that stand still or have no room: silence, a full disk, hours of the wrong time."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import redis.asyncio

from infra.errors import PlainError
from infra.local import environment
from infra.settings import EngineSettings, read

if TYPE_CHECKING:
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from loadtest.chaos.case import Scene

DISK_MB = 96
# Some seconds of answers.
ROOM_BYTES = 128 * 1024


async def freeze_valkey(scene: Scene) -> None:
    """Valkey answers nothing for 20 seconds and goes on as if nothing had been."""
    await scene.calm()
    process = scene.process("valkey")
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(20)
    process.send_signal(signal.SIGCONT)


async def postgres_down(scene: Scene) -> None:
    """Postgres is away for five minutes: streams hold all of it, saves go on."""
    await scene.calm()
    part = scene.stack.parts["postgres"]
    await part.down()
    await asyncio.sleep(300)
    await part.up()


async def fill_memory(scene: Scene) -> None:
    """Postgres is away, and half a minute's answers are more than Valkey has room for; then both are given."""
    stack, postgres = scene.stack, scene.stack.parts["postgres"]
    share = read(EngineSettings, environment(stack.home, "engine")).stream_memory_share
    valkey = redis.asyncio.Redis(port=stack.home.ports.valkey, password=stack.secrets.valkey_password)
    await scene.calm()
    try:
        await postgres.down()
        before = await valkey.info("memory")
        bound = int((before["used_memory"] + ROOM_BYTES) / share)
        await valkey.config_set("maxmemory", bound)
        await asyncio.sleep(30)
        full = await valkey.info("memory")
        scene.notes["used of the bound, %"] = round(100 * full["used_memory"] / bound)
        errors = await valkey.info("errorstats")
        scene.notes["writes that Valkey had no room for"] = errors.get("errorstat_OOM", {}).get("count", 0)
        await postgres.up()
        await valkey.config_set("maxmemory", before["maxmemory"])
    finally:
        await valkey.aclose()


async def postgres_down_short(scene: Scene) -> None:
    """The same for fifteen seconds."""
    await scene.calm()
    part = scene.stack.parts["postgres"]
    await part.down()
    await asyncio.sleep(15)
    await part.up()


async def small_disk(stack: Stack) -> None:
    """Valkey's folder gets a disk of its own, a small one."""
    mount_small_disk(stack.home.part("valkey"), DISK_MB)


def mount_small_disk(folder: Path, megabytes: int) -> None:
    """A disk of so many megabytes at a folder; root alone can."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PlainError(f"A small disk cannot be mounted: {done.stderr.strip()}.", "Run this case as root.")


async def fill_disk(scene: Scene) -> None:
    """The disk below the append-only file is full for ten seconds, then there is room again."""
    await scene.calm()
    folder = scene.stack.home.part("valkey")
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        file.write(b"\0" * max(0, shutil.disk_usage(folder).free))
    try:
        await asyncio.sleep(10)
    finally:
        ballast.unlink()
    scene.notes["restarts of Valkey"] = scene.stack.parts["valkey"].restarts


async def wrong_clocks(scene: Scene) -> None:
    """A third of the phones believe that it is three hours later from now on."""
    await scene.calm()
    for candidate in scene.play.driver.candidates[::3]:
        candidate.skew_ms = 3 * 3600 * 1000
    await asyncio.sleep(15)
