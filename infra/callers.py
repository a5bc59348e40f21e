"""Who calls: the address behind proxies that we know, and who may read the figures. Settings name addresses or networks."""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks (`10.0.0.1`, `fd00::/8`) as they stand in settings; ValueError names one that is neither."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def caller(peer: str, forwarded: str | None, trusted_proxies: Iterable[str]) -> str:
    """The caller's address; what a proxy says counts only from the proxies that we know.

    Through several of ours it is the last hop that is none of them: what stands before it, anybody may have written.
    """
    address = _plain(peer)
    if not forwarded:
        return address
    ours = tuple(trusted_proxies)
    hops = forwarded.split(",")
    while hops and _within(address, ours):
        address = _plain(hops.pop().strip())
    return address


def may_measure(peer: str, forwarded: str | None, trusted_proxies: Iterable[str], metrics_from: Iterable[str]) -> bool:
    """Whether `/metrics` is there for this caller.

    A proxy that nobody named may stand on this very machine: what it passes on is not from here, so it is told nothing.
    """
    ours = tuple(trusted_proxies)
    if forwarded and not _within(_plain(peer), ours):
        return False
    return _within(caller(peer, forwarded, ours), tuple(metrics_from))


def place_of(address: str) -> str:
    """What counts as one address: IPv4 whole, of IPv6 the subscriber's 64 bits."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ipaddress.IPv6Network((read, 64), strict=False).network_address)


# Reading an address costs microseconds, and the same few proxies come with every request.
@functools.lru_cache(maxsize=4096)
def _within(address: str, texts: tuple[str, ...]) -> bool:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(read in network for network in _networks(texts))


@functools.lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return networks(texts)


def _plain(address: str) -> str:
    """Without the brackets of IPv6, and IPv4 as itself when it came through an IPv6 socket."""
    return address.strip("[]").removeprefix("::ffff:")
