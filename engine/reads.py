"""Bodies on their way, bounded before they are read: who sends one byte and then nothing must not keep his place for ever.

A timer for each save costs 4.5 µs, this 0.1 (two cores of a server): each read notes the turn in which it began,
and one task a worker looks every few seconds for those that are older than the limit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from granian._granian import RSGIProtocolClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope


TURNS = 10


class HungUp(Exception):  # noqa: N818 (an event, not a fault)
    """The caller went away in the middle of the body: nobody is there to be answered."""


class Reads:
    """The bodies that this worker is reading, each with the turn in which it began.

    `problem` makes the service's own answer of a code and its data. `drained`: so many bytes of a body that is too large
    are still read and thrown away, for most clients hear an answer only after they have sent everything; beyond that the
    line is cut.
    """

    def __init__(self, limit_s: float, problem: Callable[..., Exception], drained: int) -> None:
        self.limit_s = limit_s
        self._problem = problem
        self._drained = drained
        self.turn = 0
        self.running: dict[Coroutine[Any, Any, bytes], int] = {}

    async def body(self, scope: Scope, proto: HTTPProtocol, limit: int) -> bytes:
        """The body; a larger one is refused before it is read, one of unknown length as soon as it is too long.

        Who is too slow hears so; who hangs up in the middle is `HungUp`.
        """
        length = scope.headers.get("content-length")
        if length is None or not length.isdigit() or int(length) > limit:
            return await self._without_length(length, proto, limit)
        waiting = proto()
        self.running[waiting] = self.turn
        try:
            body = await waiting
        except asyncio.CancelledError:
            if waiting in self.running:
                raise
            raise self._problem("body-slow") from None
        except RSGIProtocolClosed:
            raise HungUp from None
        finally:
            self.running.pop(waiting, None)
        if len(body) != int(length):
            raise self._problem("body-truncated", expected=int(length), seen=len(body))
        return body

    async def _without_length(self, length: str | None, proto: HTTPProtocol, limit: int) -> bytes:
        """A body whose length is not told, is nonsense or is too much: no client of ours sends one."""
        try:
            async with asyncio.timeout(self.limit_s):
                if length is not None:
                    if length.isdigit() and int(length) <= self._drained:
                        async for _ in proto:
                            pass
                    raise self._problem("body-too-large", limit=limit)
                chunks: list[bytes] = []
                size = 0
                async for chunk in proto:
                    size += len(chunk)
                    if size > limit:
                        raise self._problem("body-too-large", limit=limit)
                    chunks.append(chunk)
                return b"".join(chunks)
        except TimeoutError:
            raise self._problem("body-slow") from None
        except RSGIProtocolClosed:
            raise HungUp from None

    async def sweep_for_ever(self) -> None:
        """End the reads that began `limit_s` ago, a tenth more at the most."""
        while True:
            await asyncio.sleep(self.limit_s / TURNS)
            self.turn += 1
            for waiting in [one for one, began in self.running.items() if self.turn - began > TURNS]:
                # Out of the dict first: so the reader sees that it was this, and not the end of the worker.
                del self.running[waiting]
                # Granian's future, which its stub calls a coroutine: this ends the read, not the request's task.
                cast("asyncio.Future[bytes]", waiting).cancel()
