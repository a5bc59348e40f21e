"""An application of the test's own, served on loopback by a thread while the test runs."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from typing import Any, Self

START_LIMIT_S = 10


class Served(ABC):
    """Within `with` it answers at `url`; a port that is 0 is chosen by the system."""

    port = 0

    @abstractmethod
    def app(self) -> Any:
        """The application."""

    def __enter__(self) -> Self:
        config = uvicorn.Config(
            self.app(),
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve()), daemon=True)
        self.thread.start()
        until = time.monotonic() + START_LIMIT_S
        while not self.server.started:
            if time.monotonic() > until:
                raise TimeoutError(f"{type(self).__name__} did not start")
            time.sleep(0.02)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_exc: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
