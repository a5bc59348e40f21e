"""`elumiti status` looks and writes; `elumiti status-page` serves what was written. Each lives without the other."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from infra.local import adopt
from infra.settings import StatusPageSettings, StatusSettings
from infra.settings import read as read_settings
from infra.status import render
from infra.status.probe import look
from infra.status.serve import application
from infra.status.store import Store, Told
from infra.status.watch import Watches

if TYPE_CHECKING:
    from infra.status.probe import Look
    from infra.status.store import Head

log = structlog.get_logger()
# What the page shows beside the steps changes slowly: it is read with every tenth look.
READ_EVERY = 10
PORTAL_EVERY = 5
HOUR_MS = 3600 * 1000
# A line of the page and the steps that make it.
LINES = {"sign_in": ("page", "sign-in"), "start": ("key", "resume"), "saving": ("save",), "results": ("results",)}


def status() -> None:
    """Probe the platform as a visitor would, write the status page's files, and put outages down, until stopped."""
    adopt("status")
    asyncio.run(_watch(read_settings(StatusSettings)))


def status_page() -> None:
    """Serve the status page's folder until stopped. Needs no other part."""
    adopt("status-page")
    settings = read_settings(StatusPageSettings)
    made = application(Path(settings.status_dir))
    web.run_app(made, host=settings.status_host, port=settings.status_port, print=None, access_log=None)


async def _watch(settings: StatusSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = Path(settings.status_dir)
    store, watches, board = Store(settings.database_url, folder / "waiting.json"), Watches(), Board(render.read(folder))
    ready = os.environ.get("ELUMITI_READY_FILE")
    looks = 0
    seen: Look | None = None
    while not stop.is_set():
        began = time.monotonic()
        # No clock hangs on the portal: it is looked at less often.
        known = seen.steps["results"] if seen is not None and looks % PORTAL_EVERY else None
        seen = await look(settings.probe_engines, settings.probe_portal, known)
        store.keep(watches.see(seen))
        told = await store.round(read=looks % READ_EVERY == 0)
        looks += 1
        if told is not None:
            board.hear(told)
        render.write(board.feed(watches, seen.came_ms), folder)
        if ready:
            Path(ready).touch()
            ready = None
        try:
            async with asyncio.timeout(max(0.05, settings.probe_every_s - (time.monotonic() - began))):
                await stop.wait()
        except TimeoutError:
            pass
    store.drop()


class Board:
    """What the page shows beside the steps: what Postgres said last, kept over restarts in the feed itself."""

    def __init__(self, before: render.Feed | None) -> None:
        self._told = Told(sittings=before.sittings, incidents=before.incidents) if before else Told()
        self._projects = before.projects if before else []
        self._heads: list[Head] = before.heads if before else []

    def hear(self, told: Told) -> None:
        """Newer word of Postgres; the audit's fingerprint once an hour."""
        self._told = told
        found = {sitting.project for sitting in told.sittings} | {one.project for one in told.incidents}
        self._projects = sorted({*self._projects, *found})
        if told.head is not None and (not self._heads or told.head.at_ms // HOUR_MS > self._heads[0].at_ms // HOUR_MS):
            self._heads = [told.head, *self._heads][: render.HEADS_SHOWN]

    def feed(self, watches: Watches, now_ms: int) -> render.Feed:
        """The page's content now."""
        return render.Feed(
            written_ms=now_ms,
            projects=self._projects or [render.DEFAULT_PROJECT],
            steps={line: render.joined([watches.of[step].standing for step in steps]) for line, steps in LINES.items()},
            sittings=self._told.sittings,
            incidents=self._told.incidents,
            heads=self._heads,
        )
