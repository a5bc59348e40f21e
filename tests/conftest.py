"""The real stack, once a run: Postgres, Valkey and the object store, on free ports, in a folder that goes away."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

# Read now, in the main thread: CPython 3.11 before 3.11.8 fails («AST constructor recursion depth mismatch») when two
# threads compile modules at the same time, and the parts' loop has a thread of its own.
import aioboto3  # noqa: F401
import hypothesis
import pytest

from infra.local import Home
from infra.migrate import migrate
from infra.parts.supervisor import Stack, engine_argv, flusher_argv
from infra.parts.unused import free_ports, share
from tests.support import aftermath

# A machine that does something else too is no fault of what is tested.
hypothesis.settings.register_profile("calm", deadline=None)
hypothesis.settings.load_profile("calm")
# Three processes of tests start stacks beside each other.
share(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4, of=4)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.support.loop import Loop

# The servers of this process and the loop that they live in, once there are any.
RUNNING: pytest.StashKey[tuple[Stack, Loop]] = pytest.StashKey()

# A line for each request of each test: drawn for a report that only a failure has.
logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a failure in a run that cannot be repeated: what the parts said, and what Postgres waited for."""
    report = yield
    if not report.failed:
        return report
    # Also those that a test has for itself, to kill them.
    stacks = [own for own in getattr(item, "funcargs", {}).values() if isinstance(own, Stack)]
    running = item.config.stash.get(RUNNING, None)
    if running is not None:
        stacks.append(running[0])
    for stack in dict.fromkeys(stacks):
        report.sections += aftermath.last_words(stack)
    if running is not None:
        stack, loop = running
        try:
            waits = loop.run(aftermath.waiting(stack), 15)
        except Exception as error:  # noqa: BLE001 (a report of a failure must not fail)
            waits = repr(error)
        report.sections.append(("Postgres at work", waits))
    return report


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """One event loop for the parts, running in a thread: synchronous tests use it too."""
    from tests.support.loop import Loop

    background = Loop()
    yield background
    background.close()


@pytest.fixture(scope="session")
def stack(loop: Loop, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The servers, migrated."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-test-"))
    # As root, Postgres runs under another account: let it in.
    folder.chmod(0o755)
    stack = Stack(Home(folder, free_ports()))
    stack.overrides = {
        "engine": {
            "ELUMITI_REFRESH_EVERY_S": "0.3",
            "ELUMITI_BODY_LIMIT_S": "3",
            "ELUMITI_RE_ENTRIES_A_MINUTE": "60",
            # The tests' pupils save many times a second.
            "ELUMITI_SAVES_A_MINUTE": "6000",
            "ELUMITI_REFUSAL_REST_S": "0",
        },
        "flusher": {"ELUMITI_PULSE_EVERY_S": "1"},
    }

    async def start() -> None:
        await stack.start_servers()
        await migrate(stack.owner_url, stack.secrets.role_passwords)

    loop.run(start(), 120)
    pytestconfig.stash[RUNNING] = stack, loop
    yield stack
    del pytestconfig.stash[RUNNING]
    loop.run(stack.stop(), 120)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def owner_url(stack: Stack) -> str:
    """Postgres as the schema's owner: for setting scenes and for looking."""
    return stack.owner_url


@pytest.fixture(scope="session")
def service(stack: Stack, loop: Loop) -> str:
    """Engine (two workers) and flusher beside the servers; the engine's address."""

    async def start() -> None:
        await stack.start_process("engine", "engine", engine_argv(stack.home, 2), stack.home.ports.engine)
        await stack.start_process("flusher", "flusher", flusher_argv())

    loop.run(start(), 60)
    return f"http://127.0.0.1:{stack.home.ports.engine}"
