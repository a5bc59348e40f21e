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
        [uv, "sync", "--quiet", "--frozen", "--all-extras", "--python", str(VENV / "bin" / "python")],
    ]
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(VENV)}
    environ.pop("VIRTUAL_ENV", None)
    for step in steps:
        if subprocess.run(step, cwd=ROOT, env=environ, check=False).returncode:
            return _say("The environment could not be made; the reason is above.", "Mend it and run the same again.")
    STAMP.write_text(wanted)
    return 0


def _say(what: str, remedy: str) -> int:
    print(f"elumiti: {what} {remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
