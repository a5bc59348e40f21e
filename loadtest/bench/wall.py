"""`wall_fps`: the proctors' wall with two hundred tiles, scrolled by a real browser while pictures and events come in.

Portal, ingest and look service are real, and so are the pictures: each child sends one in thirty seconds and some of them
an event. The page's own clock (requestAnimationFrame) tells each frame; the heap is read after a collection of garbage.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import secrets
import time
from statistics import median
from typing import TYPE_CHECKING

import aiohttp
import asyncpg
import msgspec
from argon2 import PasswordHasher
from PIL import Image, ImageDraw
from playwright.async_api import async_playwright

from infra.errors import PlainError
from infra.local import decode_key, environment
from infra.parts.supervisor import command_argv, pictures_argv, portal_argv
from infra.picture_tokens import PictureClaims, PictureTokens
from loadtest.bench.figures import Figure, write
from loadtest.bench.phone import FLAGS, browser_path
from loadtest.bench.stack import fresh_stack
from loadtest.scene import make_scene

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

    from infra.parts.supervisor import Stack

TILES = 200
MINUTES = 1.0
EVERY_S = 30
AT_ONCE = 50
LOGIN = "bench-proctor"
SCREEN = {"width": 1440, "height": 900}
# Milliseconds of each frame while the page is scrolled down and up again by `step` pixels a millisecond (0: it stands).
FRAMES = """([seconds, step]) => new Promise((done) => {
  const frames = [];
  let way = 1, last = performance.now();
  const until = last + seconds * 1000;
  const frame = (now) => {
    frames.push(now - last);
    window.scrollBy(0, way * step * Math.min(50, now - last));
    last = now;
    const end = document.documentElement.scrollHeight - window.innerHeight - 2;
    if (window.scrollY >= end) way = -1;
    else if (window.scrollY <= 0) way = 1;
    if (now < until) requestAnimationFrame(frame);
    else done(frames.slice(1));
  };
  requestAnimationFrame(frame);
})"""
# A screen in half a second, as somebody who looks for one child.
STEP = 1.8


class Seen(msgspec.Struct):
    """Of one run. `still`: frames of an empty page of the same browser, which no page of ours can surpass."""

    frames: list[float]
    still: list[float]
    heap_mb: tuple[float, float]
    pictures: int
    nodes: int


async def measure(tiles: int, minutes: float) -> None:
    """One wall, one proctor."""
    async with fresh_stack() as stack:
        owner = stack.owner_url
        pack = {**os.environ, **environment(stack.home, "pack")}
        scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), tiles)
        children = [attempt for attempt, _ in scene.seats]
        password = await _prepare(owner, scene.sitting)
        await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, 1), stack.home.ports.pictures)
        await stack.start_process("proctoring", "proctoring", command_argv("proctoring"), stack.home.ports.look)
        await stack.start_process("portal", "portal", portal_argv(stack.home), stack.home.ports.portal)
        sending = asyncio.create_task(_send(stack, scene.sitting, children))
        try:
            await _stored(owner, scene.sitting, tiles, sending)
            seen = await _look(f"http://127.0.0.1:{stack.home.ports.portal}", scene.sitting, password, tiles, minutes)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    _tell(seen, tiles, minutes)


async def _prepare(owner: str, sitting: int) -> str:
    """A proctored sitting and a proctor of the demo, who is asked for no second proof."""
    password = secrets.token_urlsafe(12)
    db = await asyncpg.connect(owner)
    await db.execute("insert into sitting_watch (sitting_id, every_s) values ($1, $2)", sitting, EVERY_S)
    await db.execute("select make_watch_partition($1)", sitting)
    staff = await db.fetchval(
        "insert into staff (login, full_name, password_hash, demo) values ($1, 'Bench', $2, true) returning id",
        *(LOGIN, PasswordHasher().hash(password)),
    )
    await db.execute(
        "insert into staff_grant (staff_id, role, ends_at) values ($1, 'proctor', now() + interval '1 day')", staff
    )
    await db.close()
    return password


async def _send(stack: Stack, sitting: int, children: list[int]) -> None:
    """Each child in its turn, for ever; one picture in forty comes with an event."""
    keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
    tokens, now_s, draw = PictureTokens(keys), int(time.time()), random.Random(7)
    signed = {
        child: tokens.sign(PictureClaims(attempt=child, sitting=sitting, opens_s=now_s - 60, expires_s=now_s + 36_000))
        for child in children
    }
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stack.home.ports.pictures}") as session:
        began, turn = loop.time(), 0
        while True:
            round_, place = divmod(turn, len(children))
            child = children[place]
            bearer = {"authorization": f"Bearer {signed[child]}"}
            at = time.time_ns() // 1_000_000
            async with session.post(
                f"/v1/pictures?n={round_ + 1}&at={at}&kind=snapshot", data=_picture(draw, child), headers=bearer
            ) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())
            if turn % 40 == 0:
                event = {"n": round_ + 1, "kind": draw.choice(("tab-left", "paste", "several-faces")), "at": at}
                async with session.post("/v1/watch", json={"events": [event | {"ms": 4000}]}, headers=bearer) as answer:
                    if answer.status != 200:
                        raise RuntimeError(await answer.text())
            turn += 1
            # The first round is hurried: the wall waits for a picture of each.
            due = began + (turn * 0.02 if turn <= len(children) else turn * EVERY_S / len(children))
            await asyncio.sleep(max(0.0, due - loop.time()))


def _picture(draw: random.Random, child: int) -> bytes:
    """A head before a wall of some colour, with a sensor's noise."""
    image = Image.effect_noise((320, 240), 10).convert("RGB")
    pen, left = ImageDraw.Draw(image), draw.randint(80, 130)
    pen.ellipse((left, 40, left + 100, 190), fill=(224, 188, 160))
    pen.rectangle((0, 0, 320, 24), fill=((child * 37) % 200, (child * 61) % 200, 120))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=25, method=0)
    return out.getvalue()


async def _stored(owner: str, sitting: int, tiles: int, sending: asyncio.Task[None]) -> None:
    db = await asyncpg.connect(owner)
    limit = time.monotonic() + 90
    while await db.fetchval("select count(distinct attempt_id) from picture where sitting_id = $1", sitting) < tiles:
        if sending.done():
            await sending
        if time.monotonic() > limit:
            raise RuntimeError("the pictures were not stored")
        await asyncio.sleep(1)
    await db.close()


async def _look(url: str, sitting: int, password: str, tiles: int, minutes: float) -> Seen:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = await browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]
        await page.set_content("<p>still</p>")
        still = await page.evaluate(FRAMES, [5, 0])
        await page.goto(f"{url}/sign-in")
        await page.fill("#f-login", LOGIN)
        await page.fill("#f-password", password)
        await page.click("form.stack button.primary")
        await page.wait_for_url(f"{url}/")
        wall = f"{url}/sittings/{sitting}/wall"
        await page.goto(wall)
        for _ in range(-(-tiles // AT_ONCE)):
            await page.fill("#f-how_many", str(AT_ONCE))
            async with page.expect_navigation():
                await page.click("form[action$='/take'] button")
        if await page.locator("li.tile").count() != tiles:
            raise PlainError("The wall has not all tiles.", "Look at the portal's log.")
        pictures = 0

        def count(asked: object) -> None:
            nonlocal pictures
            pictures += "/pictures/" in getattr(asked, "url", "")

        page.on("response", count)
        session = await page.context.new_cdp_session(page)
        # Once over all of it first, so that the start is a wall that was seen.
        await page.evaluate(FRAMES, [15, STEP])
        before = await _heap_mb(session)
        frames = await page.evaluate(FRAMES, [60 * minutes, STEP])
        after = await _heap_mb(session)
        nodes = await _nodes(page)
        await browser.close()
    return Seen(frames, still, (before, after), pictures, nodes)


async def _heap_mb(session: CDPSession) -> float:
    await session.send("HeapProfiler.collectGarbage")
    return (await session.send("Runtime.getHeapUsage"))["usedSize"] / 2**20


async def _nodes(page: Page) -> int:
    return await page.evaluate("document.getElementsByTagName('*').length")


def _fps(frames: list[float], share: float | None = None) -> float:
    """Of the median frame, or of the one at a share of the slowest."""
    ordered = sorted(frames)
    return 1000 / (median(ordered) if share is None else ordered[int(len(ordered) * (1 - share))])


def _tell(seen: Seen, tiles: int, minutes: float) -> None:
    start, end = seen.heap_mb
    basis = (
        f"{tiles} tiles scrolled for {minutes:g} min while each child sends a picture in {EVERY_S} s ({seen.pictures} pictures "
        f"came onto the wall, by way of ingest, store and look service): median of {len(seen.frames)} frames; the slowest 5 % "
        f"at {_fps(seen.frames, 0.05):.0f} fps, the slowest 1 % at {_fps(seen.frames, 0.01):.0f}; heap after a collection "
        f"{start:.1f} MB, at the end {end:.1f} MB; {seen.nodes} elements; peer: an empty page of the same headless Chromium "
        f"without a graphics card; load of the machine {os.getloadavg()[0]:.1f}"
    )
    value, peer = _fps(seen.frames), _fps(seen.still)
    write(
        Figure(
            metric="wall_fps",
            value=round(value, 1),
            unit="fps",
            peer="an empty page",
            peer_value=round(peer, 1),
            ratio=round(peer / value, 2),
            basis=basis,
        )
    )
