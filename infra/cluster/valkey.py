"""Valkey Cluster: six nodes, joined by their own commands; each replica keeps an append-only file like its primary."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.cluster.plan import SHARDS
from infra.errors import PlainError
from infra.parts.valkey import server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.cluster.plan import Node, Plan
    from infra.local import Secrets
    from infra.parts.process import Command

SLOTS = 16384
NODE_TIMEOUT_MS = 2000
MEMORY_MB = 512
JOIN_LIMIT_S = 60


def command(plan: Plan, node: Node, secrets: Secrets) -> Command:
    """How to start one node."""
    lines = [
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        f"cluster-node-timeout {NODE_TIMEOUT_MS}",
        # A shard that is away takes nothing from the others: engines go on with a stream elsewhere.
        "cluster-require-full-coverage no",
        f"masterauth {secrets.valkey_password}",
    ]
    return server(plan.home, secrets, node.name, node.port, lines, memory_mb=MEMORY_MB)


async def join(plan: Plan, secrets: Secrets) -> None:
    """Make the cluster of nodes that run, unless it is made already; returns when each primary has its replica."""
    async with contextlib.AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(_client(node, secrets)) for node in plan.valkeys]
        info = await clients[0].execute_command("CLUSTER INFO")
        if int(_info(info)["cluster_slots_assigned"]) < SLOTS:
            await _make(plan, clients)
        limit = time.monotonic() + JOIN_LIMIT_S
        while not await whole(clients):
            if time.monotonic() > limit:
                raise PlainError("The Valkey cluster did not come together.", f"Logs lie in {plan.folder / 'log'}.")
            await asyncio.sleep(0.1)


async def _make(plan: Plan, clients: list[Redis]) -> None:
    primaries, replicas = clients[:SHARDS], clients[SHARDS:]
    for number, client in enumerate(primaries):
        first, last = number * SLOTS // SHARDS, (number + 1) * SLOTS // SHARDS - 1
        await client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
    for node in plan.valkeys[1:]:
        await clients[0].execute_command("CLUSTER MEET", "127.0.0.1", node.port)
    limit = time.monotonic() + JOIN_LIMIT_S
    for primary, replica in zip(primaries, replicas, strict=True):
        answer: Any = await primary.execute_command("CLUSTER MYID")
        name = answer.decode()
        while True:
            try:
                await replica.execute_command("CLUSTER REPLICATE", name)
                break
            except RedisError:
                # It has not heard of that primary yet: gossip takes a second.
                if time.monotonic() > limit:
                    raise
                await asyncio.sleep(0.1)


async def whole(clients: list[Redis]) -> bool:
    """All slots are served, and every primary has a replica in step."""
    for client in clients:
        with contextlib.suppress(RedisError, OSError):
            state = _info(await client.execute_command("CLUSTER INFO"))
            role: Any = await client.execute_command("ROLE")
            in_step = bool(role[2]) if role[0] == b"master" else role[3] == b"connected"
            if state["cluster_state"] == "ok" and int(state["cluster_slots_ok"]) == SLOTS and in_step:
                continue
        return False
    return True


def _info(answer: Any) -> dict[str, str]:  # noqa: ANN401 (redis-py gives bytes or a dictionary, by version)
    if isinstance(answer, dict):
        return {str(name): str(value) for name, value in answer.items()}
    lines = answer.decode().split()
    return dict(line.split(":", 1) for line in lines)


@contextlib.asynccontextmanager
async def _client(node: Node, secrets: Secrets) -> AsyncIterator[Redis]:
    client = Redis(port=node.port, password=secrets.valkey_password, socket_timeout=5)
    try:
        yield client
    finally:
        await client.aclose()
