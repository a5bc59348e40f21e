"""A request's body, bounded before it is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from granian._granian import RSGIProtocolClosed

from engine.reads import HungUp
from proctoring.problems import Problem

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.reads import Reads

# So much of a body that is too large is still read, so that an honest phone hears why; beyond, the line is cut.
DRAINED_BYTES = 2**18


async def bounded_body(reads: Reads, scope: Scope, proto: HTTPProtocol, limit: int) -> bytes:
    """The whole body. One that says it is larger is refused unread, one that lies as soon as it is too long."""
    length = scope.headers.get("content-length")
    if length is None or not length.isdigit() or int(length) > limit:
        return await _other(reads, length, proto, limit)
    waiting = proto()
    reads.running[waiting] = reads.turn
    try:
        body = await waiting
    except asyncio.CancelledError:
        if waiting in reads.running:
            raise
        raise Problem("body-slow") from None
    except RSGIProtocolClosed:
        raise HungUp from None
    finally:
        reads.running.pop(waiting, None)
    if len(body) != int(length):
        raise Problem("body-truncated", expected=int(length), seen=len(body))
    return body


async def _other(reads: Reads, length: str | None, proto: HTTPProtocol, limit: int) -> bytes:
    try:
        async with asyncio.timeout(reads.limit_s):
            if length is not None:
                if length.isdigit() and int(length) <= DRAINED_BYTES:
                    async for _ in proto:
                        pass
                raise Problem("body-too-large", limit=limit)
            chunks: list[bytes] = []
            size = 0
            async for chunk in proto:
                size += len(chunk)
                if size > limit:
                    raise Problem("body-too-large", limit=limit)
                chunks.append(chunk)
            return b"".join(chunks)
    except TimeoutError:
        raise Problem("body-slow") from None
    except RSGIProtocolClosed:
        raise HungUp from None
