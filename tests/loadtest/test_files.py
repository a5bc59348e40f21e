"""As many connections as are asked for, or one line that says why not."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("connections", "said"),
    [
        ("0", "--connections 0 is too little. At least 1."),
        ("-5", "--connections -5 is too little."),
        ("1900", "1900 connections are more than a process may hold here (2000 open files)."),
    ],
)
def test_connections_that_cannot_be_are_one_line(connections: str, said: str) -> None:
    words = f"ulimit -Sn 512; ulimit -Hn 2000; exec {sys.executable} -m infra loadtest --candidates 10 --connections {connections}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_shell_that_allows_few_files_is_no_hindrance() -> None:
    """1 024 is what most shells begin with; a nation opens 4 000."""
    program = (
        "import resource; from loadtest.files import make_room; make_room(4000); "
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    words = f'ulimit -Sn 1024; ulimit -Hn 5000; exec {sys.executable} -c "{program}"'
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "5000"
