"""`elumiti doctor`: every external part and setting looked at, a line each, with the remedy where something is wrong.

On a one-machine installation it reads the home folder; on a machine of a larger one the process's own environment.
Nothing secret is printed, and nothing is kept: a form key that it opens to see that it opens is forgotten at once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from infra import doctor_mail, doctor_scanner
from infra import doctor_parts as parts
from infra.local import Home, default_home, environment
from infra.pages import PAGES, REMEDY
from infra.parts.process import port_answers, sessions_share
from infra.settings import PREFIX, PROCESSES, PortalSettings, SettingsError, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LEAST_FREE_BYTES = 2 * 2**30
# Any of these in the environment: it is a process's own.
OF_A_PROCESS = ("ELUMITI_DATABASE_URL", "ELUMITI_OWNER_DATABASE_URL", "ELUMITI_STATUS_DIR")
# Said by the person or the supervisor, and no setting of a process.
OUR_OWN = {"home", "ready_file"}
Finding = parts.Finding


def doctor() -> None:
    """Check and explain each external part and setting; exit code 1 if anything is wrong."""
    wrong = asyncio.run(_examine())
    print(f"\n{wrong} wrong." if wrong else "\nAll is well.")  # noqa: T201 (the command's own output)
    sys.exit(1 if wrong else 0)


async def _examine() -> int:
    wrong = 0
    async for finding in findings():
        print(finding.line(), flush=True)  # noqa: T201
        wrong += finding.remedy is not None
    return wrong


async def findings() -> AsyncIterator[Finding]:
    """One by one, as they are found."""
    home = default_home()
    at_home = not any(name in os.environ for name in OF_A_PROCESS)
    yield _python()
    yield _disk(home)
    yield _processor()
    if at_home:
        if not (home.folder / "secrets.json").exists():
            text = f"no installation at {home.folder}, and no ELUMITI_DATABASE_URL in the environment"
            yield Finding(
                "settings", text, "Start one with `elumiti up`, or set the environment (docs/operations/settings.md)."
            )
            return
        yield _secrets(home)
        async for finding in _ports(home):
            yield finding
    processes: dict[str, msgspec.Struct] = {}
    for finding, name, settings in _settings(home, at_home=at_home):
        yield finding
        if settings is not None:
            processes[name] = settings
    for finding in _pages(processes):
        yield finding
    async for finding in parts.examine(processes):
        yield finding
    if isinstance(portal := processes.get("portal"), PortalSettings):
        yield await doctor_mail.mail(portal)
        yield doctor_mail.sms(portal)
        yield await doctor_scanner.scanner(portal)


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", found, None if sys.version_info >= (3, 11) else "Install Python 3.11 or newer.")


def _disk(home: Home) -> Finding:
    folder = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    remedy = f"Make room: at least {LEAST_FREE_BYTES // 2**20} MB." if free < LEAST_FREE_BYTES else None
    return Finding("disk", f"{free // 2**20} MB free at {folder}", remedy)


def _processor() -> Finding:
    """Never wrong: on a machine that is not full, or in containers, it makes no difference."""
    cores = f"{os.cpu_count()} cores"
    if sessions_share():
        hint = "set kernel.sched_autogroup_enabled=0 where pictures share a machine with answers"
        return Finding("processor", f"{cores}, shared by session first: {hint} (docs/operations/scaling.md)", None)
    return Finding("processor", f"{cores}, answers come before pictures", None)


def _secrets(home: Home) -> Finding:
    path = home.folder / "secrets.json"
    mode = stat.S_IMODE(path.stat().st_mode)
    remedy = (
        f"chmod 600 {path}; others could read it, so draw new secrets on a real installation." if mode & 0o077 else None
    )
    return Finding("secrets", f"{path} has mode {mode:04o}", remedy)


async def _ports(home: Home) -> AsyncIterator[Finding]:
    for name in home.ports.__struct_fields__:
        port = getattr(home.ports, name)
        answers = await port_answers(port)
        remedy = None if answers else f"Start the platform with `elumiti up`; its log is {home.log(name)}."
        yield Finding(f"port {port}", f"{name} {'answers' if answers else 'does not answer'}", remedy)


def _settings(home: Home, *, at_home: bool) -> list[tuple[Finding, str, msgspec.Struct | None]]:
    """Which processes' settings can be read here. In an environment of one process, the others are not missed."""
    found: list[tuple[Finding, str, msgspec.Struct | None]] = []
    errors: dict[str, str] = {}
    for name, kind in PROCESSES.items():
        try:
            settings = read(kind, environment(home, name) if at_home else None)
        except SettingsError as error:
            errors[name] = str(error)
            continue
        if at_home or parts.is_role_of(settings, name):
            where = "from the home folder" if at_home else "from the environment"
            found.append((Finding(f"settings {name}", f"complete, {where}", None), name, settings))
    # A variable that none of the complete ones reads belongs to a process whose settings are not whole.
    given = {name.removeprefix(PREFIX).lower() for name in os.environ if name.startswith(PREFIX)} - OUR_OWN
    unread = given.difference(*(PROCESSES[name].__struct_fields__ for _, name, _ in found))
    if unread and not at_home:
        remedy = "The whole list: docs/operations/settings.md."
        meant = max(errors, key=lambda name: len(given & {*PROCESSES[name].__struct_fields__}), default="")
        reads = {*PROCESSES[meant].__struct_fields__} if meant else set[str]()
        stray = ", ".join(sorted(f"{PREFIX}{name.upper()}" for name in unread - reads))
        text = errors[meant] if unread & reads else f"nothing here reads {stray}"
        found.append((Finding(f"settings {meant}".strip(), text.rstrip("."), remedy), "", None))
    return found or [(Finding("settings", "no process's role is in ELUMITI_DATABASE_URL", "Give one whole."), "", None)]


def _pages(processes: dict[str, msgspec.Struct]) -> list[Finding]:
    found: list[Finding] = []
    if "engine" in processes:
        folder = getattr(processes["engine"], "player_dir", "")
        found.append(_page("player", Path(folder) / "index.html" if folder else PAGES["player"]))
    if "portal" in processes:
        found.append(_page("portal", PAGES["portal"]))
    return found


def _page(name: str, path: Path) -> Finding:
    built = path.exists()
    return Finding(f"pages {name}", "built" if built else f"not built: no {path}", None if built else REMEDY)
