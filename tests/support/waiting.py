"""Waiting for a condition, with a limit; never a sleep and hope."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

import httpx

from tests.support.pupil import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


async def refused_as(work: Callable[[], Awaitable[object]], code: str) -> Refused:
    """The problem with this code that the work meets; anything else is an AssertionError."""
    try:
        await work()
    except Refused as refused:
        assert refused.problem["code"] == code, refused
        return refused
    message = f"was not refused as {code}"
    raise AssertionError(message)


async def eventually(work: Callable[[], Awaitable[T]], limit_s: float = 15, every_s: float = 0.2) -> T:
    """Repeat until it raises neither Refused nor AssertionError nor KeyError; the last one is raised at the limit."""
    limit = time.monotonic() + limit_s
    while True:
        try:
            return await work()
        except (Refused, AssertionError, KeyError):
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(every_s)


async def all_workers_ready(url: str) -> None:
    """Each worker answers for itself, and who connects meets any of them: ten callers in a row are served.

    The count of workers in the figures says it exactly, but not after a restart: who died is counted ten seconds more.
    """

    async def served() -> None:
        for _ in range(10):
            async with httpx.AsyncClient(verify=False) as client:
                try:
                    reply = await client.get(f"{url}/ready")
                except httpx.TransportError as error:
                    # Of a worker that could not begin and just ended, to be started anew.
                    raise AssertionError from error
            assert reply.status_code == 200, reply.text

    await eventually(served, limit_s=60)


def until(work: Callable[[], bool], limit_s: float = 15, every_s: float = 0.2) -> None:
    """Wait for a fact from a synchronous test."""
    limit = time.monotonic() + limit_s
    while not work():
        if time.monotonic() > limit:
            message = f"it did not come about in {limit_s:.0f} s"
            raise AssertionError(message)
        time.sleep(every_s)
