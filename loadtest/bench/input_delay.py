"""`proctoring_input_delay_ms`: how long a tap waits on an old phone while the camera takes pictures and looks for faces.

Read out of Chromium's trace: for each tap, from the moment the browser got it to the moment the page began to handle it
(`EventTiming`: processing start − time stamp). The same taps without a camera stand beside it. Pictures and looks come
every five seconds, six times as often as a sitting asks, so that many taps meet one; the engine and the ingest are real.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from PIL import Image, ImageDraw
from playwright.async_api import async_playwright

from infra.parts.supervisor import pictures_argv
from loadtest.bench.figures import Figure, write
from loadtest.bench.phone import CPU_SLOWED, phone
from loadtest.bench.stack import fresh_stack, serve
from loadtest.scene import demo_scene

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Playwright

    from infra.parts.supervisor import Stack
    from loadtest.bench.phone import Phone

SECONDS = 120.0
EVERY_S = 5
TAP_EVERY_S = 0.25
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
TRACED = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
CARD = "#camera-yes"


class Delays(msgspec.Struct):
    """Of one phone: milliseconds that each tap waited, and the longest task of the page's own thread."""

    taps: list[float]
    longest_task_ms: float
    # The same by the thread's own clock: what other work of the machine takes is not in it.
    longest_task_cpu_ms: float
    cpu_factor: float
    pictures: int = 0


async def measure(seconds: float = SECONDS) -> None:
    """Two phones, one after the other: one with a camera, one without."""
    async with fresh_stack() as stack, async_playwright() as playwright:
        scene = await demo_scene(stack, pupils=2)
        await _proctor(stack, scene.sitting, scene.seats[0][0])
        await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, 1), stack.home.ports.pictures)
        await serve(stack)
        url = f"http://127.0.0.1:{stack.home.ports.engine}"
        plain = await _taps(playwright, url, scene.seats[1][1], seconds, camera=False)
        watched = await _taps(playwright, url, scene.seats[0][1], seconds, camera=True)
        watched.pictures = await _stored(stack, scene.seats[0][0])
    basis = (
        f"the longest wait of {len(watched.taps)} taps (median {median(watched.taps):.1f}) in {seconds:.0f} s with a snapshot and "
        f"a look for faces every {EVERY_S} s ({watched.pictures} pictures reached the ingest), processor slowed "
        f"{watched.cpu_factor:.1f} times (asked {CPU_SLOWED}; the worker's thread is not), 400 kbit/s; longest task of the page's "
        f"thread {watched.longest_task_ms:.0f} ms, by its own clock {watched.longest_task_cpu_ms:.0f}; peer: the same taps with no "
        f"camera, median {median(plain.taps):.1f}, longest task {plain.longest_task_ms:.0f} ms, by its own clock "
        f"{plain.longest_task_cpu_ms:.0f}; load of the machine {os.getloadavg()[0]:.1f}; EventTiming of Chromium's trace"
    )
    worst = max(watched.taps)
    write(
        Figure(
            metric="proctoring_input_delay_ms",
            value=round(worst, 1),
            unit="ms",
            peer="without a camera",
            peer_value=round(max(plain.taps), 1),
            ratio=round(max(plain.taps) / worst, 2),
            basis=basis,
        )
    )


async def _taps(playwright: Playwright, url: str, code: str, seconds: float, *, camera: bool) -> Delays:
    with tempfile.TemporaryDirectory() as folder:
        flags = [*CAMERA, f"--use-file-for-fake-video-capture={_film(Path(folder))}"]
        async with phone(playwright, flags) as child:
            await child.type_slip(url, code, 14, 3)
            await child.page.locator("button[type=submit]").click()
            await child.page.locator(".findings").wait_for()
            if camera:
                await child.page.locator(CARD).click()
                await child.page.locator("#shoot").click()
                await child.page.locator("#keep-photo").click()
            await child.page.locator("#go-on").click()
            await child.page.locator("#start").click()
            await child.page.locator("#question").wait_for()
            if camera:
                await child.page.locator(".camera-sign.on").wait_for()
            return await _tapping(child, seconds)


async def _tapping(child: Phone, seconds: float) -> Delays:
    """Options and the way on, as fast as a hurried child, while the trace runs."""
    await child.session.send(
        "Tracing.start", {"transferMode": "ReturnAsStream", "traceConfig": {"includedCategories": TRACED}}
    )
    until = time.monotonic() + seconds
    width, height = 360, 640
    place = 0
    while time.monotonic() < until:
        # Two thirds of the taps meet the options, one the button for the next question.
        x, y = (width - 60, height - 30) if place % 3 == 2 else (width / 2, 330 + 70 * (place % 2))
        await child.page.touchscreen.tap(x, y)
        place += 1
        await asyncio.sleep(TAP_EVERY_S)
    return _read(await _traced(child.session), child.cpu_factor)


async def _traced(session: CDPSession) -> list[dict[str, Any]]:
    """The trace's events."""
    done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    session.once("Tracing.tracingComplete", lambda said: done.set_result(said))  # noqa: PLW0108 (it is marked by the library)
    await session.send("Tracing.end")
    stream = (await asyncio.wait_for(done, 60))["stream"]
    text = io.StringIO()
    while True:
        piece = await session.send("IO.read", {"handle": stream, "size": 1 << 20})
        text.write(piece["data"])
        if piece["eof"]:
            return json.loads(text.getvalue())["traceEvents"]


def _read(events: list[dict[str, Any]], cpu_factor: float) -> Delays:
    taps = [
        data["processingStart"] - data["timeStamp"]
        for event in events
        if event["name"] == "EventTiming"
        and (data := event.get("args", {}).get("data", {})).get("type") == "pointerdown"
    ]
    main = next(
        (event["pid"], event["tid"]) for event in events if event["name"] == "EventTiming" and event.get("args")
    )
    # The tasks of the page's own thread, in microseconds.
    tasks = [event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) == main]
    longest, cpu = (max((task.get(key, 0) for task in tasks), default=0) / 1000 for key in ("dur", "tdur"))
    return Delays(taps, longest, cpu, cpu_factor)


def _film(folder: Path) -> Path:
    """A camera before which something like a face moves: frames that differ, as a sensor's do."""
    path = folder / "camera.mjpeg"
    with path.open("wb") as file:
        for number in range(30):
            frame = Image.effect_noise((640, 480), 24).convert("RGB")
            draw = ImageDraw.Draw(frame)
            draw.ellipse((220 + number, 100, 420 + number, 380), fill=(190, 150, 120))
            draw.ellipse((270 + number, 200, 300 + number, 220), fill=(40, 30, 30))
            draw.ellipse((340 + number, 200, 370 + number, 220), fill=(40, 30, 30))
            frame.save(file, "JPEG", quality=85)
    return path


async def _proctor(stack: Stack, sitting: int, attempt: int) -> None:
    """The sitting is proctored, and one of the two pupils has a consent."""
    db = await asyncpg.connect(_owner(stack))
    await db.execute("insert into sitting_watch (sitting_id, every_s) values ($1, $2)", sitting, EVERY_S)
    await db.execute(
        """
        with made as (
            insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code)
            select p.last_name, p.first_name, 'bench', 'bench', p.birth_date, p.language, d.region_code
            from participant p
            join school sc on sc.id = p.school_id
            join district d on d.id = sc.district_id
            where p.id = $1
            returning id
        ), signed as (
            insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on)
            select id, 'camera', 'Анасы', 'mother', '1', 'kk', 'paper', current_date from made
        )
        update participant set person_id = (select id from made) where id = $1
        """,
        attempt,
    )
    await db.close()


async def _stored(stack: Stack, attempt: int) -> int:
    db = await asyncpg.connect(_owner(stack))
    try:
        # A segment closes within ten seconds.
        await asyncio.sleep(12)
        return await db.fetchval("select count(*) from picture where attempt_id = $1", attempt)
    finally:
        await db.close()


def _owner(stack: Stack) -> str:
    return stack.owner_url
