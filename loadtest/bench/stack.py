"""A whole stack of its own for a benchmark, in a folder that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from infra.local import Home
from infra.migrate import migrate
from infra.parts.supervisor import Stack, engine_argv, flusher_argv
from infra.parts.unused import free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


def as_on_a_real_machine() -> dict[str, str]:
    """Flags of Postgres that follow the machine (docs/operations/scaling.md): its own memory is a quarter of all."""
    return {"shared_buffers": f"{psutil.virtual_memory().total // 4 // 2**20}MB"}


@contextlib.asynccontextmanager
async def fresh_stack(
    before: Callable[[Stack], Awaitable[None]] | None = None, postgres_flags: dict[str, str] | None = None
) -> AsyncIterator[Stack]:
    """Servers up and migrated; everything is stopped and removed afterwards. `before` prepares the home first."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-bench-"))
    folder.chmod(0o755)
    stack = Stack(Home(folder, free_ports()))
    # All pupils come from one address here.
    stack.overrides = {"engine": {"ELUMITI_SIGN_INS_PER_ADDRESS": "100000000"}}
    asked = False
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def end() -> None:
        nonlocal asked
        asked = True
        task.cancel()

    # Of itself SIGTERM ends this process where it stands: parts that are just beginning outlive it, and so does the folder.
    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        if before:
            await before(stack)
        await stack.start_servers(postgres_flags)
        owner = stack.owner_url
        await migrate(owner, stack.secrets.role_passwords)
        yield stack
    except asyncio.CancelledError:
        if asked:
            raise SystemExit(128 + signal.SIGTERM) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        await stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def serve(stack: Stack, workers: int = 1) -> None:
    """Engine and flusher beside the servers."""
    await asyncio.gather(
        stack.start_process("engine", "engine", engine_argv(stack.home, workers), stack.home.ports.engine),
        stack.start_process("flusher", "flusher", flusher_argv()),
    )
