"""Looking at a cluster's nodes: who holds what, who leads, what lies where."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.protocol import stream_key
from infra.cluster.valkey import whole as all_whole
from infra.valkey import primary_of

if TYPE_CHECKING:
    from infra.cluster.plan import Node
    from infra.cluster.stack import ClusterStack


def client(cluster: ClusterStack, node: Node) -> Redis:
    """One node, asked for itself."""
    return Redis(port=node.port, password=cluster.secrets.valkey_password, socket_timeout=3)


def url(cluster: ClusterStack) -> str:
    """The streams' address as our processes have it."""
    return cluster.plan.valkey_url(cluster.secrets.valkey_password)


async def written_streams(cluster: ClusterStack) -> list[int]:
    """Streams that engines write just now, newest entry first."""
    db = await asyncpg.connect(cluster.owner_url)
    try:
        rows = await db.fetch(
            """
            select stream from stream_position
            where closed_at is null and retired_at is null and id_ms > 0
            order by id_ms desc, stream
            """
        )
    finally:
        await db.close()
    return [row["stream"] for row in rows]


async def primary_node(cluster: ClusterStack, stream: int) -> Node:
    """The primary on which a stream lies."""
    connection = await primary_of(url(cluster), stream_key(stream), 3)
    port = connection.port  # type: ignore[attr-defined]
    return next(node for node in cluster.plan.valkeys if node.port == port)


async def replica_node(cluster: ClusterStack, primary: Node) -> Node:
    """Its replica."""
    for node in cluster.plan.valkeys:
        async with client(cluster, node) as valkey:
            with contextlib.suppress(RedisError, OSError):
                role = await valkey.execute_command("ROLE")
                if role[0] == b"slave" and int(role[2]) == primary.port:
                    return node
    message = f"{primary.name} has no replica"
    raise AssertionError(message)


async def is_primary(cluster: ClusterStack, node: Node) -> bool:
    """Whether a node calls itself one."""
    async with client(cluster, node) as valkey:
        role = await valkey.execute_command("ROLE")
    return role[0] == b"master"


async def whole(cluster: ClusterStack) -> None:
    """AssertionError unless every primary has its replica in step again."""
    clients = [client(cluster, node) for node in cluster.plan.valkeys]
    try:
        assert await all_whole(clients)
    finally:
        for each in clients:
            await each.aclose()
