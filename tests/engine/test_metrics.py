"""Figures of engine and flusher: what is counted is what happened, and the page tells all of them."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from engine.flusher.figures import Figures
from engine.protocol import stream_key
from tests.support.pupil import Pupil
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    import redis.asyncio

    from infra.parts.supervisor import Stack
    from tests.engine.conftest import Begin

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"
SAMPLE = re.compile(r"^(elumiti_\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


async def figures(url: str) -> dict[str, float]:
    """`name{labels}` → value."""
    async with httpx.AsyncClient(verify=False) as client:
        text = (await client.get(f"{url}/metrics")).text
    return {f"{name}{{{labels}}}" if labels else name: float(value) for name, labels, value in SAMPLE.findall(text)}


async def settled(url: str) -> dict[str, float]:
    """The same when nothing that happened before is still on its way to the page (workers write each 2 s)."""
    seen: list[dict[str, float]] = [await figures(url)]

    async def unchanged() -> None:
        now = await figures(url)
        # Looking is counted too.
        seen.append({name: now[name] for name in now if "requests_total" in name and "/metrics" not in name})
        assert len(seen) > 2
        assert seen[-1] == seen[-2]

    await eventually(unchanged, limit_s=30, every_s=2.5)
    return seen[-1]


def flusher_of(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.home.ports.flusher}"


async def test_requests_are_counted_by_route_and_outcome(begin: Begin) -> None:
    """What was refused is not counted as answered well, and nobody can make up names of routes."""
    _, pupil = await begin(key=False)

    def sample(route: str, outcome: str) -> str:
        return f'elumiti_engine_requests_total{{outcome="{outcome}",route="{route}"}}'

    before = await settled(pupil.base_url)
    for _ in range(3):
        pupil.note("blur")
        await pupil.save()
    stranger = Pupil(pupil.base_url, pupil.seat)
    await refused_as(lambda: stranger.call("POST", "/v1/save", {}), "token-rejected")
    await refused_as(lambda: stranger.call("GET", "/nowhere/at/all"), "not-found")
    await refused_as(lambda: stranger.call("GET", "/v1/bundles/x"), "bundle-unknown")

    async def counted() -> None:
        now = await figures(pupil.base_url)
        for route, outcome, count in (
            ("/v1/save", "ok", 3),
            ("/v1/save", "token-rejected", 1),
            ("/", "not-found", 1),
            ("/v1/bundles/", "bundle-unknown", 1),
        ):
            name = sample(route, outcome)
            assert now.get(name, 0) - before.get(name, 0) == count, name
        assert not [name for name in now if "nowhere" in name]

    await eventually(counted)


async def test_open_connections_are_counted(begin: Begin) -> None:
    _, pupil = await begin(key=False)
    before = (await figures(pupil.base_url))["elumiti_engine_connections"]
    async with httpx.AsyncClient(
        verify=False, base_url=pupil.base_url, limits=httpx.Limits(max_connections=None)
    ) as client:
        many = [client.stream("GET", "/v1/clock") for _ in range(30)]
        for one in many:
            await one.__aenter__()

        async def seen() -> None:
            assert (await figures(pupil.base_url))["elumiti_engine_connections"] >= before + 25

        await eventually(seen)
        for one in many:
            await one.__aexit__(None, None, None)


async def test_the_flusher_tells_what_it_wrote_and_what_waits(begin: Begin, stack: Stack) -> None:
    """Held still, its oldest open receipt grows old and it is not ready; let go, it catches up."""
    _, pupil = await begin(key=False)
    url = flusher_of(stack)
    before = await figures(url)
    for _ in range(4):
        pupil.note("blur")
    await pupil.save_until_durable()

    async def written() -> None:
        now = await figures(url)
        assert now["elumiti_flusher_events_total"] >= before["elumiti_flusher_events_total"] + 4
        assert now["elumiti_flusher_oldest_open_receipt_seconds"] == 0
        assert now["elumiti_flusher_connected"] == 1
        assert now["elumiti_flusher_open_streams"] >= 1

    await eventually(written)
    async with httpx.AsyncClient(verify=False) as client:
        assert (await client.get(f"{url}/health")).text == "ok"
        assert (await client.get(f"{url}/ready")).json() == {"ready": True, "reasons": {}}
        assert (await client.get(f"{url}/metrics", headers={"x-forwarded-for": "203.0.113.7"})).status_code == 404


async def test_what_waits_is_known_while_postgres_is_away(begin: Begin, stack: Stack) -> None:
    """Postgres held still for some seconds: the oldest open receipt gets older; afterwards there is none."""
    _, pupil = await begin(key=False)
    url = flusher_of(stack)
    postgres = stack.parts["postgres"].pid
    assert postgres
    # The flusher's own server process: the postmaster alone would not stop a connection that is there.
    children = [int(pid) for pid in Path(f"/proc/{postgres}/task/{postgres}/children").read_text().split()]
    flushers = [pid for pid in children if b"elumiti_flusher" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert flushers
    for pid in flushers:
        os.kill(pid, signal.SIGSTOP)
    try:
        pupil.note("blur")
        await pupil.save()

        async def older() -> None:
            now = await figures(url)
            assert now["elumiti_flusher_oldest_open_receipt_seconds"] > 1

        await eventually(older)
    finally:
        for pid in flushers:
            os.kill(pid, signal.SIGCONT)
    await pupil.save_until_durable()

    async def caught_up() -> None:
        now = await figures(url)
        assert now["elumiti_flusher_oldest_open_receipt_seconds"] == now["elumiti_flusher_stream_lag_seconds"] == 0

    await eventually(caught_up)


async def test_a_stream_that_was_quiet_does_not_lag_by_its_quiet_minutes(valkey: redis.asyncio.Redis) -> None:
    """One entry after ten minutes of silence is one entry that waits, not ten minutes of them."""
    stream = 900_001
    figures_of_it = Figures()
    now_ms = time.time_ns() // 1_000_000
    figures_of_it.positions = {stream: (now_ms - 600_000, 0)}
    try:
        await valkey.xadd(stream_key(stream), {b"b": b""}, id=f"{now_ms - 600_000}-0")
        await valkey.xadd(stream_key(stream), {b"b": b""}, id=f"{now_ms - 3000}-0")
        await figures_of_it.measure(valkey)
        assert figures_of_it.lag_s == 0
        assert 3 <= figures_of_it.oldest_s < 60
        await valkey.xadd(stream_key(stream), {b"b": b""}, id=f"{now_ms - 1000}-0")
        await figures_of_it.measure(valkey)
        assert figures_of_it.lag_s == 2
    finally:
        await valkey.delete(stream_key(stream))


OTHERS = ("elumiti_pictures", "elumiti_proctoring", "elumiti_live")


async def test_every_figure_is_in_the_page_and_no_other(service: str, stack: Stack) -> None:
    served = {name.partition("{")[0] for url in (service, flusher_of(stack)) for name in await figures(url)}
    served = {name for name in served if not name.endswith("_created")}
    # Those of the ingest of pictures are served by another process: tests/proctoring, tests/infra/test_deploy.py.
    told = {name for name in re.findall(r"`(elumiti_\w+)`", PAGE.read_text()) if not name.startswith(OTHERS)}
    assert told == served
