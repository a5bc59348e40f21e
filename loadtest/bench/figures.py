"""A figure, as it was seen: what, how much, against what, how, where, when."""

from __future__ import annotations

import datetime as dt
import platform
import sys
from pathlib import Path

import msgspec
import psutil

from infra.parts.process import sessions_share

BUILD = Path("build/figures")


class Figure(msgspec.Struct, kw_only=True):
    """One metric of one run. `ratio` is peer / value (how many times cheaper) where there is a peer."""

    metric: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    basis: str
    command: str = ""
    machine: str = ""
    at: str = ""


def machine() -> str:
    """What it ran on, without names."""
    memory_gb = psutil.virtual_memory().total / 2**30
    kernel = f"{platform.system()} {platform.machine()}{', autogroup' if sessions_share() else ''}"
    return f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, {kernel}, Python {platform.python_version()}"


def write(figure: Figure) -> None:
    """Print it and keep it under build/figures."""
    figure.command = figure.command or " ".join(["python -m loadtest.bench", *sys.argv[1:]])
    figure.machine = machine()
    figure.at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{figure.metric}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figure), indent=2) + b"\n")
    peer = (
        f"   {figure.peer}: {figure.peer_value:g} {figure.unit} (× {figure.ratio:.1f})"
        if figure.peer and figure.ratio
        else ""
    )
    print(f"{figure.metric}: {figure.value:g} {figure.unit}{peer}\n    {figure.basis}", flush=True)
