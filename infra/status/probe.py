"""Looking at the platform as a visitor would: over HTTP, from outside, with a new connection each time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = ("page", "sign-in", "key", "resume", "save", "results")
OF_ENGINE = ("sign-in", "key", "resume", "save")
ANSWER_WITHIN_S = 3.0
OK = 200


class Seen(msgspec.Struct, frozen=True):
    """A step as one look found it. `somewhere`: of several engines at least one did it."""

    works: bool
    somewhere: bool
    took_ms: int


class Look(msgspec.Struct, frozen=True):
    """One look: when it was begun and over (Unix ms), and each step."""

    asked_ms: int
    came_ms: int
    steps: dict[str, Seen]


class _Steps(msgspec.Struct):
    steps: dict[str, bool]


decode_steps = msgspec.json.Decoder(_Steps).decode


async def look(engines: Sequence[str], portal: str, results: Seen | None = None) -> Look:
    """Every step at every address; no answer within three seconds is none. `results`: known from the look before."""
    asked_ms = _now_ms()
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    # Whoever comes has no connection yet: one that is kept would not see a listener that is gone.
    connector = aiohttp.TCPConnector(force_close=True, ttl_dns_cache=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        of_engines, results = await asyncio.gather(
            asyncio.gather(*(_engine(session, url) for url in engines)), _portal(session, portal, results)
        )
    steps = {step: _over([one[step] for one in of_engines]) for step in STEPS if step != "results"}
    steps["results"] = results
    return Look(asked_ms, _now_ms(), steps)


async def _engine(session: aiohttp.ClientSession, url: str) -> dict[str, tuple[bool, int]]:
    base = url.rstrip("/")
    page, (told, took_ms) = await asyncio.gather(_page(session, f"{base}/"), _told(session, f"{base}/v1/status"))
    return {"page": page} | {step: (told.get(step, False), took_ms) for step in OF_ENGINE}


async def _portal(session: aiohttp.ClientSession, url: str, known: Seen | None) -> Seen:
    return known or _over([await _page(session, f"{url.rstrip('/')}/sign-in")])


async def _page(session: aiohttp.ClientSession, url: str) -> tuple[bool, int]:
    began = time.monotonic()
    try:
        async with session.get(url) as answer:
            await answer.read()
            works = answer.status == OK
    except (aiohttp.ClientError, TimeoutError, OSError):
        works = False
    return works, round(1000 * (time.monotonic() - began))


async def _told(session: aiohttp.ClientSession, url: str) -> tuple[dict[str, bool], int]:
    began = time.monotonic()
    try:
        async with session.get(url) as answer:
            body = await answer.read()
            told = decode_steps(body).steps if answer.status == OK else {}
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
        told = {}
    return told, round(1000 * (time.monotonic() - began))


def _over(found: list[tuple[bool, int]]) -> Seen:
    return Seen(all(works for works, _ in found), any(works for works, _ in found), max(took for _, took in found))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
