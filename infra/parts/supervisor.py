"""All parts of the one-machine form, started in order and stopped in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import msgspec

from infra.errors import PlainError
from infra.local import PRIVATE, Home, Secrets, database_url, environment, keep_private, load_secrets
from infra.parts import objects, postgres, valkey
from infra.parts.process import (
    AFTER_SAVES,
    GIVING_WAY,
    KEEPING_MEMORY,
    PATIENT,
    STOP_LIMIT_S,
    Command,
    Part,
    granian_argv,
    require_free,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

LEAST_FREE_BYTES = 2 * 2**30
ORPHANS_LIMIT_S = 60
MAX_HEADERS_BYTES = 65536
SERVERS = ("postgres", "valkey", "objects")


class Stack:
    """The running parts by name. Tests and `elumiti up` use the same one."""

    def __init__(self, home: Home, held: int | None = None) -> None:
        self.home = home
        # A file that every part inherits open (see `hold_home`).
        self.held = held
        self.secrets: Secrets = load_secrets(home)
        for name in PRIVATE:
            keep_private(home.part(name))
        self.parts: dict[str, Part] = {}
        # Settings that differ from the usual ones, by process or by part: for tests and benchmarks.
        self.overrides: dict[str, dict[str, str]] = {}

    @property
    def owner_url(self) -> str:
        """Postgres as the schema's owner: to migrate, and where a scene is set or looked at from outside."""
        return database_url(self.home, "elumiti_owner", self.secrets.role_passwords["elumiti_owner"])

    async def start_servers(self, postgres_flags: dict[str, str] | None = None, fsync: str = "always") -> None:
        """Postgres, Valkey and the object store, together; the database exists afterwards."""
        commands = [
            postgres.command(self.home, self.secrets, postgres_flags),
            valkey.command(self.home, self.secrets, fsync=fsync),
            objects.command(self.home, self.secrets),
        ]
        await asyncio.gather(*(self.start(command) for command in commands))
        await postgres.make_database(self.home, self.secrets)

    async def start(self, command: Command) -> Part:
        """Start one part and wait until it is ready; a PlainError when it runs already.

        A second one would not fail by itself: granian's processes share a port (SO_REUSEPORT), and each would get half of
        the requests, with settings of its own.
        """
        before = self.parts.get(command.name)
        if before is not None and before.pid is not None:
            raise PlainError(f"{command.name} runs already (process {before.pid}).", "Stop it first.")
        part = Part(command, self.held)
        self.parts[command.name] = part
        await part.up()
        return part

    async def start_process(self, name: str, process: str, argv: list[str], ready_port: int | None = None) -> Part:
        """Start one of our own processes with its own settings and no others."""
        environ = environment(self.home, process) | self.overrides.get(process, {}) | self.overrides.get(name, {})
        ready = _ready_url(self.home.near, ready_port) if ready_port else _ready_file(self.home, name)
        if ready_port is None:
            environ["ELUMITI_READY_FILE"] = str(_ready_path(self.home, name))
            _ready_path(self.home, name).unlink(missing_ok=True)
        return await self.start(
            Command(
                name=name,
                argv=argv,
                environ=environ,
                log=self.home.log(name),
                ready=ready,
                stop_limit_s=STOP_LIMIT_S + 5,
            )
        )

    async def stop(self) -> None:
        """Stop everything: our processes first, servers last."""
        own = [name for name in self.parts if name not in SERVERS]
        await asyncio.gather(*(self.parts[name].down() for name in reversed(own)))
        await asyncio.gather(*(self.parts[name].down() for name in SERVERS if name in self.parts))


@contextlib.contextmanager
def hold_home(home: Home) -> Iterator[int]:
    """Only one `up` works in a home; yields the file that its parts are to hold open.

    The kernel frees the locks of a killed process, so none can be stale. The second lock belongs to an open file that
    all parts inherit: of a run that was killed by -9 it is free when the last part has stopped, data on disk.
    """
    require_room(home.folder)
    home.folder.mkdir(parents=True, exist_ok=True)
    with (home.folder / "up.lock").open("a+") as lock, (home.folder / "parts.lock").open("a+") as parts:
        if not _locked(lock.fileno()):
            lock.seek(0)
            what = f"Another run (process {lock.read().strip() or '?'}) already serves {home.folder}."
            raise PlainError(what, "Stop it with Ctrl-C, or set ELUMITI_HOME to another folder.")
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        limit = time.monotonic() + ORPHANS_LIMIT_S
        while not _locked(parts.fileno()):
            if time.monotonic() > limit:
                what = f"Parts of a run that was killed still work in {home.folder}."
                raise PlainError(what, f"See which: fuser {home.folder / 'parts.lock'}; stop them, start again.")
            time.sleep(0.05)
        yield parts.fileno()


def _locked(file: int) -> bool:
    """Whether the lock of an open file is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def require_room(folder: Path) -> None:
    """A PlainError where the disk of a folder, made or not, is too full to start on."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE_BYTES:
        what = f"Only {free // 2**20} MB are free at {folder}; a start needs {LEAST_FREE_BYTES // 2**20} MB."
        raise PlainError(what, "Make room, or set ELUMITI_HOME to a folder on another disk.")


def remember_ports(home: Home) -> None:
    """Where this home is served, for commands that are run by hand."""
    (home.folder / "ports.json").write_bytes(msgspec.json.encode(home.ports))


async def require_ports(home: Home) -> None:
    """Every port is free, or one line says which is not."""
    for name in home.ports.__struct_fields__:
        await require_free(getattr(home.ports, name), name, home.near)


def engine_argv(home: Home, workers: int) -> list[str]:
    """How granian serves the engine (the reasons for the flags: DESIGN §6, facts about granian)."""
    return [*PATIENT, *granian_argv("rsgi", home.host, home.ports.engine, *_for_phones(workers), "engine.app:engine")]


def pictures_argv(home: Home, workers: int = 1) -> list[str]:
    """How granian serves the ingest of pictures. A phone sends one in 30 s: its connection is kept between two."""
    words = [*_for_phones(workers), "proctoring.app:ingest"]
    return [*GIVING_WAY, *KEEPING_MEMORY, *granian_argv("rsgi", home.host, home.ports.pictures, *words)]


def _for_phones(workers: int) -> list[str]:
    return [
        *["--workers", str(workers), "--http", "auto", "--backlog", "4096", "--backpressure", "20000"],
        # Of itself granian lets 16 MB of headers in over HTTP/2, for each of 200 requests of a connection, and keeps
        # up to 800 KB of unfinished ones over HTTP/1.1.
        *["--http2-max-headers-size", str(MAX_HEADERS_BYTES), "--http1-buffer-size", str(MAX_HEADERS_BYTES)],
        *["--http1-header-read-timeout", "60000"],
    ]


def portal_argv(home: Home) -> list[str]:
    """How granian serves the portal."""
    return granian_argv("asgi", home.host, home.ports.portal, "portal.app:app")


def command_argv(*words: str) -> list[str]:
    """How one of our own subcommands is started as a process."""
    return [sys.executable, "-m", "infra", *words]


def flusher_argv() -> list[str]:
    """How the flusher is started."""
    return [*AFTER_SAVES, *command_argv("flush")]


def _ready_url(host: str, port: int) -> Callable[[], Awaitable[bool]]:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    async def ready() -> bool:
        return await asyncio.to_thread(ask)

    return ready


def _ready_path(home: Home, name: str) -> Path:
    return home.folder / f"{name}.ready"


def _ready_file(home: Home, name: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return _ready_path(home, name).exists()

    return ready


@contextlib.asynccontextmanager
async def running(home: Home, held: int) -> AsyncIterator[Stack]:
    """A stack that is stopped whatever happens inside the block."""
    stack = Stack(home, held)
    try:
        yield stack
    finally:
        await stack.stop()
