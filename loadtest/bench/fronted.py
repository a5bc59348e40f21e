"""`front_connection_bytes`: what HAProxy keeps for each open connection of a nation's phones, most of them silent.

Every connection goes through HAProxy, asks once and stays open. A connection to the engine is held only while a request
is on its way (`http-reuse always`), so the limit of open files asks for one process for nearly as many phones.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

import msgspec
import psutil

from infra.parts.process import Command, Part, port_answers
from infra.parts.supervisor import engine_argv
from infra.parts.unused import unused_ports
from loadtest.bench.connections import PER_GENERATOR, Share, answers_of, ask_again, generating
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.stack import fresh_stack
from loadtest.bench.tls import certificate_in, haproxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from infra.parts.supervisor import Stack

WANTED = 300_000
# With the generator's own TLS and the kernel's share a connection takes 50 KB of this machine.
TLS_WANTED = 5_000
# Until HAProxy has given buffers and spare connections to the engine back (it halves them every five seconds).
IDLE_S = 20
# A connection stays open for the whole measurement; maxconn would ask for twice as many files, and for one worker's
# share of requests it needs few.
CONFIG = """\
global
    nbthread 1
    maxconn {maxconn}
    no strict-limits
    ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
    mode http
    timeout connect 5s
    timeout client 30m
    timeout http-keep-alive 30m
    timeout server 60s
    http-reuse always
frontend front
    bind 127.0.0.1:{port} backlog 4096{tls}
    default_backend engine
backend engine
    server one 127.0.0.1:{engine} maxconn 500
"""


class Held(msgspec.Struct):
    """What was seen with all connections open."""

    wanted: int
    opened: int
    again: int
    processes: int
    before_bytes: int
    after_bytes: int
    machine_bytes: int
    cpu_us: float

    def each(self) -> int:
        """Bytes of HAProxy a connection."""
        return round((self.after_bytes - self.before_bytes) / max(1, self.opened))

    def said(self) -> str:
        """In a sentence."""
        return (
            f"{self.opened} of {self.wanted} connections open at once through {self.processes} HAProxy process(es) of one thread, "
            f"{self.again} answered again after {IDLE_S} s of silence; HAProxy {self.before_bytes / 2**20:.0f} MB before, "
            f"{self.after_bytes / 2**20:.0f} MB with them; {self.cpu_us:.1f} µs of its CPU a request on kept connections; the whole "
            f"machine, generators, kernel and whatever else runs included, {self.machine_bytes / 2**20:.0f} MB more"
        )


async def measure(wanted: int = WANTED, tls_wanted: int = TLS_WANTED) -> None:
    """Plain HTTP first, then TLS 1.3 with fewer: each of those takes much of the machine."""
    binary = haproxy()
    async with fresh_stack() as stack:
        await stack.start_process("engine", "engine", engine_argv(stack.home, 1), stack.home.ports.engine)
        plain = await _held(stack, binary, wanted) if wanted else None
        coded = await _held(stack, binary, tls_wanted, tls=True) if tls_wanted else None
    if plain:
        write(
            Figure(
                metric="front_connection_bytes", value=plain.each(), unit="bytes", basis=f"plain HTTP; {plain.said()}"
            )
        )
    if coded:
        basis = f"TLS 1.3, ECDSA P-256, no resumption; {coded.said()}"
        write(Figure(metric="front_tls_connection_bytes", value=coded.each(), unit="bytes", basis=basis))


async def _held(stack: Stack, binary: str, wanted: int, *, tls: bool = False) -> Held:
    """Open them, let them be silent, ask on each once more."""
    count = math.ceil(wanted / PER_GENERATOR)
    folder = stack.home.folder / ("front-tls" if tls else "front")
    folder.mkdir()
    bound = f" ssl crt {certificate_in(folder)} alpn http/1.1" if tls else ""
    certificate = str(folder / "certificate.pem") if tls else ""
    async with _fronts(stack, binary, folder, count, bound) as fronts:
        before, machine = _memory(fronts.values()), psutil.virtual_memory().used
        each = math.ceil(wanted / count)
        shares = [Share(port, min(each, wanted - each * place), certificate) for place, port in enumerate(fronts)]
        async with generating(shares) as generators:
            opened = await answers_of(generators)
            await asyncio.sleep(IDLE_S)
            after, machine_after = _memory(fronts.values()), psutil.virtual_memory().used
            meter = Meter({str(port): pid for port, pid in fronts.items()})
            ask_again(generators)
            again = await answers_of(generators)
            taken = sum(meter.taken().values())
    return Held(wanted, opened, again, count, before, after, machine_after - machine, 1e6 * taken / max(1, again))


@contextlib.asynccontextmanager
async def _fronts(stack: Stack, binary: str, folder: Path, count: int, tls: str) -> AsyncIterator[dict[int, int]]:
    """So many HAProxy processes: port → process id."""
    async with contextlib.AsyncExitStack() as running:
        fronts: dict[int, int] = {}
        for port in unused_ports(count):
            config = folder / f"{port}.cfg"
            maxconn = PER_GENERATOR + 100
            config.write_text(CONFIG.format(port=port, engine=stack.home.ports.engine, maxconn=maxconn, tls=tls))
            part = Part(_command(stack, binary, config, port))
            running.push_async_callback(part.down)
            await part.up()
            assert part.pid is not None
            fronts[port] = part.pid
        yield fronts


def _command(stack: Stack, binary: str, config: Path, port: int) -> Command:
    async def ready() -> bool:
        return await port_answers(port)

    argv = [binary, "-db", "-f", str(config)]
    # Asked to end, HAProxy would wait for those who are still connected: nobody is.
    return Command(name="front", argv=argv, environ={}, log=stack.home.log("front"), ready=ready, stop_limit_s=10)


def _memory(pids: Iterable[int]) -> int:
    """What these processes hold, shared pages counted once (PSS)."""
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids)
