"""What one engine worker holds: keys, tables, the group commit, and the tasks that keep them fresh."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import structlog
from redis.exceptions import RedisError

from engine import kept
from engine.abilities import Abilities
from engine.board import Board
from engine.bundles.store import BundleStore
from engine.group_commit import GroupCommit
from engine.keys import KeyRing
from engine.limits import Limits
from engine.metrics import WorkerMetrics
from engine.misses import Misses
from engine.order import attempt_seed
from engine.problems import Problem
from engine.protocol import CONTROL_STREAM, Watch
from engine.reads import Reads
from engine.roster import Roster
from engine.tokens import SignedTimes, Tokens
from infra import garbage
from infra.database import AWAY, BY_KEY
from infra.local import decode_key
from infra.migrate import require_current
from infra.picture_tokens import PictureClaims, PictureTokens, device_mark
from infra.valkey import connect, follower_of, memory

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from engine.roster import Pupil, Sitting
    from infra.settings import EngineSettings

log = structlog.get_logger()

POSTGRES_WAIT_S = 5.0
# However many callers nobody knows: the roster is read twice a second at most, and nobody waits longer than this.
CATCH_UP_GAP_S = 0.5
CATCH_UP_LIMIT_S = 3.0
STAMP_MS = 20
FORGET_EVERY_S = 2.0
# Entries of the control stream, a round of a flusher each: while all of it is heard once more, saves go on.
NEWS_AT_ONCE = 50
# Of a body that is too large: so much is not absurd, and whoever sent it hears why.
DRAINED_BYTES = 16 * 2**20


class Worker:
    """The state of one worker process."""

    def __init__(self, settings: EngineSettings, folder: Path) -> None:
        self.settings = settings
        keys = {int(number): decode_key(key) for number, key in settings.token_keys.items()}
        self.tokens = Tokens(keys, settings.signs_with)
        picture_keys = {int(number): decode_key(key) for number, key in settings.picture_token_keys.items()}
        self.picture_tokens = PictureTokens(picture_keys)
        self.times = SignedTimes(decode_key(settings.time_key), decode_key(settings.other_time_key))
        self.order_key = decode_key(settings.order_key)
        # Two while a pepper is changed: slips of both open.
        self.code_peppers = [
            decode_key(pepper) for pepper in (settings.code_pepper, settings.other_code_pepper) if pepper
        ]
        self.roster = Roster(folder, demo=settings.demo)
        self.board = Board()
        self.bundles = BundleStore(settings.objects, settings.bundle_bucket, folder / "bundles")
        self.keys = KeyRing(decode_key(settings.release_private_key))
        self.metrics = WorkerMetrics(folder / "metrics")
        self.misses = Misses()
        self.kept = kept.Reads(self)
        self.abilities = Abilities()
        self.reads = Reads(settings.body_limit_s, Problem, DRAINED_BYTES)
        self.postgres_offset_ms = 0
        self.reasons: dict[str, str] = {}
        self._stamp: tuple[int, str] = (0, "")
        self._rebuild = False
        self._asked = asyncio.Event()
        self._next_refresh: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None
        # For cold routes only; the streams have connections of their own.
        self.valkey = connect(settings.valkey_url)
        # A demo plays a sitting sixty times as fast as life.
        saves_a_minute = settings.saves_a_minute * (60 if settings.demo else 1)
        self.limits = Limits(
            self.valkey, self.board.full, saves_a_minute, settings.re_entries_a_minute, settings.refusal_rest_s
        )
        self.commits: GroupCommit

    async def start(self) -> None:
        """Read the tables (from Postgres, else from the disk's snapshot), open a stream, start following."""
        self.pool = asyncpg.create_pool(
            self.settings.database_url, min_size=0, max_size=4, command_timeout=15, server_settings=BY_KEY
        )
        await self.pool
        self.commits = GroupCommit(
            self.settings.valkey_url, self._register_streams, self._retire_stream, self.settings.pending_bytes
        )
        last_news = await self._last_news()
        try:
            await self._refresh(first=True)
        except AWAY as error:
            found = self.roster.load_snapshot()
            log.warning("engine.start.without_postgres", reason=str(error), snapshot=found)
            self.reasons["postgres"] = str(error)
            self._rebuild = True
            self.keys.hold(self.roster.forms)
            await self._hold_bundles()
        with contextlib.suppress(Exception):
            await self.commits.open()
        garbage.settle()
        follow = [
            self._follow_postgres(),
            self._follow_news(last_news),
            self._watch_memory(),
            self._forget_for_ever(),
            self.roster.write_for_ever(),
            self.metrics.write_for_ever(self),
            self.misses.tell_for_ever(self.valkey),
            self.reads.sweep_for_ever(),
            self.limits.tell_for_ever(self.commits.join, self.real_ms),
        ]
        self._tasks = [asyncio.create_task(work) for work in follow]

    async def close(self) -> None:
        """Stop following, write what waits, retire the stream."""
        for task in self._tasks:
            task.cancel()
        await self.commits.close()
        await self.valkey.aclose()
        if self.pool:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.pool.close(), 3)

    # ---- time ----

    def real_ms(self) -> int:
        """This machine's clock, Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def stamp(self, sitting: Sitting | None) -> tuple[int, str]:
        """The sitting's time and its signature; one signature serves some milliseconds of replies."""
        real = self.real_ms()
        if sitting is not None and sitting.demo_speed != 1:
            now = sitting.now_ms(real)
            return now, self.times.sign(now)
        if real - self._stamp[0] >= STAMP_MS:
            self._stamp = (real, self.times.sign(real))
        return self._stamp

    def release_ms(self, sitting: Sitting) -> int:
        """The earlier of our own clock and Postgres': a key goes out only when both are past T0."""
        real = self.real_ms()
        return sitting.now_ms(min(real, real + self.postgres_offset_ms))

    def seed(self, pupil: Pupil) -> str:
        """128 bits from which the order of items and options is drawn (SAFETY D4)."""
        return attempt_seed(self.order_key, pupil.sitting, pupil.attempt).hex()

    def manifest(self, form: int) -> str:
        """Name of a form's manifest; "" while the form is not known."""
        known = self.roster.forms.get(form)
        return known.manifest if known else ""

    def watch(self, pupil: Pupil, sitting: Sitting, expires_s: int, device: bytes) -> Watch | None:
        """Where this pupil's pictures may go; None without a proctored sitting or without a consent that holds today."""
        told, url = sitting.watch, self.settings.pictures_url
        if told is None or not url or self.real_ms() >= pupil.camera_until_s * 1000:
            return None
        opens_s = sitting.clock.waiting_opens_ms // 1000
        return Watch(
            url=url,
            token=self.picture_tokens.sign(
                PictureClaims(pupil.attempt, pupil.sitting, opens_s, expires_s, device_mark(device))
            ),
            every_s=told.every_s,
            most_bytes=told.most_bytes,
            identity=told.identity,
            screen=told.screen,
            keep_days=told.keep_days,
        )

    # ---- following ----

    async def _refresh(self, *, first: bool = False) -> None:
        assert self.pool is not None
        async with self.pool.acquire() as db:
            if first:
                await require_current(db)
            before = time.time()
            theirs = await db.fetchval("select extract(epoch from clock_timestamp())")
            # Half of the round trip is the best guess of when Postgres looked at its clock.
            self.postgres_offset_ms = round((float(theirs) - (before + time.time()) / 2) * 1000)
            known = set(self.roster.sittings)
            await self.roster.refresh(db, hurry=first)
            if first or self._rebuild or set(self.roster.sittings) - known:
                # News may have been lost with Valkey's data; Postgres has all that matters.
                self._rebuild = False
                try:
                    await self.board.rebuild(db, list(self.roster.sittings), hurry=first)
                except BaseException:
                    self._rebuild = True
                    raise
        await self._forget_unlocked()
        # Keys first: the bundles' fetching waits, and requests come meanwhile.
        self.keys.hold(self.roster.forms)
        await self._hold_bundles()
        self.reasons.pop("postgres", None)

    async def _hold_bundles(self) -> None:
        forms = self.roster.forms.values()
        await self.bundles.hold(
            {form.manifest for form in forms}, {form.room_blobs for form in forms if form.room_blobs}
        )

    async def _forget_unlocked(self) -> None:
        """Codes that a person freed (their row changed and is not locked): misses start from nothing again."""
        freed = [
            pupil.attempt for pupil in self.roster.changed if not pupil.locked and pupil.attempt in self.board.locked
        ]
        if freed:
            self.board.locked.difference_update(freed)
            with contextlib.suppress(RedisError, OSError):
                await self.valkey.delete(*(f"miss:{attempt}" for attempt in freed))

    async def catch_up(self) -> None:
        """Read the roster before a stranger is sent away: he may have been added a second ago, and another worker knows.

        Waits for a refresh that began after this call; all who wait share it. Without Postgres it returns at once.
        """
        if "postgres" in self.reasons:
            return
        self._asked.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._next_refresh), CATCH_UP_LIMIT_S)

    async def _follow_postgres(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self.settings.refresh_every_s)
            self._asked.clear()
            turn, self._next_refresh = self._next_refresh, asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(60):
                    await self._refresh()
                if not self.commits.ready:
                    await self.commits.open()
            except Exception as error:  # noqa: BLE001 (it goes on with what it knows, and says so)
                self.reasons["postgres"] = str(error) or type(error).__name__
                log.warning("engine.refresh.failed", reason=self.reasons["postgres"])
            finally:
                turn.set_result(None)
            await asyncio.sleep(min(CATCH_UP_GAP_S, self.settings.refresh_every_s))

    async def _last_news(self) -> str:
        """Where the control stream stands before the tables are read: from there on nothing is missed."""
        try:
            entries = await self.valkey.xrevrange(CONTROL_STREAM, count=1)
        except (RedisError, OSError):
            return "0"
        return entries[0][0].decode() if entries else "0"

    async def _follow_news(self, after: str) -> None:
        last = after
        valkey: Redis | None = None
        while True:
            try:
                valkey = valkey or await follower_of(self.settings.valkey_url, CONTROL_STREAM, timeout_s=5)
                answer = await valkey.xread({CONTROL_STREAM: last}, count=NEWS_AT_ONCE, block=2000)
            except (RedisError, OSError) as error:
                if valkey is not None:
                    with contextlib.suppress(RedisError, OSError):
                        await valkey.aclose()
                    valkey = None
                self.reasons["valkey"] = str(error)
                self._rebuild = True
                await asyncio.sleep(0.2)
                # Wiped, restored or another primary: ids may begin anew. Hearing news twice is harmless, missing them is not.
                last = "0"
                continue
            self.reasons.pop("valkey", None)
            for _, entries in answer or []:
                for entry_id, fields in entries:
                    self._hear(fields[b"n"])
                    last = entry_id.decode()

    def _hear(self, entry: bytes) -> None:
        try:
            self.board.hear(entry)
        except msgspec.DecodeError as error:
            # Words of a newer flusher, while releases change: what else stood there is read from Postgres.
            log.warning("engine.news.unknown", reason=str(error))
            self._rebuild = True

    async def _watch_memory(self) -> None:
        """Before Valkey's memory is full saves get 503 and players slow down; nothing is evicted (rule 11)."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                shards = await memory(self.valkey)
                # The fullest decides: the next stream may lie on any of them.
                share = self.settings.stream_memory_share
                self.commits.full = any(shard.limit and shard.used > shard.limit * share for shard in shards)
                self.metrics.valkey_bytes = sum(shard.used for shard in shards)
            await asyncio.sleep(1)

    async def _forget_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            self.tokens.forget()
            self.limits.forget()

    # ---- streams ----

    async def _register_streams(self, count: int) -> list[int]:
        assert self.pool is not None
        rows = await asyncio.wait_for(
            self.pool.fetch(
                "insert into stream_position (opened_by) select $1 from generate_series(1, $2) returning stream",
                *(f"{os.uname().nodename}/{os.getpid()}", count),
            ),
            POSTGRES_WAIT_S,
        )
        return sorted((row["stream"] for row in rows), reverse=True)

    async def _retire_stream(self, number: int) -> None:
        assert self.pool is not None
        await asyncio.wait_for(
            self.pool.execute("update stream_position set retired_at = now() where stream = $1", number),
            POSTGRES_WAIT_S,
        )
