"""What one process of the ingest holds, and the tasks that keep it fresh."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

from engine.reads import Reads
from infra import garbage
from infra.database import AWAY
from infra.local import decode_key
from infra.migrate import require_current
from infra.picture_tokens import PictureTokens
from proctoring.keys import KeyRing
from proctoring.metrics import WorkerMetrics
from proctoring.problems import Problem
from proctoring.spool import Spool
from proctoring.store import open_store
from proctoring.stored import Stored
from proctoring.upload import Uploads
from proctoring.watched import Watched, slower

if TYPE_CHECKING:
    from infra.settings import ProctoringSettings

log = structlog.get_logger()

# Of one candidate: the phone's forty that waited for a line, and a dense rhythm besides. A photo of the face and a thick
# report count for several, so that nobody fills the disk of all with what is allowed now and then.
PICTURES_A_MINUTE = 120
STOP_S = 8.0
# So much of a body that is too large is still read, so that an honest phone hears why.
DRAINED_BYTES = 2**18


class Worker:
    """The state of one process."""

    def __init__(self, settings: ProctoringSettings) -> None:
        self.settings = settings
        self.tokens = PictureTokens({int(n): decode_key(key) for n, key in settings.picture_token_keys.items()})
        self.live_key = decode_key(settings.live_key)
        self.kek = decode_key(settings.picture_kek)
        self.root = Path(settings.spool_dir)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.origins = frozenset(origin.rstrip("/") for origin in settings.player_origins)
        self.reads = Reads(settings.body_limit_s, Problem, DRAINED_BYTES)
        self.ring = KeyRing()
        self.watched = Watched(self.root / "watched.json")
        self.stored = Stored(self.root)
        self.metrics = WorkerMetrics(self.root / "metrics")
        self.reasons: dict[str, str] = {}
        self.times = 1
        self._minute = (0, dict[int, int]())
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self.pool: asyncpg.Pool[asyncpg.Record]
        self.uploads: Uploads
        self.spool: Spool

    async def start(self) -> None:
        """Take over what was left, read what is proctored, begin."""
        settings = self.settings
        self.pool = asyncpg.create_pool(
            settings.database_url, min_size=0, max_size=settings.uploads + 1, command_timeout=60
        )
        await self.pool
        store = await self._stack.enter_async_context(open_store(settings.objects, settings.picture_bucket))
        self.uploads = Uploads(
            store,
            self.pool,
            self.ring,
            self.kek,
            at_once=settings.uploads,
            check_one_of=settings.check_one_of,
            stored=self.stored.add,
            done=self._done_with,
        )
        self.spool = Spool(
            self.root,
            self.ring,
            self.kek,
            self.uploads.add,
            segment_bytes=settings.segment_bytes,
            segment_s=settings.segment_s,
            most_bytes=settings.spool_bytes,
            free_bytes=settings.spool_free_bytes,
        )
        try:
            await self._refresh(first=True)
        except AWAY as error:
            found = self.watched.load()
            log.warning("proctoring.start.without_postgres", reason=str(error), known=found)
            self.reasons["postgres"] = str(error) or type(error).__name__
        self._adopt()
        garbage.settle()
        follow = [self._follow(), self.metrics.write_for_ever(self), self.reads.sweep_for_ever()]
        self._tasks = [asyncio.create_task(work) for work in follow]

    def _done_with(self, path: Path, again: bool) -> None:  # noqa: FBT001 (a callback; the spool comes after the uploads)
        self.spool.done_with(path, again)

    def _adopt(self) -> None:
        """Segments of processes that are dead: theirs at our start, and whoever dies while we live."""
        left = self.spool.adopt()
        if left:
            log.info("proctoring.spool.taken_over", segments=len(left))
            self.ring.hold(self.spool.keys_here())
        if self.watched.refused:
            self.spool.forget(self.watched.refused)
        for path in left:
            self.uploads.add(path)

    async def close(self) -> None:
        """Write what waits, send what can be sent in a few seconds."""
        for task in self._tasks:
            task.cancel()
        await self.spool.close()
        await self.uploads.close(STOP_S)
        self.stored.close()
        await self._stack.aclose()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.pool.close(), 3)

    def now_ms(self) -> int:
        """This machine's clock."""
        return time.time_ns() // 1_000_000

    def admit(self, attempt: int, now_ms: int, times: int = 1) -> bool:
        """Count a request of a candidate as so many; False beyond the measure of a minute."""
        minute, counts = self._minute
        if minute != now_ms // 60_000:
            counts = {}
            self._minute = (now_ms // 60_000, counts)
        counts[attempt] = count = counts.get(attempt, 0) + times
        return count <= PICTURES_A_MINUTE

    async def _refresh(self, *, first: bool = False) -> None:
        async with self.pool.acquire(timeout=5) as db:
            if first:
                await require_current(db)
            refused = await self.watched.refresh(db, time.time())
        if refused:
            self.ring.forget(refused)
            if not first:
                self.spool.forget(refused)
        self.ring.keep_only(set(self.watched.sittings))
        self.reasons.pop("postgres", None)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.settings.refresh_every_s)
            try:
                async with asyncio.timeout(30):
                    await self._refresh()
            except Exception as error:  # noqa: BLE001 (it goes on with what it knows, and says so)
                self.reasons["postgres"] = str(error) or type(error).__name__
                log.warning("proctoring.refresh.failed", reason=self.reasons["postgres"])
            self.times = slower(self.spool.fill)
            try:
                self._adopt()
            except OSError:
                log.exception("proctoring.spool.not_taken_over")
