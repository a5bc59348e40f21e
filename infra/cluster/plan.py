"""Who listens where: every node of the cluster by its name."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from infra.local import Home, Ports, load_secrets
from infra.settings import write

if TYPE_CHECKING:
    from pathlib import Path

# A Valkey node talks to the others on its port + 10 000.
BUS = 10_000
SHARDS = 3
FIRST_PORT = 7100
PORTS = 40


class Node(msgspec.Struct, frozen=True):
    """A process and its ports: what it serves, and what its peers or its keeper ask it on."""

    name: str
    port: int
    side: int = 0


class Plan(msgspec.Struct, frozen=True):
    """All of them; `first` is the lowest of 40 ports in a row."""

    folder: Path
    first: int = FIRST_PORT

    @property
    def home(self) -> Home:
        """The home as the usual commands see it: the two fronts stand where the single servers stood."""
        at = self.first
        ports = Ports(engine=at, portal=at + 1, postgres=at + 2, valkey=at + 3, objects=at + 4)
        return Home(self.folder, ports)

    @property
    def valkeys(self) -> list[Node]:
        """Three primaries, then three replicas."""
        return [Node(f"valkey-{number + 1}", self.first + 10 + number) for number in range(2 * SHARDS)]

    @property
    def etcds(self) -> list[Node]:
        """Patroni's memory: three, so that one may die."""
        return [Node(f"etcd-{number + 1}", self.first + 20 + number, self.first + 23 + number) for number in range(3)]

    @property
    def postgres(self) -> list[Node]:
        """Postgres and the port of its Patroni."""
        return [
            Node(f"postgres-{number + 1}", self.first + 26 + number, self.first + 28 + number) for number in range(2)
        ]

    @property
    def engines(self) -> list[Node]:
        """Behind the front."""
        return [Node(f"engine-{number + 1}", self.first + 30 + number) for number in range(2)]

    @property
    def flushers(self) -> list[str]:
        """They share all streams: whoever moves a position first has written."""
        return ["flusher-1", "flusher-2"]

    def valkey_url(self, password: str) -> str:
        """The address of the streams."""
        nodes = ",".join(f"127.0.0.1:{node.port}" for node in self.valkeys)
        return f"valkey-cluster://:{password}@{nodes}"

    def all_ports(self) -> dict[str, int]:
        """Every port by who listens, for the check that all are free."""
        ports = {f"{name} (front)": getattr(self.home.ports, name) for name in self.home.ports.__struct_fields__}
        for node in [*self.valkeys, *self.etcds, *self.postgres, *self.engines]:
            ports[node.name] = node.port
            if node.side:
                ports[f"{node.name} (side)"] = node.side
        ports |= {f"{node.name} (bus)": node.port + BUS for node in self.valkeys}
        return ports


def remember_settings(plan: Plan) -> None:
    """What the home's processes read otherwise than on one machine (see `infra.local.environment`)."""
    drawn = load_secrets(plan.home)
    streams = plan.valkey_url(drawn.valkey_password)
    settings = {
        "engine": write({"valkey_url": streams, "trusted_proxies": ["127.0.0.1"]}),
        "flusher": write({"valkey_url": streams}),
        "restore": write({"valkey_url": streams}),
        "portal": write({"streams_url": streams}),
    }
    path = plan.folder / "settings.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(settings))


def replication_password(plan: Plan) -> str:
    """Drawn once; only the Postgres nodes know it."""
    path = plan.folder / "replication.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18))
    return path.read_text()
