"""`connections_open` and `connection_bytes`: a nation's phones, each with its kept-alive connection, most of them silent.

A process may hold 20 000 open files, so it takes as many engine workers and as many generators as that asks for. The
generators are processes of this module: they open, ask once on each connection, hold, and ask again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
import sys
from typing import TYPE_CHECKING

import msgspec
import psutil

from infra.parts.supervisor import engine_argv
from loadtest.bench.figures import Figure, write
from loadtest.bench.stack import fresh_stack
from loadtest.files import make_room
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from infra.parts.supervisor import Stack
    from loadtest.wire import Connection

WANTED = 300_000
# Of 20 000 files a process: its own, and an uneven share of connections among workers.
PER_GENERATOR = 18_000
PER_WORKER = 15_000
BYTES_LIMIT = 8 * 2**30


async def measure(wanted: int = WANTED) -> None:
    """Open them all, count memory before and after, ask on each once more."""
    generators = math.ceil(wanted / PER_GENERATOR)
    workers = math.ceil(wanted / PER_WORKER)
    async with fresh_stack() as stack:
        await _engine(stack, workers)
        before, machine_before = _memory(stack), psutil.virtual_memory().used
        port = stack.home.ports.engine
        shares = [Share(port, len(range(place, wanted, generators))) for place in range(generators)]
        async with generating(shares) as processes:
            opened = await answers_of(processes)
            after, machine_after = _memory(stack), psutil.virtual_memory().used
            ask_again(processes)
            answered = await answers_of(processes)
    each = (after - before) / max(1, opened)
    basis = (
        f"{opened} of {wanted} connections open at once from {generators} generators to {workers} workers, {answered} "
        f"answered again after all were open; engine's memory {before / 2**20:.0f} MB before, {after / 2**20:.0f} MB "
        f"with them (under {BYTES_LIMIT >> 30} GB asked); the whole machine, generators and kernel included, "
        f"{(machine_after - machine_before) / 2**20:.0f} MB more"
    )
    write(Figure(metric="connections_open", value=answered, unit="connections", basis=basis))
    write(Figure(metric="connection_bytes", value=round(each), unit="bytes", basis=basis))


async def _engine(stack: Stack, workers: int) -> None:
    await stack.start_process("engine", "engine", engine_argv(stack.home, workers), stack.home.ports.engine)
    await asyncio.sleep(5)


def _memory(stack: Stack) -> int:
    """What the engine's processes hold, shared pages counted once (PSS)."""
    pid = stack.parts["engine"].pid
    assert pid is not None
    root = psutil.Process(pid)
    return sum(process.memory_full_info().pss for process in [root, *root.children(recursive=True)])


class Share(msgspec.Struct, frozen=True):
    """What one generator opens: so many connections to a port, with TLS if a certificate is named."""

    port: int
    count: int
    certificate: str = ""


@contextlib.asynccontextmanager
async def generating(shares: Sequence[Share]) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """A generator for each share; they end with their input, hence with us."""
    pipe = asyncio.subprocess.PIPE
    processes: list[asyncio.subprocess.Process] = []
    try:
        for number, share in enumerate(shares):
            words = [str(share.port), str(number), str(share.count), share.certificate]
            argv = [sys.executable, "-m", "loadtest.bench.connections", *words]
            processes.append(await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe))
        yield processes
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            await process.wait()


async def answers_of(processes: Sequence[asyncio.subprocess.Process]) -> int:
    """How many of all their connections were answered."""
    answered = 0
    for process in processes:
        assert process.stdout is not None
        answered += int(await asyncio.wait_for(process.stdout.readline(), 600))
    return answered


def ask_again(processes: Sequence[asyncio.subprocess.Process]) -> None:
    """One more request on each connection."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"again\n")


async def hold(port: int, number: int, share: int, certificate: str = "") -> None:
    """A generator: open, ask on each, say how many; at each line of input ask again."""
    # A source address has 28 000 ports, and the kernel looks long for a free one when half of them are taken: each
    # generator has four addresses of its own.
    sources = [f"127.0.{10 + number}.{place}" for place in range(1, 5)]
    host = f"127.0.0.1:{port}"
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    pool = Pool("127.0.0.1", port, tls, sources)
    for start in range(0, share, 50):
        with contextlib.suppress(OSError):
            await pool.open(min(50, share - start))
    held = list(pool.idle)
    print(await _ask_all(held, host), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(await _ask_all(held, host), flush=True)


async def _ask_all(held: list[Connection], host: str) -> int:
    """How many of them answer."""
    ask = request("GET", host, "/v1/clock", b"")
    answered = 0
    free = asyncio.Semaphore(200)
    loop = asyncio.get_running_loop()

    async def one(connection: Connection) -> None:
        nonlocal answered
        async with free:
            if connection.closed:
                return
            done: asyncio.Future[int] = loop.create_future()
            connection.send(ask, lambda status, _: None if done.done() else done.set_result(status))
            status = await done
            # Not `answered += await …`: that reads the sum before it waits.
            answered += status == 200

    await asyncio.gather(*(one(connection) for connection in held))
    return answered


if __name__ == "__main__":
    import uvloop

    port, number, share = (int(word) for word in sys.argv[1:4])
    make_room(share)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hold(port, number, share, sys.argv[4]))
