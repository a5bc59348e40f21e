"""Pictures when parts die: whatever was acknowledged is stored and readable in the end, and the rest was refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import psutil
import pytest

from infra.local import Home, decode_key
from infra.migrate import migrate
from infra.parts.supervisor import Stack, pictures_argv
from infra.parts.unused import free_ports
from tests.proctoring.test_line import read_back
from tests.support.waiting import eventually
from tests.support.watched import Phone, picture, watched_sitting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.loop import Loop

    Db = asyncpg.Connection[asyncpg.Record]

PHONES = 12


@pytest.fixture(scope="module")
def frail(loop: Loop) -> Iterator[Stack]:
    """Servers and the ingest, that may be killed; the supervisor brings them back."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-fault-"))
    folder.chmod(0o755)
    stack = Stack(Home(folder, free_ports()))
    stack.overrides = {
        "proctoring": {
            "ELUMITI_SEGMENT_S": "0.5",
            "ELUMITI_SEGMENT_BYTES": "200000",
            "ELUMITI_REFRESH_EVERY_S": "0.3",
            "ELUMITI_SPOOL_FREE_BYTES": "1000000",
        }
    }
    owner = stack.owner_url

    async def start() -> None:
        await stack.start_servers()
        await migrate(owner, stack.secrets.role_passwords)
        await stack.start_process("pictures", "proctoring", pictures_argv(stack.home, 2), stack.home.ports.pictures)

    loop.run(start(), 120)
    yield stack
    loop.run(stack.stop(), 120)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def frail_db(frail: Stack) -> AsyncIterator[Db]:
    url = frail.owner_url
    connection = await asyncpg.connect(url)
    yield connection
    if not connection.is_closed():
        await connection.close()


async def turn(loop: Loop, stack: Stack, part: str, way: str) -> None:
    """Take a part down or bring it up, on the loop that parts live on."""
    await asyncio.to_thread(loop.run, getattr(stack.parts[part], way)(), 60)


class Crowd:
    """Some phones that send all the time, and the ledger of what was acknowledged."""

    def __init__(self, stack: Stack, sitting: int, attempts: list[int]) -> None:
        self.phones = [Phone(stack, attempt, sitting) for attempt in attempts]
        self.sitting = sitting
        self.acked: set[tuple[int, int]] = set()
        self.codes: set[int] = set()
        self.unanswered = 0

    async def send(self, phone: Phone) -> bool:
        phone.n += 1
        n = phone.n
        try:
            answer = await phone.send(picture(n % 50), n=n)
        except httpx.HTTPError:
            self.unanswered += 1
            await asyncio.sleep(0.05)
            return False
        self.codes.add(answer.status_code)
        if answer.status_code == 200:
            self.acked.add((phone.attempt, n))
            return True
        assert answer.status_code in {503, 429}, answer.text
        assert int(answer.headers["retry-after"]) > 0
        await asyncio.sleep(0.05)
        return False

    async def go_on(self, until: asyncio.Event) -> None:
        async def one(phone: Phone) -> None:
            # Within the measure of a minute.
            while not until.is_set() and phone.n < 110:
                await self.send(phone)
                await asyncio.sleep(0.08)

        await asyncio.gather(*(one(phone) for phone in self.phones))

    async def all_stored(self, db: Db, limit_s: float = 30) -> None:
        """Every acknowledged picture has its row, once."""

        async def there() -> None:
            rows = await db.fetch("select attempt_id, seq from picture where sitting_id = $1", self.sitting)
            found = [tuple(row) for row in rows]
            assert self.acked <= set(found), f"{len(self.acked - set(found))} lost"
            assert len(found) == len(set(found))

        await eventually(there, limit_s=limit_s, every_s=0.5)


async def crowd_of(stack: Stack, db: Db) -> Crowd:
    url = stack.owner_url
    scene = await watched_sitting(stack, db, url, PHONES)
    crowd = Crowd(stack, scene.sitting, [seat.attempt for seat in scene.seats])

    async def known() -> None:
        for phone in crowd.phones:
            try:
                assert (await phone.tell()).status_code == 200
            except httpx.TransportError as error:
                # Killed by the test before, and not back yet.
                raise AssertionError from error

    await eventually(known)
    return crowd


async def spot_check(stack: Stack, db: Db, crowd: Crowd, count: int = 25) -> None:
    """Some of them are read back as they were sent."""
    kek = decode_key(stack.secrets.picture_kek)
    rows = await db.fetch(
        "select * from picture where sitting_id = $1 order by random() limit $2", crowd.sitting, count
    )
    for row in rows:
        assert await read_back(stack, db, row, kek) == picture(row["seq"] % 50)


def workers(stack: Stack) -> list[psutil.Process]:
    """Those that live now: any of them, and granian itself, may be dying while one looks."""
    found: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        found += [] if (pid := stack.parts["pictures"].pid) is None else psutil.Process(pid).children()
    alive: list[psutil.Process] = []
    for child in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            if "python" in child.name():
                alive.append(child)
    return alive


async def test_a_store_that_is_away_stops_nobody_and_loses_nothing(loop: Loop, frail: Stack, frail_db: Db) -> None:
    crowd = await crowd_of(frail, frail_db)
    over = asyncio.Event()
    sending = asyncio.create_task(crowd.go_on(over))
    await asyncio.sleep(1)
    await turn(loop, frail, "objects", "down")
    before = len(crowd.acked)
    await asyncio.sleep(3)
    assert len(crowd.acked) > before + 50
    assert crowd.codes == {200}
    await turn(loop, frail, "objects", "up")
    over.set()
    await sending
    await crowd.all_stored(frail_db, 60)
    await spot_check(frail, frail_db, crowd)


async def test_a_store_that_stands_still_is_waited_for(loop: Loop, frail: Stack, frail_db: Db) -> None:
    crowd = await crowd_of(frail, frail_db)
    over = asyncio.Event()
    sending = asyncio.create_task(crowd.go_on(over))
    await asyncio.sleep(0.5)
    store = frail.parts["objects"].pid
    assert store
    os.killpg(store, signal.SIGSTOP)
    try:
        before = len(crowd.acked)
        await asyncio.sleep(4)
        assert len(crowd.acked) > before + 50
    finally:
        os.killpg(store, signal.SIGCONT)
    over.set()
    await sending
    assert crowd.codes == {200}
    await crowd.all_stored(frail_db, 60)


async def test_workers_killed_again_and_again_lose_nothing_that_was_acknowledged(
    loop: Loop, frail: Stack, frail_db: Db
) -> None:
    crowd = await crowd_of(frail, frail_db)
    over = asyncio.Event()
    sending = asyncio.create_task(crowd.go_on(over))
    for _ in range(4):
        await asyncio.sleep(0.7)
        for worker in workers(frail):
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.send_signal(signal.SIGKILL)

        async def back() -> None:
            assert len(workers(frail)) == 2

        await eventually(back)
    over.set()
    await sending
    assert crowd.acked
    await crowd.all_stored(frail_db, 60)
    await spot_check(frail, frail_db, crowd)


async def test_the_whole_service_killed_while_the_store_is_away(loop: Loop, frail: Stack, frail_db: Db) -> None:
    """What lies on the disk alone, and in no process's memory."""
    crowd = await crowd_of(frail, frail_db)
    await turn(loop, frail, "objects", "down")
    for _ in range(3):
        for phone in crowd.phones:
            assert await crowd.send(phone)
    pid = frail.parts["pictures"].pid
    assert pid
    for process in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
        process.send_signal(signal.SIGKILL)
    await turn(loop, frail, "objects", "up")
    await crowd.all_stored(frail_db, 60)
    await spot_check(frail, frail_db, crowd)


async def test_a_torn_tail_is_dropped_and_what_is_before_it_kept(loop: Loop, frail: Stack, frail_db: Db) -> None:
    crowd = await crowd_of(frail, frail_db)
    await turn(loop, frail, "objects", "down")
    for phone in crowd.phones:
        assert await crowd.send(phone)
    await turn(loop, frail, "pictures", "down")
    torn = 0
    for path in frail.home.part("pictures").glob("*/*.seg"):
        body = path.read_bytes()
        if body:
            # Half of an entry, as a power cut leaves it; and a head that promises more than there is.
            path.write_bytes(body + body[:70])
            torn += 1
    assert torn
    await turn(loop, frail, "objects", "up")
    await turn(loop, frail, "pictures", "up")
    await crowd.all_stored(frail_db, 60)
    await spot_check(frail, frail_db, crowd)


async def test_postgres_away_for_a_while(loop: Loop, frail: Stack, frail_db: Db) -> None:
    crowd = await crowd_of(frail, frail_db)
    over = asyncio.Event()
    sending = asyncio.create_task(crowd.go_on(over))
    await asyncio.sleep(0.5)
    await frail_db.close()
    await turn(loop, frail, "postgres", "down")
    before = len(crowd.acked)
    await asyncio.sleep(2)
    # The ingest starts anew without it, and goes on with what the last one wrote down.
    for worker in workers(frail):
        worker.send_signal(signal.SIGKILL)
    await asyncio.sleep(3)
    assert len(crowd.acked) > before + 50
    await turn(loop, frail, "postgres", "up")
    over.set()
    await sending
    url = frail.owner_url
    db = await asyncpg.connect(url)
    await crowd.all_stored(db, 60)
    await spot_check(frail, db, crowd)
    await db.close()


async def test_a_full_disk_refuses_and_keeps_what_was_acknowledged(loop: Loop, frail: Stack, frail_db: Db) -> None:
    """The spool on a disk of 6 MB: 503 with Retry-After, and when there is room it goes on by itself."""
    crowd = await crowd_of(frail, frail_db)
    spool = frail.home.part("pictures")
    await turn(loop, frail, "pictures", "down")
    shutil.rmtree(spool)
    spool.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(spool)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: ASYNC221 (nothing else runs)
        await turn(loop, frail, "pictures", "up")
        pytest.skip("a small disk can be mounted by root alone")
    try:
        await turn(loop, frail, "pictures", "up")
        await eventually(crowd.phones[0].tell)

        async def taken() -> None:
            # Each worker learns for itself which sittings are proctored.
            assert all(await asyncio.gather(*(crowd.send(phone) for phone in crowd.phones))), crowd.codes

        await eventually(taken, limit_s=60, every_s=1)
        ballast = spool / "ballast"
        with ballast.open("wb") as file:
            free = shutil.disk_usage(spool).free
            # Nearly all of it at once, so that the writer itself meets the end, before the measure does.
            file.write(bytes(free - 20_000))
        refused = 0
        limit = time.monotonic() + 15
        while refused < 30 and time.monotonic() < limit:
            results = await asyncio.gather(*(crowd.send(phone) for phone in crowd.phones))
            refused += results.count(False)
        assert refused >= 30
        assert 503 in crowd.codes
        ballast.unlink()

        async def again() -> None:
            assert all(await asyncio.gather(*(crowd.send(phone) for phone in crowd.phones)))

        await eventually(again)
        await crowd.all_stored(frail_db, 60)
        await spot_check(frail, frail_db, crowd)
    finally:
        await turn(loop, frail, "pictures", "down")
        subprocess.run(["umount", str(spool)], check=False)  # noqa: ASYNC221
        await turn(loop, frail, "pictures", "up")
