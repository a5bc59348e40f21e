"""`elumiti serve`: one of our web processes, as a container or a service starts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from infra.local import Home, Ports
from infra.parts.supervisor import engine_argv, pictures_argv, portal_argv


def serve(
    process: Literal["engine", "portal", "pictures"], *, host: str = "127.0.0.1", port: int = 0, workers: int = 1
) -> None:
    """Serve the engine, the portal or the ingest of pictures with the settings of the environment, until stopped.

    Parameters
    ----------
    process
        engine (pupils), portal (staff) or pictures (of proctored sittings).
    host
        Address to listen on.
    port
        8100 for the engine, 8000 for the portal, 8120 for pictures, unless said.
    workers
        Worker processes of the engine or of the ingest; one a core.
    """
    usual = Ports()
    ports = Ports(engine=port or usual.engine, portal=port or usual.portal, pictures=port or usual.pictures)
    home = Home(Path.cwd(), ports, host)
    argv = {
        "engine": lambda: engine_argv(home, workers),
        "portal": lambda: portal_argv(home),
        "pictures": lambda: pictures_argv(home, workers),
    }[process]()
    # The same process: whoever supervises us speaks to granian itself.
    os.execvp(argv[0], argv)  # noqa: S606 (our own words)
