"""A whole installation of its own, which the doctor examines and tests may spoil, and `elumiti` as a real process."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from infra.local import Home
from infra.migrate import migrate
from infra.parts.supervisor import Stack, command_argv, engine_argv, flusher_argv, pictures_argv, portal_argv
from infra.parts.unused import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.loop import Loop


def plain_environ() -> dict[str, str]:
    """This process's variables without any of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ELUMITI_")}


def elumiti(*words: str, environ: dict[str, str], limit_s: float = 60) -> subprocess.CompletedProcess[str]:
    """One command to its end, as a person runs it."""
    argv = [sys.executable, "-m", "infra", *words]
    return subprocess.run(
        argv, env=plain_environ() | environ, capture_output=True, text=True, timeout=limit_s, check=False
    )


@pytest.fixture(scope="module")
def whole(loop: Loop) -> Iterator[Stack]:
    """Servers and all our own processes that listen, as `elumiti up` leaves them."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-infra-"))
    folder.chmod(0o755)
    stack = Stack(Home(folder, free_ports()))
    (folder / "ports.json").write_bytes(msgspec.json.encode(stack.home.ports))
    owner = stack.owner_url

    async def start() -> None:
        await stack.start_servers()
        await migrate(owner, stack.secrets.role_passwords)
        await asyncio.gather(
            stack.start_process("engine", "engine", engine_argv(stack.home, 1), stack.home.ports.engine),
            stack.start_process("flusher", "flusher", flusher_argv()),
            stack.start_process("portal", "portal", portal_argv(stack.home), stack.home.ports.portal),
            stack.start_process("status", "status-page", command_argv("status-page"), stack.home.ports.status),
            stack.start_process("pictures", "proctoring", pictures_argv(stack.home), stack.home.ports.pictures),
            stack.start_process("proctoring", "proctoring", command_argv("proctoring"), stack.home.ports.look),
            stack.start_process("live", "live", command_argv("live"), stack.home.ports.live),
        )

    loop.run(start(), 120)
    yield stack
    loop.run(stack.stop(), 120)
    shutil.rmtree(folder, ignore_errors=True)
