"""An application whose worker begins as slowly as a test wants, before or after it ties itself to its parent."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra.parts.process import die_with_parent

if TYPE_CHECKING:
    import asyncio

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope


class Slow:
    """Its worker writes its number into the folder of the test, and waits there for the file `go`."""

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        if os.environ["SLOW"] == "after":
            die_with_parent()
        folder = Path(os.environ["SLOW_FOLDER"])
        (folder / f"{os.getpid()}.worker").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
        if os.environ["SLOW"] == "before":
            die_with_parent()

    async def __rsgi__(self, _scope: Scope, proto: HTTPProtocol) -> None:
        """It answers, once it has begun."""
        proto.response_bytes(200, [], b"ok")


slow = Slow()
