"""The form of many machines, once a run: its parts are killed, held down, and started again."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.cluster.plan import BUS, PORTS, Plan
from infra.cluster.stack import ClusterStack, require_tools
from infra.errors import PlainError
from infra.local import load_secrets
from infra.parts.unused import FOR_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.loop import Loop


def free_block() -> int:
    """The lowest of 40 ports in a row, with the bus ports above them, that nobody listens on."""
    for first in FOR_CLUSTERS[::PORTS]:
        taken = False
        for port in [*range(first, first + PORTS), *range(first + BUS, first + BUS + PORTS)]:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    taken = True
                    break
        if not taken:
            return first
    message = "no 40 free ports in a row"
    raise AssertionError(message)


@pytest.fixture(scope="session")
def cluster(loop: Loop) -> Iterator[ClusterStack]:
    """Valkey Cluster, Postgres with its standby, two engines, two flushers, both fronts."""
    try:
        require_tools()
    except PlainError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="elumiti-cluster-"))
    plan = Plan(folder, free_block())
    load_secrets(plan.home)
    stack = ClusterStack(plan)
    stack.overrides = {"engine": {"ELUMITI_REFRESH_EVERY_S": "0.3", "ELUMITI_SAVES_A_MINUTE": "6000"}}

    async def start() -> None:
        await stack.start_servers()
        await stack.start_own(portal=False)

    async def stop() -> None:
        # The data go away: nothing is gained by ending in order, which takes Patroni its time.
        for node in plan.postgres:
            if node.name in stack.parts:
                await stack.kill_postgres(node)
        await asyncio.gather(*(part.kill() for part in stack.parts.values()))

    try:
        loop.run(start(), 240)
        yield stack
    finally:
        loop.run(stop(), 120)
        shutil.rmtree(folder, ignore_errors=True)
