"""The cluster as one thing that starts, stops and can be hurt."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra.cluster import front, postgres, valkey
from infra.cluster.plan import Plan, remember_settings, replication_password
from infra.errors import PlainError
from infra.migrate import migrate
from infra.parts import objects
from infra.parts import valkey as queue
from infra.parts.postgres import make_database
from infra.parts.process import port_answers
from infra.parts.supervisor import Stack, command_argv, flusher_argv, remember_ports

if TYPE_CHECKING:
    from infra.cluster.plan import Node

# Debian's packages by the program that we start.
TOOLS = {"haproxy": "haproxy", "etcd": "etcd-server"}
STANDBY_LIMIT_S = 120
SBIN = "/usr/sbin:/sbin"


class ClusterStack(Stack):
    """A stack whose servers are many; its processes find them by the home's settings."""

    def __init__(self, plan: Plan, held: int | None = None) -> None:
        super().__init__(plan.home, held)
        self.plan = plan

    async def start_servers(self, postgres_flags: dict[str, str] | None = None, fsync: str = "always") -> None:
        """All servers and both fronts; the database exists and is current afterwards."""
        assert postgres_flags is None, "the cluster has flags of its own"
        assert fsync == "always", "the cluster has one way"
        plan = self.plan
        require_tools()
        remember_ports(self.home)
        remember_settings(plan)
        replication = replication_password(plan)
        commands = [
            *(postgres.etcd(plan, node) for node in plan.etcds),
            *(valkey.command(plan, node, self.secrets) for node in plan.valkeys),
            queue.command(self.home, self.secrets, memory_mb=256),
            objects.command(self.home, self.secrets),
        ]
        await asyncio.gather(*(self.start(command) for command in commands))
        await asyncio.gather(
            valkey.join(plan, self.secrets),
            self._start_postgres(replication),
        )
        await make_database(self.home, self.secrets)
        await migrate(self.owner_url, self.secrets.role_passwords)

    async def _start_postgres(self, replication: str) -> None:
        plan = self.plan
        await asyncio.gather(
            *(self.start(postgres.patroni(plan, node, self.secrets, replication)) for node in plan.postgres),
            self.start(front.command(plan, "database", front.postgres_config(plan), self.home.ports.postgres)),
        )
        limit = time.monotonic() + STANDBY_LIMIT_S
        while await postgres.role(plan, "/primary") is None or await postgres.role(plan, "/synchronous") is None:
            if time.monotonic() > limit:
                what = "Postgres has no synchronous standby."
                raise PlainError(what, f"Logs lie in {plan.folder / 'log'}; without one no COMMIT returns.")
            await asyncio.sleep(0.2)

    async def start_own(self, *, portal: bool) -> None:
        """Two engines, two flushers, the front of the engines; the portal and its workers if asked."""
        plan = self.plan
        text = front.engines_config(plan)
        works = [
            *(self._start_engine(node) for node in plan.engines),
            *(self.start_process(name, "flusher", flusher_argv()) for name in plan.flushers),
            self.start(front.command(plan, "front", text, self.home.ports.engine)),
        ]
        if portal:
            works.append(
                self.start_process(
                    "portal",
                    "portal",
                    command_argv("serve", "portal", "--port", str(self.home.ports.portal)),
                    self.home.ports.portal,
                )
            )
            if importlib.util.find_spec("portal"):
                works.append(self.start_process("work", "portal", command_argv("work")))
                works.append(self.start_process("score-work", "scoring", command_argv("score-work")))
        await asyncio.gather(*works)

    async def _start_engine(self, node: Node) -> None:
        # Snapshots and counters of one machine are not another's.
        self.overrides[node.name] = {"ELUMITI_SNAPSHOT_DIR": str(self.home.part("engine") / node.name)}
        argv = command_argv("serve", "engine", "--port", str(node.port))
        await self.start_process(node.name, "engine", argv, node.port)

    async def reload(self, name: str) -> None:
        """Let a HAProxy read its file anew: connections that are open live on in the old process."""
        pid = self.parts[name].pid
        if pid is None:
            raise PlainError(f"{name} does not run.", f"Its log: {self.home.log(name)}")
        os.kill(pid, signal.SIGUSR2)

    async def kill_postgres(self, node: Node) -> None:
        """As if its machine lost power: Patroni and Postgres at once, and neither comes back by itself."""
        await self.parts[node.name].kill()
        pid = self.home.part(node.name) / "data" / "postmaster.pid"
        if pid.exists():
            kill_tree(int(pid.read_text().split()[0]))

    async def stop(self) -> None:
        """Ours first, then the fronts, Postgres before what it asks, all servers last."""
        ours = [name for name in self.parts if name not in self._servers()]
        for names in (
            ours,
            [node.name for node in self.plan.postgres],
            [name for name in self._servers() if name not in {node.name for node in self.plan.postgres}],
        ):
            await asyncio.gather(*(self.parts[name].down() for name in names if name in self.parts))

    def _servers(self) -> list[str]:
        nodes = [*self.plan.postgres, *self.plan.valkeys, *self.plan.etcds]
        return [*(node.name for node in nodes), "database", "valkey", "objects"]


def kill_tree(pid: int) -> None:
    """Kill -9 a postmaster and its children: alone, it would leave them to end a moment later."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    numbers = [pid, *map(int, children.read_text().split())] if children.exists() else []
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def require_tools() -> None:
    """Debian's HAProxy and etcd: there, or fetched as root, or one line that says how."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SBIN}"
    missing = [package for program, package in TOOLS.items() if not shutil.which(program)]
    if not missing:
        return
    words = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {' and '.join(missing)} …", flush=True)  # noqa: T201 (what the person who runs it reads)
        quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
        for line in ("apt-get update -qq", words):
            subprocess.run(line.split(), env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        # Debian starts them as services of its own; ours have other ports, theirs only take memory.
        for package in ("etcd", "haproxy"):
            subprocess.run(["service", package, "stop"], check=False, capture_output=True)
    if any(not shutil.which(program) for program in TOOLS):
        raise PlainError(f"The cluster needs {' and '.join(missing)}.", f"As root: {words}")


async def require_cluster_ports(plan: Plan) -> None:
    """Every port is free, or one line says which is not."""
    for name, port in plan.all_ports().items():
        if await port_answers(port):
            what = f"Port {port} for {name} is in use by another program."
            raise PlainError(what, "Choose 40 others in a row: elumiti cluster up --first-port NUMBER.")
