"""One supervised process: start, wait until it is ready, restart with back-off, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from infra.errors import PlainError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger()
PR_SET_PDEATHSIG = 1
FULL_MB = 64
# Our processes stop in less; whoever does not has not heard it, and is killed.
STOP_LIMIT_S = 15
# Before the command of a part that serves pictures: answers come first, and on a machine that is full of work pictures get
# what those leave (docs/performance.md).
GIVING_WAY = ("nice", "-n", "15")
# Before the flusher's command: what is acknowledged is safe in the streams and can wait there, a save cannot. On a machine
# that is full of work it falls behind for a while, and Postgres has no more to do than it is given.
AFTER_SAVES = ("nice", "-n", "10")
# Before the command of a part that granian serves to the nation: its threads and the loop wake each other for each request,
# and whoever is woken breaks in on whoever runs, unless both are told to be patient; then one waking serves many.
PATIENT = ("chrt", "--batch", "0")
# granian's allocator keeps what it freed: of itself it hands pages back while pictures come, and the next need new ones
# (docs/performance.md).
KEEPING_MEMORY = ("env", "_RJEM_MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1")
# Whether the kernel gives each session the same share before it hears of `nice`; not there: it cannot.
AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")
# granian takes two deaths of a worker within 5.5 s for a loop of crashes, and stops those that are well too.
NO_CRASH_LOOP_S = 6
libc = ctypes.CDLL(None, use_errno=True)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """How a part is started and how its health is asked."""

    name: str
    argv: list[str]
    environ: dict[str, str]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    user: int | None = None
    stop_signal: int = signal.SIGTERM
    start_limit_s: float = 60
    stop_limit_s: float = 30


def granian_argv(interface: str, host: str, port: int, *words: str) -> list[str]:
    """How granian serves one of our applications, which `words` end with; of itself it has one worker."""
    return [
        *[sys.executable, "-m", "granian", "--interface", interface, "--host", host, "--port", str(port), "--no-ws"],
        *["--loop", "uvloop", "--respawn-failed-workers", "--log-level", "warning"],
        # A worker that was asked to stop while it began does not know of it (die_with_parent): it is not waited for for ever.
        *["--workers-kill-timeout", str(STOP_LIMIT_S), *words],
    ]


def sessions_share() -> bool:
    """Whether `nice` is heard within a part alone (docs/operations/scaling.md): each part is a session."""
    return AUTOGROUP.exists() and AUTOGROUP.read_text().strip() == "1"


class Part:
    """A running part. `up()` returns when it is ready; a crash is followed by a restart until `down()`."""

    def __init__(self, command: Command, held: int | None = None) -> None:
        self.command = command
        self._held = () if held is None else (held,)
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        alive = self.process is not None and self.process.returncode is None
        return self.process.pid if alive and self.process else None

    async def up(self) -> None:
        """Start and wait until ready; a part that ends or stays silent is a PlainError with the end of its log."""
        self._stopping = False
        await self._start()
        await self._until_ready()
        self._watch = asyncio.create_task(self._restart_for_ever(), name=f"watch-{self.command.name}")

    async def down(self) -> None:
        """Ask it to stop, wait, and kill only what does not listen."""
        self._stopping = True
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        process = self.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.command.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.command.stop_limit_s)
        except TimeoutError:
            log.warning("part.stop.killed", part=self.command.name)
            process.kill()
            await process.wait()

    async def kill(self) -> None:
        """End it at once, as when its machine loses power; it stays away until `up()`."""
        self._stopping = True
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def _start(self) -> None:
        command = self.command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**_plain_environ(), **command.environ},
                # A group of its own: Ctrl-C reaches the supervisor alone, which then stops the parts in order.
                start_new_session=True,
                pass_fds=self._held,
                preexec_fn=before_exec(command.user, command.stop_signal),
            )

    async def _until_ready(self) -> None:
        assert self.process is not None
        limit = time.monotonic() + self.command.start_limit_s
        while time.monotonic() < limit:
            if self.process.returncode is not None:
                break
            if await self.command.ready():
                return
            await asyncio.sleep(0.05)
        await self._fail()

    async def _fail(self) -> None:
        assert self.process is not None
        ended = self.process.returncode is not None
        await self.down()
        with self.command.log.open("rb") as file:
            file.seek(max(0, self.command.log.stat().st_size - 800))
            tail = file.read().decode(errors="replace").strip().splitlines()[-3:]
        free_mb = self._free_mb()
        if free_mb <= FULL_MB:
            what = f"{self.command.name} could not start: only {free_mb} MB are free at {self.command.log.parent}."
            raise PlainError(what, "Make room and start again; nothing that was kept is lost.")
        what = f"{self.command.name} {'ended while starting' if ended else 'did not become ready'}: {' / '.join(tail)}"
        raise PlainError(what, f"Its log: {self.command.log}")

    def _free_mb(self) -> int:
        return shutil.disk_usage(self.command.log.parent).free // 2**20

    async def _restart_for_ever(self) -> None:
        """Restart what dies, at once the first time, then slower; a part that held for a minute counts as new."""
        pause = 0.0
        while not self._stopping:
            assert self.process is not None
            began = time.monotonic()
            code = await self.process.wait()
            if self._stopping:
                return
            pause = 0.1 if time.monotonic() - began > 60 else min(15.0, pause * 2 or 0.1)
            log.warning("part.process.ended", part=self.command.name, code=code, restart_in_s=round(pause, 1))
            if (free_mb := self._free_mb()) <= FULL_MB:
                log.error("part.disk.full", free_mb=free_mb, at=str(self.command.log.parent), remedy="Make room.")
            await asyncio.sleep(pause * random.uniform(1, 1.2))
            self.restarts += 1
            await self._start()


def _plain_environ() -> dict[str, str]:
    """What a part inherits: the machine's own variables, none of ours (each part gets its settings apart)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ELUMITI_")}


def before_exec(user: int | None, signal_of_death: int) -> Callable[[], None]:
    """Runs in the child between fork and exec: another account, and no orphans of a supervisor killed by -9.

    By hand and not by `user=`, which uvloop does not know.
    """

    def prepare() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        libc.prctl(PR_SET_PDEATHSIG, signal_of_death)

    return prepare


def die_with_parent() -> None:
    """For a process whose starter is not ours (granian's workers): no orphan goes on when that one is killed by -9.

    A worker is killed too, for it does not hear SIGTERM until its loop runs: uvloop has a handler by then and drops what
    comes earlier. What it acknowledged is on the disk or in Valkey by then.
    """
    starter = multiprocessing.parent_process()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM if starter is None else signal.SIGKILL)
    if starter is not None and starter.pid != os.getppid():
        # It was killed before we could ask for the signal.
        os.kill(os.getpid(), signal.SIGKILL)


async def begin_anew() -> None:
    """End a worker that could not begin: granian starts it again, until it can, and those that serve go on meanwhile."""
    await asyncio.sleep(NO_CRASH_LOOP_S)
    os._exit(1)


async def port_answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections on a port of this machine."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def require_free(port: int, name: str, host: str = "127.0.0.1") -> None:
    """A PlainError with the remedy if a port is taken."""
    if await port_answers(port) or await port_answers(port, host):
        what = f"Port {port} for {name} is in use by another program."
        other = port + 1000 if port < 60_000 else port - 1000
        raise PlainError(what, f"Stop it, or choose another: elumiti up --{name}-port {other}.")
