"""`snapshot_*`: what the ingest takes for a picture of 12 KB, how many a second, against one PUT each, and reading back.

The store keeps a rolling window: segments are counted, some read back, and deleted; with less than 20 GB free nothing
is begun.
"""

from __future__ import annotations

import asyncio
import collections
import os
import shutil
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import psutil

from infra.errors import PlainError
from infra.local import decode_key, environment
from infra.objects import open_bucket
from infra.parts.supervisor import command_argv, pictures_argv
from infra.picture_tokens import PictureClaims, PictureTokens
from infra.settings import ObjectStore
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.picture_phones import BYTES, FACE, Sent, send_for, snapshot, tokens_of
from loadtest.bench.stack import fresh_stack
from loadtest.scene import make_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from infra.database import Db
    from infra.objects import Bucket
    from infra.parts.supervisor import Stack

# Half a hundredth more than the ten thousand that are asked for: the last answers take a moment in which nothing is due.
RATE, SECONDS, CANDIDATES, WORKERS = 10_050, 180, 300_000, 2
# In the waiting room each phone sends the photo of the face: his key is drawn then, long before the ten thousand a second.
FACES_A_SECOND = 3000
# 25 phones to each, whose pictures are 1.2 s apart: none waits long for another.
LINES = 12_000
KEEP_BYTES, LEAST_FREE = 5 * 2**30, 20 * 2**30
PUTS, LOOKS, LOOKERS = 1500, 1000, 4
STORED_LIMIT_S = 120.0
READ_ONE_OF = 25
BUCKET = "pictures"


async def measure(rate: int, seconds: float, candidates: int, workers: int) -> None:
    """All four in one run."""
    free = shutil.disk_usage(os.environ.get("TMPDIR", "/tmp")).free  # noqa: S108 (where the stack will be)
    if free < LEAST_FREE:
        raise PlainError(f"{free // 2**30} GB are free; this needs {LEAST_FREE // 2**30}.", "Make room.")
    async with fresh_stack() as stack:
        db, sitting = await watched(stack)
        stack.overrides["proctoring"] = {"ELUMITI_CHECK_ONE_OF": "1000000"}
        await stack.start_process(
            "pictures", "proctoring", pictures_argv(stack.home, workers), stack.home.ports.pictures
        )
        await asyncio.sleep(3)
        async with open_bucket(store_of(stack), BUCKET) as bucket:
            taken, faces, sent, window = await _pictures(stack, db, bucket, sitting, rate, seconds, candidates)
            theirs = await _one_put_each(stack, bucket)
        _write_costs(taken, faces, sent, window, theirs, (rate, seconds, candidates, workers))
        await _reads(stack, db, sitting)
        await db.close()


async def watched(stack: Stack) -> tuple[asyncpg.Connection[asyncpg.Record], int]:
    """A proctored sitting, and a connection as owner."""
    owner = stack.owner_url
    pack = {**os.environ, **environment(stack.home, "pack")}
    scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), 1)
    db = await asyncpg.connect(owner, command_timeout=300)
    await db.execute("insert into sitting_watch (sitting_id) values ($1)", scene.sitting)
    return db, scene.sitting


async def _pictures(
    stack: Stack,
    db: Db,
    bucket: Bucket,
    sitting: int,
    rate: int,
    seconds: float,
    candidates: int,
) -> tuple[dict[str, float], dict[str, float], Sent, dict[str, float]]:
    """CPU seconds of the parts for the pictures, µs a photo of the face before them, what came of the pictures, the store."""
    heads = tokens_of(stack, sitting, candidates)
    pool = Pool("127.0.0.1", stack.home.ports.pictures)
    await pool.open(LINES)
    over = asyncio.Event()
    window: dict[str, float] = {"largest_bytes": 0, "segments": 0, "read": 0, "wrong": 0}
    janitor = asyncio.create_task(roll(stack, bucket, window, over))
    parts = ("pictures", "postgres", "objects")
    pids = {name: pid for name in parts if (pid := stack.parts[name].pid)}
    meter = Meter(pids)
    before = await send_for(pool, heads, FACES_A_SECOND, candidates / FACES_A_SECOND, kind=FACE)
    await until_stored(stack, before.acked)
    faces = {name: 1e6 * value / before.acked for name, value in meter.taken().items()}
    meter, own = Meter(pids), time.process_time()
    sent = await send_for(pool, heads, rate, seconds, first=candidates)
    await until_stored(stack, before.acked + sent.acked)
    taken = meter.taken() | {"generator and reader": time.process_time() - own}
    over.set()
    await janitor
    rows = await db.fetchrow(
        "select count(*), count(distinct (attempt_id, seq)) as different from picture where sitting_id = $1", sitting
    )
    pool.close()
    assert rows is not None
    if rows["different"] < before.acked + sent.acked or window["wrong"]:
        raise RuntimeError(f"{before.acked} and {sent.acked} acknowledged, {dict(rows)} in the index, {window}")
    return taken, faces, sent, window


async def until_stored(stack: Stack, acked: int) -> None:
    """Until the ingest says that all of it is in the store and in the index."""
    address = f"http://127.0.0.1:{stack.home.ports.pictures}/metrics"
    limit = time.monotonic() + STORED_LIMIT_S
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(address) as answer:
                text = await answer.text()
            stored = next(
                float(line.split()[1]) for line in text.splitlines() if line.startswith("elumiti_pictures_stored_total")
            )
            if stored >= acked:
                return
            if time.monotonic() > limit:
                raise RuntimeError(f"{acked} acknowledged, {stored:.0f} stored after {STORED_LIMIT_S:.0f} s")
            await asyncio.sleep(1)


async def roll(stack: Stack, bucket: Bucket, window: dict[str, float], over: asyncio.Event) -> None:
    """The rolling window: what the index has is counted, read back now and then, and beyond the window deleted."""
    kept: collections.deque[tuple[str, int]] = collections.deque()
    seen: set[object] = set()
    reader = await asyncpg.connect(stack.owner_url)
    size = 0
    while not over.is_set():
        rows = await reader.fetch("select id, object_name, size_bytes from picture_segment order by stored_at")
        for row in rows:
            if row["id"] in seen:
                continue
            seen.add(row["id"])
            window["segments"] += 1
            if window["segments"] % READ_ONE_OF == 1:
                window["read"] += 1
                body = await bucket.get(row["object_name"])
                window["wrong"] += len(body or b"") != row["size_bytes"]
            kept.append((row["object_name"], row["size_bytes"]))
            size += row["size_bytes"]
            window["largest_bytes"] = max(window["largest_bytes"], size)
        while size > KEEP_BYTES * 0.8:
            name, bytes_ = kept.popleft()
            await bucket.delete(name)
            size -= bytes_
        await asyncio.sleep(1)
    await reader.close()


async def _one_put_each(stack: Stack, bucket: Bucket) -> dict[str, float]:
    """The plain way: an object a picture. CPU µs of the client and of the store."""
    objects = stack.parts["objects"].pid
    assert objects is not None
    meter, own = Meter({"objects": objects}), time.process_time()
    bodies = [snapshot(number) for number in range(16)]
    gate = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with gate:
            await bucket.put(f"plain/{number % 1000}", bodies[number % 16])

    await asyncio.gather(*(one(number) for number in range(PUTS)))
    taken = {"client": time.process_time() - own} | meter.taken()
    return {name: 1e6 * value / PUTS for name, value in taken.items()}


def _write_costs(
    taken: dict[str, float],
    faces: dict[str, float],
    sent: Sent,
    window: dict[str, float],
    theirs: dict[str, float],
    how: tuple[int, float, int, int],
) -> None:
    rate, seconds, candidates, workers = how
    per = {name: 1e6 * value / sent.acked for name, value in taken.items()}
    shares = ", ".join(f"{name} {value:.1f}" for name, value in per.items())
    load = ", ".join(f"{one:.1f}" for one in psutil.getloadavg())
    basis = (
        f"{sent.acked} of {sent.due} pictures of {BYTES} bytes acknowledged at {rate}/s for {seconds:g} s, {candidates} "
        f"candidates on {LINES} connections, {workers} worker(s), all of them in the store and in the index; µs a "
        f"picture: {shares}; p50 {sent.percentile(0.5):.0f} ms, p99 {sent.percentile(0.99):.0f} ms, refused "
        f"{dict(sent.refused)}; {window['segments']:.0f} segments, {window['read']:.0f} read back, at most "
        f"{window['largest_bytes'] / 2**30:.1f} GB kept; before them each sent the photo of the face at {FACES_A_SECOND}/s "
        f"(ingest {faces['pictures']:.1f} µs, Postgres {faces['postgres']:.1f}, store "
        f"{faces['objects']:.1f}); load of the machine {load}"
    )
    write(Figure(metric="snapshot_cpu_us", value=round(per["pictures"], 1), unit="µs", basis=basis))
    write(
        Figure(
            metric="snapshot_per_s", value=round(sent.acked / max(seconds, sent.took_s)), unit="a second", basis=basis
        )
    )
    ours, plain = per["pictures"] + per["objects"] + per["postgres"], sum(theirs.values())
    told = ", ".join(f"{name} {value:.0f}" for name, value in theirs.items())
    write(
        Figure(
            metric="snapshot_put_ratio",
            value=round(ours, 1),
            unit="µs",
            peer="one PUT a picture (aioboto3)",
            peer_value=round(plain, 1),
            ratio=round(plain / ours, 2),
            basis=f"ingest, store and Postgres together against client ({told}) and store of {PUTS} PUTs; {basis}",
        )
    )


async def _reads(stack: Stack, db: Db, sitting: int) -> None:
    """Pictures as the portal asks for them: real ones, for these are decoded and drawn on."""
    await stack.start_process("proctoring", "proctoring", command_argv("proctoring"), stack.home.ports.look)
    rows = await _real_pictures(stack, db, sitting)
    waits: list[float] = []
    gate = asyncio.Semaphore(LOOKERS)
    headers = {"authorization": f"Bearer {stack.secrets.look_key}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stack.home.ports.look}", headers=headers) as session:

        async def one(number: int) -> None:
            row = rows[number % len(rows)]
            query = urllib.parse.urlencode({"at": row["taken_ms"], "by": "aigerim"})
            async with gate:
                began = time.monotonic()
                async with session.get(f"/v1/look/{sitting}/{row['attempt_id']}/{row['seq']}?{query}") as answer:
                    body = await answer.read()
                    if answer.status != 200 or not body:
                        raise RuntimeError(f"a look was answered {answer.status}")
                waits.append((time.monotonic() - began) * 1000)

        await asyncio.gather(*(one(number) for number in range(LOOKS)))
    waits.sort()
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    basis = (
        f"{LOOKS} looks by {LOOKERS} at a time, index row, key, ranged GET, decoding and the viewer's name in the pixels; "
        f"p50 {waits[len(waits) // 2]:.1f} ms, largest {waits[-1]:.0f} ms; load of the machine {load}"
    )
    write(Figure(metric="snapshot_read_p95_ms", value=round(waits[int(len(waits) * 0.95)], 1), unit="ms", basis=basis))


async def _real_pictures(stack: Stack, db: Db, sitting: int, count: int = 200) -> list[Any]:
    """Some pictures that can be decoded, sent as phones do; their rows."""
    import io

    from PIL import Image

    keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
    tokens, now_s = PictureTokens(keys), int(time.time())
    first = 10_000_000
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stack.home.ports.pictures}") as session:
        for number in range(count):
            claims = PictureClaims(attempt=first + number, sitting=sitting, opens_s=now_s - 60, expires_s=now_s + 3600)
            out = io.BytesIO()
            Image.effect_noise((320, 240), 12).convert("RGB").save(out, "WEBP", quality=25)
            async with session.post(
                f"/v1/pictures?n=1&at={time.time_ns() // 1_000_000}",
                data=out.getvalue(),
                headers={"authorization": f"Bearer {tokens.sign(claims)}"},
            ) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        rows = await db.fetch(
            "select attempt_id, seq, taken_ms from picture where sitting_id = $1 and attempt_id >= $2", sitting, first
        )
        if len(rows) == count:
            return list(rows)
        await asyncio.sleep(0.5)
    raise RuntimeError("the pictures to be looked at were not stored")


def store_of(stack: Stack) -> ObjectStore:
    """Where it is and how it is opened."""
    return ObjectStore(
        url=f"http://127.0.0.1:{stack.home.ports.objects}",
        access_key=stack.secrets.objects_access_key,
        secret_key=stack.secrets.objects_secret_key,
    )
