"""CPU time of the parts, from the operating system's own accounting."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable


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
        return {name: seconds_of(tree) for name, tree in trees(self._pids).items()}


def trees(roots: dict[str, int]) -> dict[str, list[psutil.Process]]:
    """Each process with its living descendants, by one look at all processes of the machine."""
    children: defaultdict[int, list[psutil.Process]] = defaultdict(list)
    known: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            children[process.ppid()].append(process)
            known[process.pid] = process
    found: dict[str, list[psutil.Process]] = {}
    for name, pid in roots.items():
        tree = [known[pid]] if pid in known else []
        # The list grows while it is gone through.
        for process in tree:
            tree += children[process.pid]
        found[name] = tree
    return found


def seconds_of(processes: Iterable[psutil.Process]) -> float:
    """User and system seconds of these processes, and of children of theirs that were waited for."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def megabytes_of(processes: Iterable[psutil.Process]) -> float:
    """Memory of these processes; pages that Postgres' processes share count once for each."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total / 2**20
