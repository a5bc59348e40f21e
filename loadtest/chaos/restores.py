"""The past comes back: Postgres from a backup, a replica without the last entries made the primary."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import redis.asyncio

from infra.errors import PlainError
from infra.local import Home, environment
from infra.parts import valkey
from infra.parts.unused import free_ports

if TYPE_CHECKING:
    from infra.parts.process import Command
    from infra.parts.supervisor import Stack
    from loadtest.chaos.case import Scene

AGO_S = 300
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


async def restore_postgres(scene: Scene) -> None:
    """A copy of Postgres' folder from five minutes ago replaces it; then `elumiti restored`, as the runbook says."""
    part = scene.stack.parts["postgres"]
    data = _data(part.command)
    copy = data.with_name("copy")
    # As a backup is taken: at rest. Saves go on meanwhile.
    await scene.calm(2)
    await part.down()
    await asyncio.to_thread(subprocess.run, ["cp", "-a", str(data), str(copy)], check=True)
    await part.up()
    await asyncio.sleep(AGO_S)
    scene.began_s = scene.play.driver.now()
    await part.down()
    shutil.rmtree(data)
    copy.rename(data)
    await part.up()
    await _restored(scene.stack)
    scene.notes["restored to seconds ago"] = AGO_S


def _data(command: Command) -> Path:
    return Path(command.argv[command.argv.index("-D") + 1])


async def _restored(stack: Stack) -> None:
    words = [sys.executable, "-m", "infra", "restored"]
    environ = {**os.environ, **environment(stack.home, "restore")}
    done = await asyncio.create_subprocess_exec(*words, env=environ, stdout=asyncio.subprocess.PIPE)
    if await done.wait():
        raise RuntimeError("elumiti restored failed")


class Switch:
    """An address that leads to one server or another: new connections follow it, old ones stay where they are."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.target = 0

    async def open(self, target: int) -> None:
        """Listen, leading to `target`."""
        self.target = target
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self._port)

    async def close(self) -> None:
        """Stop listening and cut what still flows."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(_pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


SWITCHES: dict[Path, Switch] = {}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def require_faketime() -> None:
    """A PlainError without it: a replica whose clock is right would be another case."""
    if not FAKETIME.exists():
        raise PlainError("No faketime here, and a replica's clock must go behind.", "apt-get install faketime")


async def two_valkeys(stack: Stack) -> None:
    """Engine and flusher reach Valkey by a switch; beside the primary stands a replica, with a clock an hour behind."""
    port = free_ports().valkey
    url = f"redis://:{stack.secrets.valkey_password}@127.0.0.1:{port}/0"
    for name in ("engine", "flusher"):
        stack.overrides.setdefault(name, {})["ELUMITI_VALKEY_URL"] = url
    switch = Switch(port)
    SWITCHES[stack.home.folder] = switch
    await switch.open(stack.home.ports.valkey)


async def promote_late_replica(scene: Scene) -> None:
    """The replica stops following, is made the primary two seconds later, and the old primary lives on for a while."""
    stack = scene.stack
    switch = SWITCHES.pop(stack.home.folder)
    ports = msgspec.structs.replace(stack.home.ports, valkey=free_ports().valkey)
    home = Home(stack.home.folder / "replica", ports)
    command = valkey.command(home, stack.secrets)
    environ = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-1h"}
    scene.notes["replica's clock behind, s"] = 3600
    await stack.start(msgspec.structs.replace(command, name="replica", environ=environ))
    primary = redis.asyncio.Redis(port=stack.home.ports.valkey, password=stack.secrets.valkey_password)
    replica = redis.asyncio.Redis(port=ports.valkey, password=stack.secrets.valkey_password)
    try:
        await replica.config_set("masterauth", stack.secrets.valkey_password)
        await replica.replicaof("127.0.0.1", stack.home.ports.valkey)
        await scene.calm(6)
        linked = await replica.info("replication")
        assert linked["master_link_status"] == "up"
        await replica.replicaof("NO", "ONE")
        await asyncio.sleep(2)
        switch.target = ports.valkey
        # The flusher comes anew and finds the promoted one; the engine's streams still write to the old one.
        scene.process("flusher").send_signal(signal.SIGKILL)
        await asyncio.sleep(5)
        held = await primary.info("stats")
        scene.notes["commands of the old primary"] = int(held["total_commands_processed"])
        await stack.parts["valkey"].down()
        await asyncio.sleep(3)
    finally:
        await primary.aclose()
        await replica.aclose()
