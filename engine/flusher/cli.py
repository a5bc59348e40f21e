"""`elumiti flush`: the flusher process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import uvloop

from engine.flusher.loop import flush as run
from infra import garbage
from infra.local import adopt
from infra.settings import FlusherSettings, read


def flush() -> None:
    """Move answers from the streams into Postgres, exactly once, until stopped. Any number may run side by side."""
    adopt("flusher")
    garbage.settle()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(read(FlusherSettings), say_ready))


def say_ready() -> None:
    """Tell the supervisor that Postgres is there and its schema is ours."""
    path = os.environ.get("ELUMITI_READY_FILE")
    if path:
        Path(path).touch()
