"""The environment, from nothing: a venv, uv by hash, then exactly what uv.lock says. Standard library only.

Run with the machine's Python. Says in one line what is missing and how to get it; does nothing when all is current.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOL = VENV / "tool"
STAMP = VENV / "installed"
INPUTS = ("uv.lock", "pyproject.toml", ".ci/uv.txt", ".ci/install.py")
LEAST_FREE_MB = 2500
NO_COMPILER = ("gcc' failed", "cc' failed", "gcc: command not found", "command 'gcc'", "command 'cc'", "python.h: no such",
               "no such file or directory: 'gcc'", "no such file or directory: 'cc'", "linker `cc` not found")  # fmt: skip
NO_NETWORK = ("dns error", "failed to lookup", "connection refused", "name resolution", "timed out", "connect error")


def main() -> int:
    if sys.version_info < (3, 11):
        return _say(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.", "apt-get install python3.11-venv"
        )
    wanted = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in INPUTS) + sys.version.encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "elumiti").exists():
        return 0
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < LEAST_FREE_MB:
        return _say(
            f"Only {free} MB are free here; the environment needs {LEAST_FREE_MB} MB.", "Make room and try again."
        )
    try:
        if not (TOOL / "bin" / "uv").exists():
            print("Making the environment …", flush=True)
            venv.create(TOOL, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, ImportError):
        minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return _say("Python's venv is not complete here.", f"apt-get install python{minor}-venv")
    pip = [str(TOOL / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = str(TOOL / "bin" / "uv")
    steps = [
        [*pip, "--require-hashes", "-r", str(ROOT / ".ci" / "uv.txt")],
        # The machine's own Python; uv fetches none. The venv is kept, so .venv/tool lives on inside it.
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)],
        # Compiled once: a run of the tests starts some hundred processes, and where nothing may be written beside the
        # sources each of them would compile its libraries anew.
        [
            uv,
            "sync",
            "--quiet",
            "--frozen",
            "--all-extras",
            "--compile-bytecode",
            "--python",
            str(VENV / "bin" / "python"),
        ],
    ]
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(VENV)}
    environ.pop("VIRTUAL_ENV", None)
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, env=environ, check=False, stderr=subprocess.PIPE, text=True)
        sys.stderr.write(done.stderr)
        if done.returncode:
            return _explain(done.stderr)
    STAMP.write_text(wanted)
    return 0


def _explain(words: str) -> int:
    """The remedy for what uv or pip complained of; their own words stand above."""
    lower = words.lower()
    if any(sign in lower for sign in NO_COMPILER):
        # All that we need comes as wheels for x86-64 and ARM64 Linux; another machine has to build some.
        minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return _say(
            "A package has no wheel for this machine and is built here, which needs a compiler.",
            f"apt-get install build-essential python{minor}-dev",
        )
    if "no space left" in lower:
        return _say("The disk is full.", f"Make room: {LEAST_FREE_MB} MB, also in your cache folder (~/.cache/uv).")
    if any(sign in lower for sign in NO_NETWORK):
        return _say(
            "The package index cannot be reached.", "Check the network or UV_DEFAULT_INDEX, run the same again."
        )
    return _say("The environment could not be made; the reason is above.", "Mend it and run the same again.")


def _say(what: str, remedy: str) -> int:
    print(f"elumiti: {what} {remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
