"""`reentry_s`: a phone dies with thirty answers; on another one the code is typed again. How long until all are there.

Over HTTP beside a running load, many times; and at a real browser on an old phone's line, for the page's own share:
reading the form, opening it, drawing the question. The figure is the 99th percentile of the first plus that share.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec
from playwright.async_api import async_playwright

from loadtest.bench.figures import Figure, write
from loadtest.bench.phone import CPU_SLOWED, phone
from loadtest.bench.saves import Sent, save_for, sign_in_all
from loadtest.bench.stack import fresh_stack, serve
from loadtest.device import Device
from loadtest.scenario import PlayItem, PlayPupil, Scenario
from loadtest.scene import BenchScene, demo_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Playwright

TIMES = 100
RATE = 1_000
LOAD_PUPILS = 3_000
AT_BROWSER = 3
CONNECTIONS = 300
ANSWERS = 30
# What the page waited for on the wire: the rest of its time is its own.
ON_THE_WIRE = """() => performance.getEntriesByType('resource')
  .filter((one) => /\\/v1\\/(sign-in|resume|key)$/.test(one.name)).reduce((sum, one) => sum + one.duration, 0)"""
ANSWERED = "() => document.querySelectorAll('dialog .grid button.answered').length"


async def measure(times: int = TIMES, rate: int = RATE) -> None:
    """Load, re-entries within it, then the browsers; writes the figure."""
    async with fresh_stack() as stack:
        scene = await demo_scene(stack, LOAD_PUPILS + times + AT_BROWSER)
        await serve(stack)
        port = stack.home.ports.engine
        told = msgspec.json.decode((stack.home.folder / "play-finished.json").read_bytes(), type=Scenario)
        items = told.items[:ANSWERS]
        load = msgspec.structs.replace(scene, seats=scene.seats[:LOAD_PUPILS])
        lost = scene.seats[LOAD_PUPILS : LOAD_PUPILS + times]
        took_s, sent = await _beside_load(port, load, lost, items, rate)
        async with aiohttp.ClientSession() as http, async_playwright() as playwright:
            browsers = [
                await _at_browser(playwright, http, f"http://127.0.0.1:{port}", items, seat)
                for seat in scene.seats[-AT_BROWSER:]
            ]
    ordered = sorted(took_s)
    p99_s = ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]
    own_s = max(own for _, own, _ in browsers)
    whole = ", ".join(f"{total:.1f}" for total, _, _ in browsers)
    factor = min(factor for _, _, factor in browsers)
    basis = (
        f"{len(took_s)} re-entries on a new device beside {sent.acked / sent.seconds:.0f} saves/s "
        f"({sent.refused} refused, {sent.lost} lost): sign-in, key, resume with all {ANSWERS} answers, "
        f"p50 {ordered[len(ordered) // 2]:.2f} s, p99 {p99_s:.2f} s, worst {ordered[-1]:.2f} s; plus the page's own share "
        f"{own_s:.2f} s, worst of {len(browsers)} at a browser with an empty cache, 400 kbit/s, 150 ms, processor slowed "
        f"{factor:.1f} times (asked {CPU_SLOWED}), from the tap on sign-in to the question (in all {whole} s)"
    )
    write(Figure(metric="reentry_s", value=round(p99_s + own_s, 2), unit="s", basis=basis))


async def _beside_load(
    port: int, load: BenchScene, lost: Sequence[tuple[int, str]], items: list[PlayItem], rate: int
) -> tuple[list[float], Sent]:
    pool = Pool("127.0.0.1", port)
    await pool.open(CONNECTIONS)
    host = f"127.0.0.1:{port}"
    candidates, _ = await sign_in_all(pool, host, load)
    seconds = max(10.0, 0.2 * len(lost))
    saving = asyncio.create_task(save_for(pool, host, candidates, load.items, rate, seconds + 4))
    await asyncio.sleep(2)
    took_s: list[float] = []

    async def one(after_s: float, code: str, http: aiohttp.ClientSession) -> None:
        await asyncio.sleep(after_s)
        await _write(http, f"http://{host}", items, code)
        began = time.perf_counter()
        second = Device(http, f"http://{host}", _pupil(code), 1)
        await second.sign_in()
        await second.start()
        answers = await second.resume()
        took_s.append(time.perf_counter() - began)
        if len(answers) != ANSWERS:
            raise RuntimeError(f"{len(answers)} of {ANSWERS} answers came back")

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(one(place * seconds / len(lost), code, http) for place, (_, code) in enumerate(lost)))
    sent = await saving
    pool.close()
    return took_s, sent


def _pupil(code: str) -> PlayPupil:
    return PlayPupil(code=code, day=14, month=3, ability=0, pace=1, language="kk", drops=False)


async def _write(http: aiohttp.ClientSession, url: str, items: list[PlayItem], code: str) -> None:
    """The first phone: thirty answers, the last save answered a moment ago. Then it is never heard again."""
    first = Device(http, url, _pupil(code), 1)
    await first.sign_in()
    await first.start()
    for item in items:
        first.note("view", item.id)
        first.note("answer", item.id, item.right)
    await first.save()


async def _at_browser(
    playwright: Playwright, http: aiohttp.ClientSession, url: str, items: list[PlayItem], seat: tuple[int, str]
) -> tuple[float, float, float]:
    """Seconds from the tap to the question, the page's own part of them, the processor's real factor."""
    await _write(http, url, items, seat[1])
    async with phone(playwright) as child:
        await child.type_slip(url, seat[1], 14, 3)
        total_s = await child.tap("button[type=submit]") / 1000
        wire_s = await child.page.evaluate(ON_THE_WIRE) / 1000
        await child.page.locator(".counter").click()
        await child.page.locator("dialog .grid button").first.wait_for()
        if (answered := await child.page.evaluate(ANSWERED)) != ANSWERS:
            raise RuntimeError(f"{answered} of {ANSWERS} questions stand answered on the screen")
        return total_s, total_s - wire_s, child.cpu_factor
