"""The `elumiti` command. Each part brings its subcommands as entry points; this module names none of them."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import cyclopts

from infra import log
from infra.errors import PlainError
from infra.settings import SettingsError

GROUP = "elumiti.commands"


def main() -> None:
    """Run one subcommand; an error that a person can mend is one line."""
    log.configure()
    app = cyclopts.App(name="elumiti", help="The exam platform of El Úmiti.")
    points = {point.name: point for point in entry_points(group=GROUP)}
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    # Only what is asked for is imported: a command starts in a fraction of a second.
    for name in [asked] if asked in points else sorted(points):
        app.command(points[name].load(), name=name)
    try:
        app()
    except (PlainError, SettingsError) as error:
        print(f"elumiti: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
