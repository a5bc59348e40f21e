"""Postgres with a synchronous standby: Patroni decides who leads, etcd remembers it.

`synchronous_mode_strict`: a COMMIT returns when the standby has it too, or waits. So a position that was told is on both
(docs/rules/saving.md, rule 2), and the one that is promoted has it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import msgspec

from infra.errors import PlainError
from infra.parts.postgres import FLAGS, find_binaries
from infra.parts.process import Command

if TYPE_CHECKING:
    from pathlib import Path

    from infra.cluster.plan import Node, Plan
    from infra.local import Secrets

# A leader that says nothing for TTL_S has lost; LOOP_S + 2 × RETRY_S must fit into it.
TTL_S, LOOP_S, RETRY_S = 20, 2, 5
# Postgres refuses to run as root. In a user namespace of its own root is this account, and the files stay ours.
ORDINARY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


def etcd(plan: Plan, node: Node) -> Command:
    """How to start one etcd."""
    peers = ",".join(f"{each.name}=http://127.0.0.1:{each.side}" for each in plan.etcds)
    argv = [
        *["etcd", f"--name={node.name}", f"--data-dir={plan.home.part(node.name)}"],
        *[
            f"--listen-client-urls=http://127.0.0.1:{node.port}",
            f"--advertise-client-urls=http://127.0.0.1:{node.port}",
        ],
        *[
            f"--listen-peer-urls=http://127.0.0.1:{node.side}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{node.side}",
        ],
        *[f"--initial-cluster={peers}", "--initial-cluster-token=elumiti", "--logger=zap", "--log-level=warn"],
        # The disk is shared with five servers that flush all the time: a slow write is no dead leader.
        *["--heartbeat-interval=300", "--election-timeout=3000"],
    ]

    async def ready() -> bool:
        return await answers(f"http://127.0.0.1:{node.port}/health") == 200

    return Command(name=node.name, argv=argv, environ={}, log=plan.home.log(node.name), ready=ready)


def patroni(plan: Plan, node: Node, secrets: Secrets, replication: str) -> Command:
    """How to start one Patroni, which starts and keeps its Postgres."""
    if importlib.util.find_spec("patroni") is None:
        raise PlainError("Patroni is not installed.", "Install with the extra `embedded`.")
    folder = plan.home.part(node.name)
    folder.mkdir(mode=0o700, exist_ok=True)
    config = folder / "patroni.json"
    config.touch(mode=0o600)
    # JSON is YAML too.
    config.write_bytes(msgspec.json.format(msgspec.json.encode(_config(plan, node, secrets, replication, folder))))

    async def ready() -> bool:
        return await answers(f"http://127.0.0.1:{node.side}/health") == 200

    return Command(
        name=node.name,
        argv=[*ordinary(), sys.executable, "-m", "patroni", str(config)],
        environ={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        log=plan.home.log(node.name),
        ready=ready,
        start_limit_s=120,
        stop_limit_s=60,
    )


def ordinary() -> list[str]:
    """What stands before a command that must not be root. PlainError: this machine has no way."""
    if os.geteuid() != 0:
        return []
    if (
        shutil.which("unshare")
        and subprocess.run([*ORDINARY, "true"], check=False, capture_output=True).returncode == 0
    ):
        return ORDINARY
    raise PlainError(
        "Postgres does not run as root, and this machine has no user namespaces.", "Run as another account."
    )


def _config(plan: Plan, node: Node, secrets: Secrets, replication: str, folder: Path) -> dict[str, object]:
    network = "127.0.0.1/32"
    parameters = FLAGS | {
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "wal_log_hints": "on",
        "wal_keep_size": "512MB",
        "max_wal_senders": "8",
        "max_replication_slots": "8",
        "wal_sender_timeout": "10s",
        "wal_receiver_timeout": "10s",
        "tcp_keepalives_idle": "10",
    }
    for own in ("listen_addresses", "port"):
        parameters.pop(own, None)
    return {
        "scope": "elumiti",
        "name": node.name,
        "restapi": {"listen": f"127.0.0.1:{node.side}", "connect_address": f"127.0.0.1:{node.side}"},
        "etcd3": {"hosts": [f"127.0.0.1:{each.port}" for each in plan.etcds]},
        "bootstrap": {
            "dcs": {
                "ttl": TTL_S,
                "loop_wait": LOOP_S,
                "retry_timeout": RETRY_S,
                "synchronous_mode": True,
                "synchronous_mode_strict": True,
                # etcd away: whoever leads goes on while it reaches all the others.
                "failsafe_mode": True,
                "postgresql": {"use_pg_rewind": True, "parameters": parameters},
            },
            # libc and C.UTF-8: with the builtin provider and locale C, trigrams of Cyrillic are empty.
            "initdb": [
                {"encoding": "UTF8"},
                {"locale-provider": "libc"},
                {"locale": "C.UTF-8"},
                "data-checksums",
            ],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{node.port}",
            "connect_address": f"127.0.0.1:{node.port}",
            "data_dir": str(folder / "data"),
            "bin_dir": str(find_binaries()),
            "pgpass": str(folder / "pgpass"),
            "parameters": {"unix_socket_directories": ""},
            "pg_hba": [
                f"host all all {network} scram-sha-256",
                f"host replication replicator {network} scram-sha-256",
            ],
            "authentication": {
                "superuser": {
                    "username": "elumiti_owner",
                    "password": secrets.role_passwords["elumiti_owner"],
                },
                "replication": {"username": "replicator", "password": replication},
            },
        },
        "watchdog": {"mode": "off"},
    }


async def answers(url: str) -> int:
    """The status with which an address answers GET; 0: it does not."""

    def ask() -> int:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (addresses of our own making)
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError):
            return 0

    return await asyncio.to_thread(ask)


async def role(plan: Plan, path: str) -> Node | None:
    """The node of which Patroni says yes to `/primary` or `/synchronous`."""
    for node in plan.postgres:
        if await answers(f"http://127.0.0.1:{node.side}{path}") == 200:
            return node
    return None
