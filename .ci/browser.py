"""A browser for the tests: an installed Chromium or Chrome, else Debian's by apt as root. Never a silent skip.

Where Debian has it, the headless shell beside it: the tests take that one first (`tests/browser/player/sitter.py`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELL = "chromium-headless-shell"
INSTALL = ("install", "-y", "-qq", "--no-install-recommends")


def main() -> int:
    able = os.geteuid() == 0 and shutil.which("apt-get") is not None
    there = any(shutil.which(name) for name in NAMES)
    if able and not there:
        print("Installing Chromium for the browser tests …", flush=True)
        _apt("update", "-qq")
        _apt(*INSTALL, "chromium", "fonts-noto-core")
        there = any(shutil.which(name) for name in NAMES)
    if able and there and not shutil.which(SHELL):
        # Not every system has it, and without it the tests only take longer.
        _apt(*INSTALL, SHELL, quiet=True)
    if there:
        return 0
    print("elumiti: the browser tests need Chromium. As root: apt-get install chromium", file=sys.stderr)
    return 1


def _apt(*words: str, quiet: bool = False) -> None:
    environ = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    complaints = subprocess.DEVNULL if quiet else None
    subprocess.run(["apt-get", *words], env=environ, stdout=subprocess.DEVNULL, stderr=complaints, check=False)


if __name__ == "__main__":
    sys.exit(main())
