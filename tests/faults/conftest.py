"""A stack of its own for each module: its parts are killed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.local import Home
from infra.migrate import migrate
from infra.parts.supervisor import Stack, engine_argv, flusher_argv
from infra.parts.unused import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.loop import Loop


@pytest.fixture(scope="module")
def mortal(loop: Loop) -> Iterator[Stack]:
    """Servers, engine and flusher that may be killed; the supervisor brings them back."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-fault-"))
    folder.chmod(0o755)
    stack = Stack(Home(folder, free_ports()))
    stack.overrides = {"engine": {"ELUMITI_REFRESH_EVERY_S": "0.3", "ELUMITI_SAVES_A_MINUTE": "6000"}}
    owner = stack.owner_url

    async def start() -> None:
        await stack.start_servers()
        await migrate(owner, stack.secrets.role_passwords)
        await asyncio.gather(
            stack.start_process("engine", "engine", engine_argv(stack.home, 2), stack.home.ports.engine),
            stack.start_process("flusher", "flusher", flusher_argv()),
        )

    loop.run(start(), 120)
    yield stack
    loop.run(stack.stop(), 120)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def mortal_owner(mortal: Stack) -> str:
    """Its Postgres as owner."""
    return mortal.owner_url
