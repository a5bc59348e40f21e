"""CPU time of the parts, from the operating system's own accounting."""

from __future__ import annotations

import contextlib

import psutil


class Meter:
    """CPU seconds of named process trees. Times of children that have ended count through their parent."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before = self._read()

    def taken(self) -> dict[str, float]:
        """Seconds since the meter was made, by name."""
        now = self._read()
        return {name: now[name] - self._before[name] for name in now}

    def _read(self) -> dict[str, float]:
        return {name: tree_seconds(pid) for name, pid in self._pids.items()}


def tree_seconds(pid: int) -> float:
    """User and system seconds of a process, its living descendants, and those that were waited for."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
