"""`snapshot_*`: what the ingest takes for a picture of 12 KB, how many a second, against one PUT each, and reading back.

Pictures are noise behind a real head: nothing on the way decodes them. The store keeps a rolling window: segments are
counted, some read back, and deleted; with less than 20 GB free nothing is begun.
"""

from __future__ import annotations

import array
import asyncio
import collections
import math
import os
import random
import shutil
import struct
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import msgspec
import psutil

from infra.errors import PlainError
from infra.local import database_url, decode_key, environment
from infra.objects import open_bucket
from infra.parts.supervisor import command_argv, pictures_argv
from infra.picture_tokens import PictureClaims, PictureTokens
from infra.settings import ObjectStore
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.stack import fresh_stack
from loadtest.scene import make_scene
from loadtest.wire import Pool

if TYPE_CHECKING:
    from infra.database import Db
    from infra.objects import Bucket
    from infra.parts.supervisor import Stack
    from loadtest.wire import Connection

RATE, SECONDS, CANDIDATES, WORKERS = 10_000, 180, 300_000, 2
# In the waiting room each phone sends the photo of the face: his key is drawn then, long before the ten thousand a second.
FACES_A_SECOND = 3000
BYTES = 12_288
# A connection bears one picture at a time: fewer than rate × wait of an acknowledgement would bound the rate.
CONNECTIONS = 3000
# 25 phones to each, whose pictures are 1.2 s apart: none waits long for another.
LINES = 12_000
USUAL, FACE = "snapshot", "identity"
TICK_S = 0.005
KEEP_BYTES, LEAST_FREE = 5 * 2**30, 20 * 2**30
PUTS, LOOKS, LOOKERS = 1500, 1000, 4
STORED_LIMIT_S = 120.0
LATE_S = 10.0
READ_ONE_OF = 25
BUCKET = "pictures"


def snapshot(number: int) -> bytes:
    """12 288 bytes that begin as a WebP of 320×240."""
    head = b"RIFF" + struct.pack("<I", BYTES - 8) + b"WEBPVP8 " + struct.pack("<I", BYTES - 20)
    frame = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 320, 240)
    return (head + frame + random.Random(number).randbytes(BYTES))[:BYTES]


class Sent(msgspec.Struct):
    """What came of it."""

    due: int = 0
    acked: int = 0
    refused: collections.Counter[int] = msgspec.field(default_factory=collections.Counter)
    told: int = 0
    # From the first that was due to the last acknowledgement.
    took_s: float = 0.0
    # The turns that were acknowledged; see `picture_of`.
    turns: array.array[int] = msgspec.field(default_factory=lambda: array.array("I"))
    waits_ms: list[float] = []

    def percentile(self, share: float) -> float:
        """Of the time from when a picture was due to its acknowledgement."""
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


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
            taken, sent, window = await _pictures(stack, db, bucket, sitting, rate, seconds, candidates)
            theirs = await _one_put_each(stack, bucket)
        _write_costs(taken, sent, window, theirs, (rate, seconds, candidates, workers))
        await _reads(stack, db, sitting)
        await db.close()


async def watched(stack: Stack) -> tuple[asyncpg.Connection[asyncpg.Record], int]:
    """A proctored sitting, and a connection as owner."""
    owner = database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"])
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
) -> tuple[dict[str, float], Sent, dict[str, float]]:
    heads = tokens_of(stack, sitting, candidates)
    pool = Pool("127.0.0.1", stack.home.ports.pictures)
    await pool.open(LINES)
    over = asyncio.Event()
    window: dict[str, float] = {"largest_bytes": 0, "segments": 0, "read": 0, "wrong": 0}
    janitor = asyncio.create_task(roll(stack, bucket, window, over))
    parts = ("pictures", "postgres", "objects")
    pids = {name: pid for name in parts if (pid := stack.parts[name].pid)}
    meter = Meter(pids)
    faces = await send_for(pool, heads, FACES_A_SECOND, candidates / FACES_A_SECOND, kind=FACE)
    await until_stored(stack, faces.acked)
    window |= {f"face {name}": 1e6 * value / faces.acked for name, value in meter.taken().items()}
    meter, own = Meter(pids), time.process_time()
    sent = await send_for(pool, heads, rate, seconds, first=candidates)
    await until_stored(stack, faces.acked + sent.acked)
    taken = meter.taken() | {"generator and reader": time.process_time() - own}
    over.set()
    await janitor
    rows = await db.fetchrow(
        "select count(*), count(distinct (attempt_id, seq)) as different from picture where sitting_id = $1", sitting
    )
    pool.close()
    assert rows is not None
    if rows["different"] < faces.acked + sent.acked or window["wrong"]:
        raise RuntimeError(f"{faces.acked} and {sent.acked} acknowledged, {dict(rows)} in the index, {window}")
    return taken, sent, window


def tokens_of(stack: Stack, sitting: int, candidates: int, first: int = 1) -> list[str]:
    """A token for each candidate, his attempts numbered from `first`."""
    keys = {int(number): decode_key(key) for number, key in stack.secrets.picture_token_keys.items()}
    tokens, now_s = PictureTokens(keys), int(time.time())
    return [
        tokens.sign(PictureClaims(attempt=attempt, sitting=sitting, opens_s=now_s - 60, expires_s=now_s + 36_000))
        for attempt in range(first, first + candidates)
    ]


def picture_of(turn: int, candidates: int) -> tuple[int, int]:
    """Which candidate's picture a turn is (from 0), and its number (from 1): each candidate in turn, number by number."""
    number, candidate = divmod(turn, candidates)
    return candidate, number + 1


class Pace(msgspec.Struct, frozen=True):
    """Even, after a ramp of `ramp_s` in which the phones come one after the other."""

    rate: float
    ramp_s: float = 0.0

    def due_by(self, now_s: float) -> int:
        """How many pictures are due by then."""
        if now_s < self.ramp_s:
            return int(self.rate * now_s * now_s / (2 * self.ramp_s))
        return int(self.rate * (now_s - self.ramp_s / 2))

    def due_at(self, number: int) -> float:
        """When a picture is due, in seconds since the begin."""
        if number < self.rate * self.ramp_s / 2:
            return math.sqrt(2 * self.ramp_s * number / self.rate)
        return self.ramp_s / 2 + number / self.rate


class Line:
    """A phone keeps its connection between two pictures; some phones share one here, for files are scarce."""

    __slots__ = ("connection", "waiting")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        # The turns that are due: one picture at a time is on its way.
        self.waiting: collections.deque[int] = collections.deque()


async def send_for(
    pool: Pool,
    tokens: list[str],
    rate: float,
    seconds: float,
    ramp_s: float = 0.0,
    *,
    first: int = 0,
    kind: str = USUAL,
) -> Sent:
    """Open loop: each picture is due at its own time, whether or not the ones before it were answered.

    Each candidate in turn, from turn `first` on; his number rises with each round.
    """
    sent, pace = Sent(), Pace(rate, ramp_s)
    bodies = [snapshot(number) for number in range(64)]
    lines = [Line() for _ in pool.idle]
    loop = asyncio.get_running_loop()
    begun = 0
    began = loop.time()

    def go_on(line: Line) -> None:
        """The next that is due, if the line is idle; one that was lost meanwhile waits for another connection."""
        nonlocal begun
        connection = line.connection
        if connection is None or not line.waiting:
            return
        if connection.closed:
            without.append(line)
            line.connection = None
            settle()
            return
        mine = line.waiting.popleft()
        due = began + pace.due_at(mine - first)
        candidate, number = picture_of(mine, len(tokens))
        line.connection = None
        begun += 1

        def done(status: int, body: bytes) -> None:
            if status == 200:
                sent.acked += 1
                sent.took_s = loop.time() - began
                sent.turns.append(mine)
                if body[body.index(b"[") + 1] != 93:
                    sent.told += 1
                if sent.acked % 20 == 0:
                    sent.waits_ms.append((loop.time() - due) * 1000)
            else:
                sent.refused[status] += 1
            if status and not connection.closed:
                line.connection = connection
                go_on(line)
            else:
                without.append(line)
                settle()

        head = (
            f"POST /v1/pictures?n={number}&at={time.time_ns() // 1_000_000}&kind={kind} HTTP/1.1\r\nhost: x\r\n"
            f"authorization: Bearer {tokens[candidate]}\r\ncontent-type: image/webp\r\ncontent-length: {BYTES}\r\n\r\n"
        )
        connection.send(head.encode() + bodies[mine & 63], done)

    def settle() -> None:
        # At the start, and when connections that were lost are open again.
        while pool.idle and without:
            line = without.popleft()
            line.connection = pool.idle.pop()
            go_on(line)

    without = collections.deque(lines)
    pool.on_idle = settle
    settle()
    total = pace.due_by(seconds)
    while sent.due < total:
        for number in range(first + sent.due, first + min(total, pace.due_by(loop.time() - began))):
            line = lines[number % len(tokens) % len(lines)]
            line.waiting.append(number)
            go_on(line)
            sent.due += 1
        await asyncio.sleep(TICK_S)
    # What still waits for its line is not sent any more: a machine that is too slow for the rate shows it so.
    limit = loop.time() + LATE_S
    while any(line.waiting for line in lines) and loop.time() < limit:
        await asyncio.sleep(0.05)
    for line in lines:
        line.waiting.clear()
    limit = loop.time() + LATE_S
    while sent.acked + sum(sent.refused.values()) < begun and loop.time() < limit:
        await asyncio.sleep(0.05)
    pool.on_idle = lambda: None
    pool.idle.extend(line.connection for line in lines if line.connection is not None)
    return sent


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
    reader = await asyncpg.connect(
        database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"])
    )
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
        f"(ingest {window['face pictures']:.1f} µs, Postgres {window['face postgres']:.1f}, store "
        f"{window['face objects']:.1f}); load of the machine {load}"
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
