"""A run on a stack of its own: servers, scene, sign-in, prefetch, T0, saves, hand-in, ledger."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import polars as pl
import redis.asyncio

from infra.local import decode_key, environment
from loadtest.bench.stack import as_on_a_real_machine, fresh_stack, serve
from loadtest.files import make_room
from loadtest.flushed import until_flushed
from loadtest.nation.courses import draw_courses
from loadtest.nation.drive import MADE_A_SECOND, Driver
from loadtest.nation.measures import Result, seen, sum_up
from loadtest.nation.progress import report_progress
from loadtest.nation.reconcile import Ledger, reconcile
from loadtest.nation.watch import Watch
from loadtest.scene import BenchScene, make_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from infra.parts.supervisor import Stack
    from loadtest.nation.courses import Course
    from loadtest.nation.scenario import Nation

    Trouble = Callable[["Play"], Coroutine[None, None, None]]

ITEM_EVERY_S = 18
START_UP_S = 8.0
PARTS = ("engine", "flusher", "valkey", "postgres")


class Play(msgspec.Struct, kw_only=True):
    """A sitting that is being played on a stack."""

    nation: Nation
    stack: Stack
    scene: BenchScene
    courses: list[Course]
    owner_url: str
    driver: Driver
    watch: Watch


async def prepare(stack: Stack, nation: Nation) -> tuple[BenchScene, list[Course], str]:
    """Pupils, form and courses; T0 far away. Returns scene, courses and the owner's address of Postgres."""
    owner = stack.owner_url
    pack = {**os.environ, **environment(stack.home, "pack")}
    scene = await make_scene(
        *(owner, pack, decode_key(stack.secrets.code_pepper), nation.candidates),
        starts_in_s=3600,
        duration_s=round(nation.minutes * 60 + 600),
        spread_s=round(nation.spread_s),
        items=items_for(nation.minutes),
    )
    return scene, draw_courses(scene, nation.minutes, nation.seed), owner


def items_for(minutes: float) -> int:
    """Enough items that nobody has seen them all before the bell."""
    return max(10, round(minutes * 60 / ITEM_EVERY_S))


async def play(stack: Stack, nation: Nation, *, quiet: bool = False, trouble: Trouble | None = None) -> Result:
    """Play a nation on a started stack (servers only: engine and flusher are started here), and reconcile."""
    _say(f"{nation.candidates} pupils …", quiet=quiet)
    # Before the engine begins: it holds as many.
    make_room(nation.connections)
    scene, courses, owner = await prepare(stack, nation)
    await serve(stack, nation.workers)
    pool = Pool("127.0.0.1", stack.home.ports.engine)
    await pool.open(nation.connections)
    starts_in_s = START_UP_S + nation.candidates / MADE_A_SECOND + nation.sign_in_s + nation.calm_before_s
    t0 = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=starts_in_s)
    await move_start(owner, scene.sitting, t0)
    t0_here = time.perf_counter() + (t0 - dt.datetime.now(dt.UTC)).total_seconds()
    host = f"127.0.0.1:{stack.home.ports.engine}"
    driver = Driver(nation, scene, courses, pool, host, t0_here)
    if nation.visitors:
        driver.invite(await page_paths(stack.home.ports.engine))
    pids = {name: pid for name in PARTS if (pid := stack.parts[name].pid)}
    # As the flusher reaches it: a case of chaos may put something in between.
    reached = environment(stack.home, "flusher") | stack.overrides.get("flusher", {})
    valkey = redis.asyncio.Redis.from_url(reached["ELUMITI_VALKEY_URL"])
    watch = Watch(pids, owner, valkey, driver)
    played = Play(
        nation=nation,
        stack=stack,
        scene=scene,
        courses=courses,
        owner_url=owner,
        driver=driver,
        watch=watch,
    )
    helpers = [asyncio.create_task(watch.run())]
    if not quiet:
        helpers.append(asyncio.create_task(report_progress(driver, watch)))
    trouble_task = asyncio.create_task(trouble(played)) if trouble else None
    try:
        await driver.run()
        if trouble_task:
            await trouble_task
    finally:
        for task in [*helpers, *([trouble_task] if trouble_task else [])]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        pool.close()
        await valkey.aclose()
    told = seen(driver)
    _say("Reconciling …", quiet=quiet)
    ledger = await settled_ledger(played)
    return sum_up(told, driver.record.requests(), watch.samples, ledger)


async def settled_ledger(played: Play) -> Ledger:
    """Wait until the flusher has nothing more to do, then compare."""
    record = played.driver.record
    ledger = await compare(played.owner_url, played.scene.sitting, played.courses, record.devices(), record.acks())
    ledger.late = sum(candidate.late for candidate in played.driver.candidates)
    return ledger


async def compare(
    owner_url: str, sitting: int, courses: list[Course], devices: pl.DataFrame, acks: pl.DataFrame
) -> Ledger:
    """The ledger, when no stream moves any more."""
    db = await asyncpg.connect(owner_url, command_timeout=1800)
    try:
        await until_flushed(db)
        return await reconcile(db, sitting, courses, devices, acks)
    finally:
        await db.close()


async def move_start(owner_url: str, sitting: int, t0: dt.datetime) -> None:
    """The sitting begins then."""
    db = await asyncpg.connect(owner_url)
    try:
        await db.execute(
            "update sitting set starts_at = $2::timestamptz, last_entry_at = $2::timestamptz + interval '4 hours' where id = $1",
            sitting,
            t0,
        )
    finally:
        await db.close()


async def page_paths(port: int) -> list[str]:
    """The start page and all that it asks for, as a browser finds it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n".encode())
    page = (await reader.read()).decode(errors="replace")
    writer.close()
    return ["/", *sorted(set(re.findall(r'(?:src|href)="(/[^"]+)"', page)))]


async def run(nation: Nation, *, quiet: bool = False) -> Result:
    """On a stack of its own."""
    async with fresh_stack(postgres_flags=as_on_a_real_machine()) as stack:
        return await play(stack, nation, quiet=quiet)


def _say(line: str, *, quiet: bool) -> None:
    if not quiet:
        print(line, flush=True)
