"""`elumiti live`: the forwarder of live views."""

from __future__ import annotations

import asyncio
import contextlib

import uvloop

from infra import log as logs
from infra.local import adopt
from infra.parts.process import die_with_parent
from infra.settings import LiveSettings, read


def live() -> None:
    """Pass the picture of one child on to one proctor, 3 minutes at a stretch, until stopped."""
    from proctoring.live.serve import run

    adopt("live")
    logs.configure()
    die_with_parent()
    with (
        contextlib.suppress(asyncio.CancelledError),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(run(read(LiveSettings)))
