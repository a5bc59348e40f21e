"""Ports for a stack that somebody starts beside others: a benchmark, a test."""

from __future__ import annotations

import os
import random
import socket

from infra.local import Ports

# Below the range from which the system takes ports of outgoing connections (32768 and up on Linux): one that is unused
# now would else be some client's a moment before our server opens it.
# A cluster stands in a block of its own, and its Valkeys talk to each other 10 000 above (infra/cluster/plan.py): those
# are not given to others.
FOR_CLUSTERS = range(11_000, 12_000)
ALL = [port for port in range(15_000, 32_000) if port - 10_000 not in FOR_CLUSTERS]
# Names the share of a process to those that it starts.
HANDED_ON = "ELUMITI_PORTS_SHARE"
# A port that was another server's a moment ago is known to whoever remembers answers by address.
_given: set[int] = set()


def _part(part: int, of: int) -> list[int]:
    return ALL[part::of]


_among = _part(*map(int, os.environ.get(HANDED_ON, "0/1").split("/")))


def share(part: int, of: int) -> None:
    """This process and those it starts choose from their own part: between choosing and opening lie minutes at times.

    Half of the part is for what it starts: they do not know what it has chosen and not opened yet.
    """
    global _among  # noqa: PLW0603
    _among = _part(2 * part, 2 * of)
    os.environ[HANDED_ON] = f"{2 * part + 1}/{2 * of}"


def unused_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, none twice as long as there are others."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_among)
        if len(_given) > len(_among) // 2:
            _given.clear()
        if port in _given:
            continue
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        _given.add(port)
        found.append(port)
    return found


def free_ports() -> Ports:
    """One for each part."""
    names = Ports.__struct_fields__
    return Ports(**dict(zip(names, unused_ports(len(names)), strict=True)))
