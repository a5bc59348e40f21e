"""Who calls: the address behind a proxy that we know, and who may read the figures."""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def caller(peer: str, forwarded: str | None, trusted_proxies: Collection[str]) -> str:
    """The caller's address; what a proxy says counts only from the proxies that we know."""
    address = _plain(peer)
    if forwarded and among(address, trusted_proxies):
        return _plain(forwarded.rpartition(",")[2].strip())
    return address


def may_measure(
    peer: str, forwarded: str | None, trusted_proxies: Collection[str], metrics_from: Collection[str]
) -> bool:
    """Whether `/metrics` is there for this caller.

    A proxy that nobody named may stand on this very machine: what it passes on is not from here, so it is told nothing.
    """
    if forwarded and not among(_plain(peer), trusted_proxies):
        return False
    return among(caller(peer, forwarded, trusted_proxies), metrics_from)


def among(address: str, places: Collection[str]) -> bool:
    """Whether an address is named, itself or by its network (10.0.0.0/8): containers get another one each time."""
    return address in places or any("/" in place and _holds(place, address) for place in places)


@functools.lru_cache(4096)
def _holds(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _plain(address: str) -> str:
    """Without the brackets of IPv6, and IPv4 as itself when it came through an IPv6 socket."""
    return address.strip("[]").removeprefix("::ffff:")
