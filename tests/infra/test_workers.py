"""Workers of granian that are cut short while they begin: none goes on alone, none is waited for for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from infra.local import Home, environment
from infra.migrate import migrate
from infra.parts.process import STOP_LIMIT_S, granian_argv
from infra.parts.supervisor import engine_argv, pictures_argv
from infra.parts.unused import free_ports, unused_ports
from tests.support.waiting import all_workers_ready, eventually, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.parts.supervisor import Stack


@contextlib.contextmanager
def beginning(folder: Path, when: str) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A server and its two workers, which wait in their beginning, before or after they tie themselves to it."""
    argv = granian_argv("rsgi", "127.0.0.1", unused_ports(1)[0], "--workers", "2", "tests.support.slow_worker:slow")
    server = subprocess.Popen(argv, env=os.environ | {"SLOW": when, "SLOW_FOLDER": str(folder)})
    workers: list[psutil.Process] = []
    try:
        until(lambda: len(list(folder.glob("*.worker"))) == 2, 60)
        workers += [psutil.Process(int(path.stem)) for path in folder.glob("*.worker")]
        yield server, workers
    finally:
        server.kill()
        server.wait()
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_whose_server_is_killed_while_it_begins_ends_too(tmp_path: Path, when: str) -> None:
    """It held the port for ever, and answered there with what was yesterday: SIGTERM is not heard before the loop runs."""
    with beginning(tmp_path, when) as (server, workers):
        server.kill()
        server.wait()
        (tmp_path / "go").touch()
        until(lambda: not any(worker.is_running() for worker in workers))


@pytest.mark.wide
def test_a_server_does_not_wait_for_ever_for_workers_that_begin(tmp_path: Path) -> None:
    """Asked to stop meanwhile they do not know of it; it would stand there with the port, and nobody would start it anew."""
    with beginning(tmp_path, "after") as (server, workers):
        server.terminate()
        # It asks them within a moment, and tells nobody; were it later than that, they would hear it, and nothing fail.
        time.sleep(1)
        (tmp_path / "go").touch()
        server.wait(STOP_LIMIT_S * 2 + 10)
        assert not any(worker.is_running() for worker in workers)


@pytest.mark.parametrize("process", ["engine", "proctoring"])
async def test_what_starts_before_the_schema_serves_as_soon_as_that_is_there(
    stack: Stack, process: str, tmp_path: Path
) -> None:
    """Nobody has to start it again by hand: a worker that could not begin would have said 503 for ever."""
    name = f"late_{process}"
    owner = await asyncpg.connect(stack.owner_url)
    await owner.execute(f"create database {name}")
    home = Home(stack.home.folder, free_ports())
    argv, port = (
        (engine_argv(home, 2), home.ports.engine)
        if process == "engine"
        else (pictures_argv(home, 2), home.ports.pictures)
    )
    stack.overrides[name] = {
        "ELUMITI_DATABASE_URL": environment(stack.home, process, name)["ELUMITI_DATABASE_URL"],
        "ELUMITI_SNAPSHOT_DIR": str(tmp_path),
        "ELUMITI_SPOOL_DIR": str(tmp_path),
    }
    starting = asyncio.create_task(stack.start_process(name, process, argv, port))
    try:
        log = stack.home.log(name)

        async def told() -> None:
            assert log.exists()
            assert "Run `elumiti migrate`." in log.read_text()

        await eventually(told)
        assert not starting.done()
        await migrate(
            environment(stack.home, "owner", name)["ELUMITI_OWNER_DATABASE_URL"], stack.secrets.role_passwords
        )
        await asyncio.wait_for(starting, 30)
        await all_workers_ready(f"http://127.0.0.1:{port}")
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        await stack.parts.pop(name).down()
        await owner.execute(f"drop database {name} with (force)")
        await owner.close()
