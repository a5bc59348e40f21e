"""Asking addresses that data names: other people's servers, never our own network (SAFETY P3, P4).

HTTPS alone; the name is resolved here, each of its addresses must be public, and the connection goes to one of those
that were checked (a name that answers differently the second time gains nothing). The socket looks once more: whatever
a spelling slips past the words of an address, no number of ours is connected to. Redirects are not followed, nothing is
unpacked, the answer's time and size are bounded. `loopback` opens this very machine, without HTTPS too: for the demo and the tests.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.settings import PortalSettings

LIMIT_S = 5.0
MOST_BYTES = 2**18
LOOPBACK_NAMES = frozenset({"localhost"})
# An IPv4 address in the clothes of IPv6, by which a gateway would reach it (RFC 6052).
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that IANA has given out to hosts of the internet; what lies outside is local, old or for experiments.
UNICAST = ipaddress.ip_network("2000::/3")


class OutboundRefused(Exception):
    """The address is none that we ask."""


class OutboundFailed(Exception):
    """Nobody answered there in time, or with more than we take."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; OutboundFailed if it is none."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OutboundFailed("no JSON object") from error


def may_loop(settings: PortalSettings) -> bool:
    """Whether this machine itself may be asked: only by a demo, which listens to nobody else."""
    return settings.demo


def is_public(address: str) -> bool:
    """Whether an address is one of the internet: not private, local, shared, set aside or for many."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(read, ipaddress.IPv6Address):
        inner = read.ipv4_mapped or read.sixtofour
        if read in NAT64:
            inner = ipaddress.IPv4Address(int(read) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if read not in UNICAST:
            return False
    return read.is_global and not read.is_multicast


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def require_askable(url: str, *, loopback: bool) -> bool:
    """Refuse what no name server needs to be asked about: another scheme, a login in the address, a bare local number.

    Whether it is this very machine. Read by what the client reads it with: «127。0。0。1» is a name only until then.
    """
    try:
        parts = URL(url)
        host, _ = parts.raw_host or "", parts.port
    except ValueError as error:
        raise OutboundRefused("no address") from error
    here = loopback and (host in LOOPBACK_NAMES or _is_loopback(host))
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise OutboundRefused("https is needed")
    if not host or parts.raw_user is not None or parts.raw_password is not None:
        raise OutboundRefused("a plain host is needed")
    if not here and (":" in host or host.replace(".", "").isdigit()) and not is_public(host):
        raise OutboundRefused("not a public address")
    return here


def _opens(*, here: bool) -> Callable[[tuple[Any, ...]], socket.socket]:
    """A socket for a public address, or for this machine where it was asked by its own name."""

    def opened(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not is_public(address[0]) and not (here and _is_loopback(address[0])):
            raise OutboundRefused("not a public address")
        return socket.socket(family, kind, protocol)

    return opened


class Checked(AbstractResolver):
    """Resolves a name to addresses that may be asked; one that may not is enough to refuse the name."""

    def __init__(self, *, loopback: bool) -> None:
        self._inner = ThreadedResolver()
        self._loopback = loopback

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = 0,  # type: ignore[assignment]
    ) -> list[ResolveResult]:
        """The addresses that the connection is then made to."""
        found = await self._inner.resolve(host, port, family)
        for one in found:
            here = self._loopback and host in LOOPBACK_NAMES and _is_loopback(one["host"])
            if not here and not is_public(one["host"]):
                raise OutboundRefused("not a public address")
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()


async def ask(
    method: str,
    url: str,
    *,
    loopback: bool,
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """One request; OutboundRefused or OutboundFailed if there is no answer to speak of."""
    here = require_askable(url, loopback=loopback)
    try:
        async with (
            aiohttp.TCPConnector(
                resolver=Checked(loopback=loopback),
                use_dns_cache=False,
                force_close=True,
                socket_factory=_opens(here=here),
            ) as way,
            aiohttp.ClientSession(
                connector=way,
                timeout=aiohttp.ClientTimeout(total=limit_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                # A packed answer of some kilobytes can be gigabytes; we read what came, and take nothing packed.
                auto_decompress=False,
                headers={"accept-encoding": "identity"},
            ) as client,
            client.request(
                method, url, data=form if form is not None else body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            taken = bytearray()
            async for piece in answer.content.iter_any():
                taken += piece
                if len(taken) > most_bytes:
                    raise OutboundFailed("the answer is too long")
            return Answer(answer.status, bytes(taken))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise OutboundFailed(type(error).__name__) from error
