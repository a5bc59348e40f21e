"""`elumiti serve`: one of our two web processes, as a container or a service starts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from infra.local import Home, Ports
from infra.parts.supervisor import engine_argv, portal_argv


def serve(process: Literal["engine", "portal"], *, host: str = "127.0.0.1", port: int = 0, workers: int = 1) -> None:
    """Serve the engine or the portal with the settings of the environment, until stopped.

    Parameters
    ----------
    process
        engine (pupils) or portal (staff).
    host
        Address to listen on.
    port
        8100 for the engine, 8000 for the portal, unless said.
    workers
        Worker processes of the engine; one a core.
    """
    usual = Ports()
    ports = Ports(engine=port or usual.engine, portal=port or usual.portal)
    home = Home(Path.cwd(), ports, host)
    argv = engine_argv(home, workers) if process == "engine" else portal_argv(home)
    # The same process: whoever supervises us speaks to granian itself.
    os.execv(argv[0], argv)  # noqa: S606 (our own words)
