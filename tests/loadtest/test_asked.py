"""What makes no run or no plan is one line, before anything is started; who is asked to end leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ELUMITI = [sys.executable, "-m", "infra"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plan --snapshot-every nan", "--snapshot-every nan is too little."),
        ("plan --snapshot-every 0.001", "--snapshot-every 0.001 is too little."),
        ("plan --minutes inf", "--minutes inf is too much."),
        ("plan --core-hour 1e400", "--core-hour inf is too much."),
        ("plan --candidates 99999999999999999999", "At most 30000000."),
        ("loadtest --minutes inf", "--minutes inf is too much."),
        ("loadtest --spread-s -1", "--spread-s -1 is too little."),
        ("loadtest --lost-acks 2", "--lost-acks 2 is too much. At most 0.9."),
        ("loadtest --lost-acks nan", "--lost-acks nan is too little."),
        ("loadtest --visitors -1", "--visitors -1 is too little."),
        ("loadtest --workers 0", "--workers 0 is too little."),
        ("loadtest --workers 999", "--workers 999 is too much. At most 64."),
        ("loadtest --candidates 99999999999", "--candidates 99999999999 is too much."),
        ("loadtest scene --base-url foo", "foo is no address."),
        ("loadtest scene --base-url http://x:99999999", "http://x:99999999 is no address."),
        ("loadtest scene --base-url https://exam.example.kz", "say so: --host-allowed exam.example.kz"),
        ("loadtest scene --base-url http://127.0.0.1:1 --starts-in-s -5", "--starts-in-s -5 is too little."),
    ],
)
def test_nonsense_is_one_line(words: str, said: str) -> None:
    done = subprocess.run([*ELUMITI, *words.split()], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.timeout(120)
def test_a_run_that_is_asked_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither its folder nor a process; an engine with many workers went on starting them for ever."""
    environ = {**os.environ, "TMPDIR": tmp_path.as_posix()}
    tmp_path.chmod(0o755)
    words = [*ELUMITI, "loadtest", "--candidates", "50", "--minutes", "5", "--workers", "3"]
    run = subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 60
        parts: list[psutil.Process] = []
        while not any("granian" in " ".join(part.cmdline()) for part in parts):
            assert time.monotonic() < limit, "the engine does not begin"
            assert run.poll() is None
            time.sleep(0.1)
            parts = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 128 + signal.SIGTERM
    finally:
        run.kill()
    _, alive = psutil.wait_procs(parts, 10)
    assert not alive
    assert not list(tmp_path.glob("elumiti-bench-*"))
