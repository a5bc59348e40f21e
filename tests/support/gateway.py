"""An SMS gateway on this machine: what it was given to send."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.loop import Loop


class Gateway:
    """Takes every SMS; (phone, text), oldest first."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.sent.append((str(form["to"]), str(form["text"])))
        return web.Response()

    def of(self, phone: str) -> list[str]:
        """Texts that went to a phone."""
        return [text for to, text in self.sent if to == phone]


@contextlib.contextmanager
def gateway_on(loop: Loop) -> Iterator[Gateway]:
    """A gateway that listens."""
    gateway = Gateway()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/send", gateway.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run(start())
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}/send?to={{phone}}&text={{text}}"
    try:
        yield gateway
    finally:
        loop.run(runner.cleanup())
