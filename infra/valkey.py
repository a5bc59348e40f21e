"""Valkey behind one address, whether it is one server or a cluster: only the URL knows.

`redis://:PASSWORD@HOST:PORT/0` is one server, `valkey-cluster://:PASSWORD@HOST:PORT,HOST:PORT,…` a cluster, told of
some of its nodes (with an s, `rediss://` and `valkeys-cluster://`, over TLS). Both kinds of client take the same
commands; what differs is here. A stream's writer has a connection of its own (`primary_of`): no client retries there.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisClusterException, RedisError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Valkey: TypeAlias = "Redis | Cluster"
PLAIN = {"valkey-cluster": "redis", "valkeys-cluster": "rediss"}
CONNECT_LIMIT_S = 2


class Cluster(RedisCluster):
    """redis-py's client, whose own troubles are RedisErrors like all others: who waits them out need not know of it."""

    async def initialize(self) -> Cluster:
        """Read who holds what, if it is not known."""
        with as_redis_error():
            await super().initialize()
        return self

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (an answer is what Valkey says)
        """One command, where it belongs."""
        with as_redis_error():
            return await super().execute_command(*args, **kwargs)

    def get_node_from_key(self, key: str, replica: bool = False) -> ClusterNode | None:  # noqa: FBT001, FBT002 (its way)
        """Which node holds a key."""
        with as_redis_error():
            return super().get_node_from_key(key, replica)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:  # noqa: ANN401 (its way)
        """Commands in one flight a node."""
        del shard_hint
        return Pipeline(self, transaction)  # pyright: ignore[reportAbstractUsage] (redis-py's own pipeline lacks it too)


class Pipeline(ClusterPipeline):
    """The same for a pipeline."""

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 (its way)
        """Send what was gathered."""
        with as_redis_error():
            return await super().execute(raise_on_error, allow_redirections)


@contextlib.contextmanager
def as_redis_error() -> Iterator[None]:
    """What redis-py's cluster client throws besides RedisErrors, as one of them."""
    try:
        yield
    except RedisClusterException as error:
        raise RedisError(str(error)) from error
    except IndexError as error:
        # redis-py's way to say that nobody names a primary.
        raise RedisError("no node of the cluster knows who serves what") from error
    except RuntimeError as error:
        # As in `Steady`; the cluster's client takes no kind of connection but its own.
        raise RedisError(str(error)) from error
    except AttributeError as error:
        if not _is_gone(error):
            raise
        raise RedisError(str(error)) from error


def _is_gone(error: AttributeError) -> bool:
    """redis-py's way to say that somebody else closed the connection in the moment in which it was written to or read."""
    return error.obj is None and error.name in {"writelines", "drain", "readexactly", "read_response", "can_read"}


class Steady(Connection):
    """uvloop says RuntimeError where a connection is closed by the time it is written to: that is a lost connection."""

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        try:
            await super()._send_packed_command(command)
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from error
        except AttributeError as error:
            if not _is_gone(error):
                raise
            raise ConnectionResetError(str(error)) from error


class SteadySecure(Steady, SSLConnection):
    """The same over TLS."""


class Memory(msgspec.Struct, frozen=True):
    """What a primary uses and may use, in bytes; limit 0: as much as the machine has."""

    used: int
    limit: int


class Node(msgspec.Struct, frozen=True):
    """What a node says of itself; `name` is HOST:PORT in a cluster, "" where there is one server alone."""

    name: str
    info: dict[str, Any]
    config: dict[str, str]


class Read(msgspec.Struct, frozen=True):
    """Entries by key; `trouble`: a part of the streams could not be read, the others were."""

    entries: list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]
    trouble: Exception | None = None


def is_cluster(url: str) -> bool:
    """Whether the URL means a cluster."""
    return urlsplit(url).scheme in PLAIN


def connect(url: str, timeout_s: float = 5, connect_s: float = CONNECT_LIMIT_S) -> Valkey:
    """A client for everything but the writing of streams. ValueError: the URL is none."""
    if not is_cluster(url):
        return _steady(Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=connect_s), url)
    options, nodes = _parsed(url)
    options.pop("connection_class", None)
    return Cluster(
        **options,
        ssl=_secure(url),
        startup_nodes=[ClusterNode(host, port) for host, port in nodes],
        # A shard that is away takes nothing from the others.
        require_full_coverage=False,
        # A node that has just started knows of no slots; whoever believed it would forget all others, and for ever.
        dynamic_startup_nodes=False,
        socket_timeout=timeout_s,
        socket_connect_timeout=connect_s,
    )


async def primary_of(url: str, key: str, timeout_s: float) -> AbstractConnection:
    """One connection, not yet open, to the primary that holds `key` now. It never reconnects and never repeats."""
    options, nodes = _parsed(url)
    options.pop("connection_class", None)
    kind = _kind(url)
    host, port = await _owner(url, nodes, key) if is_cluster(url) else nodes[0]
    return kind(
        **options,
        host=host,
        port=port,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_LIMIT_S,
        protocol=2,
    )


async def follower_of(url: str, key: str, timeout_s: float) -> Redis:
    """A client of that one primary: after any trouble it is thrown away, so that a change of primary is never missed."""
    options, nodes = _parsed(url)
    options.pop("connection_class", None)
    host, port = await _owner(url, nodes, key) if is_cluster(url) else nodes[0]
    client = Redis(
        **options,
        host=host,
        port=port,
        ssl=_secure(url),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_LIMIT_S,
    )
    return _steady(client, url)


async def read_after(client: Valkey, after: dict[str, str], count: int) -> Read:
    """Up to `count` entries of each stream after its id."""
    if isinstance(client, Redis):
        # redis-py's own type of the argument is an invariant dict of unions.
        wanted: dict[Any, Any] = {**after}
        return Read(await client.xread(wanted, count=count) or [])
    await client.initialize()
    # One command must stay in one slot, so it is a command a stream; one flight a primary, and each on its own.
    flights: dict[str, list[str]] = {}
    for key in after:
        node = client.get_node_from_key(key)
        flights.setdefault(node.name if node else "", []).append(key)
    answers = await asyncio.gather(
        *(_read_shard(client, keys, after, count) for keys in flights.values()), return_exceptions=True
    )
    entries: list[Any] = []
    trouble: Exception | None = None
    for answer in answers:
        if isinstance(answer, (RedisError, OSError)):
            trouble = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            entries += answer
    return Read(entries, trouble)


async def _read_shard(client: Cluster, keys: list[str], after: dict[str, str], count: int) -> list[Any]:
    pipe = client.pipeline()
    for key in keys:
        pipe.xrange(key, f"({after[key]}", "+", count)
    answers = await pipe.execute()
    return [(key.encode(), entries) for key, entries in zip(keys, answers, strict=True) if entries]


async def clock_ms(client: Valkey, key: str) -> int:
    """The time of day at the primary that holds `key`, Unix milliseconds: of several clocks always the same one."""
    if isinstance(client, Redis):
        seconds, micros = await client.time()
    else:
        await client.initialize()
        seconds, micros = await client.time(target_nodes=client.get_node_from_key(key))
    return int(seconds) * 1000 + int(micros) // 1000


async def beyond(client: Valkey, positions: Mapping[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Of each stream, by its key, that has entries behind its position: the first one's and the newest one's time, ms.

    One round trip for all. RedisError, OSError: Valkey does not answer.
    """
    async with client.pipeline(transaction=False) as pipe:
        for key, (id_ms, id_seq) in positions.items():
            pipe.xrange(key, min=f"({id_ms}-{id_seq}", count=1)
            pipe.xrevrange(key, min=f"({id_ms}-{id_seq}", count=1)
        answers: list[Any] = await pipe.execute()
    times = [int(found[0][0].partition(b"-")[0]) if found else 0 for found in answers]
    return [(first, newest) for first, newest in zip(times[::2], times[1::2], strict=True) if first]


async def memory(client: Valkey) -> list[Memory]:
    """What each primary uses; those that do not answer are left out, unless none does (RedisError, OSError)."""
    if isinstance(client, Redis):
        found: list[Any] = [await client.info("memory")]
    else:
        await client.initialize()
        asked = (client.info("memory", target_nodes=node) for node in client.get_primaries())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = [answer for answer in answers if isinstance(answer, dict)]
        if not found and answers and isinstance(answers[0], BaseException):
            raise answers[0]
    return [Memory(int(info["used_memory"]), int(info["maxmemory"])) for info in found]


async def each_node(client: Valkey) -> list[Node]:
    """What every node of it says of itself, replicas too. RedisError, OSError: one of them does not answer."""
    if isinstance(client, Redis):
        return [Node("", await client.info(), await _config(client))]
    await client.initialize()
    found: list[Node] = []
    for node in sorted(client.get_nodes(), key=lambda node: node.name):
        info: Any = await client.info(target_nodes=node)
        config: Any = await client.config_get("appendfsync", target_nodes=node)
        found.append(Node(node.name, info, config))
    return found


async def _config(client: Redis) -> dict[str, str]:
    try:
        return await client.config_get("appendfsync")
    except ResponseError:
        return {}


async def _owner(url: str, nodes: list[tuple[str, int]], key: str) -> tuple[str, int]:
    """Which node serves the slot of `key`, asked anew each time: connections are opened rarely. RedisError: none does."""
    slot = key_slot(key.encode())
    trouble: Exception = RedisError(f"no node serves slot {slot}")
    for host, port in random.sample(nodes, len(nodes)):
        options, _ = _parsed(url)
        options.pop("connection_class", None)
        asked = Redis(
            **options,
            host=host,
            port=port,
            ssl=_secure(url),
            retry=Retry(NoBackoff(), 0),
            socket_timeout=CONNECT_LIMIT_S,
            socket_connect_timeout=CONNECT_LIMIT_S,
        )
        try:
            ranges: Any = await asked.execute_command("CLUSTER SLOTS")
        except (RedisError, OSError) as error:
            trouble = error
            continue
        finally:
            await asked.aclose()
        for first, last, primary, *_ in ranges:
            if int(first) <= slot <= int(last):
                return (primary[0].decode() or host), int(primary[1])
    raise trouble


def _steady(client: Redis, url: str) -> Redis:
    client.connection_pool.connection_class = _kind(url)
    return client


def _kind(url: str) -> type[Steady]:
    return SteadySecure if _secure(url) else Steady


def _secure(url: str) -> bool:
    return urlsplit(url).scheme in {"rediss", "valkeys-cluster"}


def _parsed(url: str) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """Options of a connection, and the nodes that the URL names."""
    parts = urlsplit(url)
    credentials, at, places = parts.netloc.rpartition("@")
    names = places.split(",") if parts.scheme in PLAIN else [places]
    nodes: list[tuple[str, int]] = []
    options: dict[str, Any] = {}
    for name in names:
        plain = parts._replace(scheme=PLAIN.get(parts.scheme, parts.scheme), netloc=f"{credentials}{at}{name}")
        options = dict(parse_url(plain.geturl()))
        nodes.append((options.pop("host", "localhost"), int(options.pop("port", 6379))))
    return options, nodes
