"""`elumiti up`: the whole platform on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import structlog

from infra.cli import GROUP
from infra.errors import PlainError
from infra.local import EVERYWHERE, LOOPBACK, Home, Ports, Secrets, default_home, load_secrets
from infra.migrate import migrate
from infra.pages import REMEDY, unbuilt
from infra.parts.process import before_exec
from infra.parts.supervisor import (
    Stack,
    command_argv,
    engine_argv,
    flusher_argv,
    hold_home,
    pictures_argv,
    portal_argv,
    remember_ports,
    require_ports,
    running,
)

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()
LAST_PORT = 65_535
# Background processes by the subcommand that starts them; those that are not installed are left out.
WORKERS = {"work": "portal", "score-work": "scoring"}


def up(
    *,
    demo: bool = False,
    lan: bool = False,
    host: str = "",
    engine_port: int = 0,
    portal_port: int = 0,
    postgres_port: int = 0,
    valkey_port: int = 0,
    objects_port: int = 0,
    flusher_port: int = 0,
    status_port: int = 0,
    pictures_port: int = 0,
    look_port: int = 0,
    live_port: int = 0,
    engine_workers: int = 2,
) -> None:
    """Start everything on this machine and serve it until Ctrl-C.

    Parameters
    ----------
    demo
        Fill an empty installation with the demo's tests, pupils and logins.
    lan
        With --demo on an empty home: serve pupils and staff to this network too (a phone), with secrets drawn for it.
    host
        Address to listen on; 127.0.0.1 unless said. A demo without --lan serves loopback only.
    engine_port
        Pupils; 8100 unless said now or at an earlier start, as for each port here.
    portal_port
        Staff; 8000.
    postgres_port
        The embedded Postgres; 5540.
    valkey_port
        The embedded Valkey; 6390.
    objects_port
        The embedded object store; 9010.
    flusher_port
        Health and figures of the flusher; 8110.
    status_port
        The public status page; 8200.
    pictures_port
        Pictures of proctored sittings; 8120.
    look_port
        Where the portal asks for such a picture; 8121.
    live_port
        Signalling of live views; 8122.
    engine_workers
        Worker processes of the engine.
    """
    known = default_home()
    given = {
        "engine": engine_port,
        "portal": portal_port,
        "postgres": postgres_port,
        "valkey": valkey_port,
        "objects": objects_port,
        "flusher": flusher_port,
        "status": status_port,
        "pictures": pictures_port,
        "look": look_port,
        "live": live_port,
    }
    chosen = {name: port or getattr(known.ports, name) for name, port in given.items()}
    _require_sense(chosen, engine_workers)
    home = Home(known.folder, Ports(**chosen), host or (EVERYWHERE[0] if lan else LOOPBACK[0]))
    if lan and not demo:
        raise PlainError("--lan is for a demo.", "A real installation listens with --host ADDRESS, behind TLS.")
    with hold_home(home) as held:
        _require_fitting(home, load_secrets(home, demo=demo, lan=lan), demo=demo, lan=lan)
        asyncio.run(_serve(home, demo=demo, workers=engine_workers, held=held))


def _require_sense(ports: dict[str, int], workers: int) -> None:
    """Numbers that nothing can be served with are one line, before anything starts."""
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if not 1 <= port <= LAST_PORT:
            raise PlainError(f"--{name}-port {port} is no port.", f"Give a number from 1 to {LAST_PORT}.")
        if port in seen:
            raise PlainError(f"Port {port} cannot serve both {seen[port]} and {name}.", f"Change --{name}-port.")
        seen[port] = name
    if workers < 1:
        raise PlainError(f"--engine-workers {workers} would serve nobody.", "Give at least 1; one a core is usual.")


def _require_fitting(home: Home, secrets: Secrets, *, demo: bool, lan: bool) -> None:
    """Secrets that a demo drew and printed do not go onto a network (SAFETY J9)."""
    if demo and not secrets.demo:
        remedy = "Start it without --demo, or set ELUMITI_HOME to another folder."
        raise PlainError("This installation is not a demo.", remedy)
    if not secrets.demo or home.host in LOOPBACK:
        return
    afresh = f"ELUMITI_HOME={home.folder}-lan elumiti up --demo --lan"
    if not secrets.lan:
        what = (
            f"This installation has demo secrets and logins of this machine alone; it does not listen on {home.host}."
        )
        remedy = f"Draw new ones for your network: {afresh}. Or make a real installation: ELUMITI_HOME=/srv/elumiti"
        raise PlainError(what, f"{remedy} elumiti up --host ADDRESS.")
    if not lan:
        raise PlainError(f"This is a demo; it does not listen on {home.host} unasked.", "Say so with --demo --lan.")


async def _serve(home: Home, *, demo: bool, workers: int, held: int) -> None:
    began = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await require_ports(home)
    remember_ports(home)
    async with running(home, held) as stack:
        starting = asyncio.create_task(_start(stack, demo=demo, workers=workers, began=began))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            play = asyncio.create_task(_play(home)) if demo else None
            await stopped
            if play:
                play.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await play
        else:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
        _say("Stopping …")
    _say("Stopped.")


async def _start(stack: Stack, *, demo: bool, workers: int, began: float) -> None:
    home = stack.home
    await stack.start_servers()
    _say("Postgres, Valkey and the object store are up.")
    url = stack.owner_url
    applied = await migrate(url, stack.secrets.role_passwords)
    _say(f"Schema: {len(applied)} migration(s) applied." if applied else "Schema: up to date.")
    note = home.folder / "demo.txt"
    if demo and not note.exists():
        _say("Filling the demo …")
        await _run(home, "seed-tables")
    # First the page that says how the rest is doing.
    await asyncio.gather(
        stack.start_process("status", "status-page", command_argv("status-page"), home.ports.status),
        stack.start_process("engine", "engine", engine_argv(home, workers), home.ports.engine),
        stack.start_process("flusher", "flusher", flusher_argv()),
        stack.start_process("portal", "portal", portal_argv(home), home.ports.portal),
        stack.start_process("pictures", "proctoring", pictures_argv(home), home.ports.pictures),
    )
    installed = {point.name for point in entry_points(group=GROUP)}
    await asyncio.gather(
        stack.start_process("status-watch", "status", command_argv("status")),
        stack.start_process("room-codes", "release", command_argv("room-codes")),
        stack.start_process("proctoring", "proctoring", command_argv("proctoring"), home.ports.look),
        stack.start_process("live", "live", command_argv("live"), home.ports.live),
        *(
            stack.start_process(command, process, command_argv(command))
            for command, process in WORKERS.items()
            if command in installed
        ),
    )
    _say(f"Everything is up after {time.monotonic() - began:.1f} s.\n")
    tell(home, note if demo else None)


def tell(home: Home, note: Path | None) -> None:
    """Where everything is, and what of it nobody can use yet; with the note of a demo."""
    for name in unbuilt():
        _say(f"  The pages of the {name} are not built: nobody can use it. {REMEDY}\n")
    _say(f"  Pupils    http://{home.address}:{home.ports.engine}/")
    _say(f"  Staff     http://{home.address}:{home.ports.portal}/")
    _say(f"  Status    http://{home.address}:{home.ports.status}/")
    if note and home.host in LOOPBACK:
        _say(f"  Try this  http://{home.address}:{home.ports.portal}/demo")
    elif note:
        _say("  Over plain http browsers give a page no camera and no service worker: those parts need TLS.")
    if note:
        _say(f"\n{note.read_text()}")
    _say(f"  Logs      {home.folder / 'log'}\n\nCtrl-C stops everything.\n")


async def _play(home: Home) -> None:
    """The rest of the demo, with its progress, while the person looks around; then pupils beside him, and cameras all along."""
    await asyncio.gather(_pupils(home), _cameras(home))


async def _pupils(home: Home) -> None:
    try:
        await _run(home, "seed")
        await _run(home, "play", str(home.folder / "play-open.json"), "--quiet", output=home.log("play"))
    except PlainError as error:
        _say(f"elumiti: {error}")


async def _cameras(home: Home) -> None:
    with contextlib.suppress(PlainError):
        await _run(home, "demo-pictures", output=home.log("demo-pictures"))


async def _run(home: Home, *words: str, output: Path | None = None) -> None:
    """One of our own commands to its end; its failure is ours."""
    environ = {**os.environ, "ELUMITI_HOME": str(home.folder)}
    with contextlib.ExitStack() as files:
        sink = files.enter_context(output.open("ab")) if output else None
        process = await asyncio.create_subprocess_exec(
            *command_argv(*words),
            env=environ,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=before_exec(None, signal.SIGTERM),
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
    if code:
        raise PlainError(f"`elumiti {words[0]}` failed.", f"Its words are above; logs lie in {home.folder / 'log'}.")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (what the person who runs it reads)
