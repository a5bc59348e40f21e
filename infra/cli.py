"""The `elumiti` command. Each part brings its subcommands as entry points; this module names none of them."""

from __future__ import annotations

import errno
import os
import re
import sys
from importlib.metadata import entry_points, requires
from typing import TYPE_CHECKING, Annotated

import cyclopts

from infra import log
from infra.errors import PlainError
from infra.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

GROUP = "elumiti.commands"
# Whatever follows a command that is not installed.
Words = Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True, show=False)]
# What a machine may lack under any command, and not a bug of ours.
MENDABLE = {
    errno.ENOSPC: "Make room, or set ELUMITI_HOME to a folder on another disk.",
    errno.EDQUOT: "Ask for a larger quota, or set ELUMITI_HOME to a folder on another disk.",
    errno.EROFS: "Mount it for writing, or set ELUMITI_HOME to another folder.",
    errno.EACCES: "Run as the account that owns it, or set ELUMITI_HOME to another folder.",
}


def commands(asked: str = "") -> cyclopts.App:
    """The command with all its subcommands, or with the one that is asked for."""
    app = cyclopts.App(name="elumiti", help="The exam platform of El Úmiti.")
    points = {point.name: point for point in entry_points(group=GROUP)}
    # Only what is asked for is imported: a command starts in a fraction of a second.
    for name in [asked] if asked in points else sorted(points):
        app.command(_load(points[name]), name=name)
    return app


def _load(point: EntryPoint) -> cyclopts.App | Callable[..., object]:
    """What a command runs. A server's image lacks what only rehearsals need: their commands are named, and say what is missing."""
    try:
        return point.load()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        extra = _extra_of(missing)
        if extra is None:
            raise

        def not_installed(*_words: Words) -> None:
            what = f"`elumiti {point.name}` needs {missing}, which is not installed here."
            raise PlainError(what, f"Install elumiti with its extra `{extra}`.")

        not_installed.__doc__ = f"Not installed here: it comes with the extra `{extra}`."
        return not_installed


def _extra_of(module: str) -> str | None:
    """Which of our extras brings a package; None: none of them."""
    for wanted in requires("elumiti") or []:
        # As the metadata has it: `psutil>=7; extra == "loadtest"`.
        found = re.match(r"([\w.-]+).*;.*extra == [\"']([\w-]+)", wanted)
        if found and found[1].replace("-", "_") == module:
            return found[2]
    return None


def main() -> None:
    """Run one subcommand; an error that a person can mend is one line."""
    log.configure()
    try:
        commands(sys.argv[1] if len(sys.argv) > 1 else "")()
    except (PlainError, SettingsError) as error:
        print(f"elumiti: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno == errno.ENOENT and str(error.filename) in sys.argv:
            print(f"elumiti: {error.filename} is not there. Check its name and folder.", file=sys.stderr)
            sys.exit(1)
        if error.errno not in MENDABLE:
            raise
        where = f" at {error.filename}" if error.filename else ""
        print(f"elumiti: {os.strerror(error.errno)}{where}. {MENDABLE[error.errno]}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
