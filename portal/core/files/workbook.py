"""A workbook in a process of its own, with bounded memory and without our settings.

The reader makes room for every cell between the first and the last: a file of 5 kB with one stray cell at the end of
the sheet asks for 400 GB, and what aborts for want of memory takes its process along. So that is not the worker, which
would find its job again and die of it every minute, nor the machine on which Postgres runs.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys

import fastexcel
import polars as pl

MEMORY_BYTES = 3 * 2**30
LONGEST_S = 300
# 400 000 rows of fifty columns: several times the list of the whole country.
MOST_CELLS = 20_000_000


def read(body: bytes) -> list[list[str]] | None:
    """All cells of the first sheet as texts; None: it is no workbook, or one that no list of pupils needs."""
    argv = [sys.executable, "-m", "portal.core.files.workbook"]
    # No variable of ours, and one thread: each reserves memory.
    environ = {"PYTHONPATH": ":".join(filter(None, sys.path)), "POLARS_MAX_THREADS": "1"}
    try:
        done = subprocess.run(argv, env=environ, input=body, capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    return [[cell or "" for cell in line] for line in pl.read_ipc(io.BytesIO(done.stdout)).iter_rows()]


def main() -> int:
    """From stdin to stdout, as Arrow."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sheet = fastexcel.read_excel(sys.stdin.buffer.read()).load_sheet(0, header_row=None, dtypes="string")
        if sheet.width * sheet.height > MOST_CELLS:
            return 1
        sheet.to_polars().write_ipc(sys.stdout.buffer)
    except (fastexcel.FastExcelError, ValueError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
