"""Ports for a stack that somebody starts beside others: a benchmark, a test."""

from __future__ import annotations

import random
import socket

from infra.local import Ports

# Below the range from which the system takes ports of outgoing connections (32768 and up on Linux): one that is unused
# now would else be some client's a moment before our server opens it.
ALL = range(15_000, 32_000)
_among = ALL
# A port that was another server's a moment ago is known to whoever remembers answers by address.
_given: set[int] = set()


def share(part: int, of: int) -> None:
    """This process chooses from its own part of all: between choosing and opening lie seconds, and others choose too."""
    global _among  # noqa: PLW0603
    _among = ALL[part::of]


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
