"""The flusher's rounds: read, write, tell; and what it does between them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

import asyncpg
import structlog
from redis.exceptions import RedisError

from engine.flusher.entries import StreamAt, open_streams, take
from engine.flusher.figures import Figures, serve_for_ever
from engine.flusher.keep import keep_house
from engine.flusher.line import Line, settled
from engine.flusher.pulse import Pulse
from engine.flusher.relay import relay_controls, tell
from engine.flusher.seals import AT_ONCE, seal, unsealed
from engine.flusher.write import Memory, PositionMovedError, prepare, prove, write
from engine.kept_news import sealed_news, written_news
from engine.protocol import CONTROL_STREAM, News, Passed, Position
from engine.roster import live_sittings
from infra.database import AWAY, BY_KEY, require_wanted
from infra.local import decode_key
from infra.migrate import require_current
from infra.valkey import clock_ms, connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.settings import FlusherSettings

log = structlog.get_logger()

TROUBLE = (*AWAY, RedisError)
RETELL_EVERY_S = 1.0
HOUSE_EVERY_S = 5.0
# Of what is told once, the newest is told again over each new connection: a flusher may have died between COMMIT and word
# of it, or a COMMIT's answer was lost with the old one. Longer than any absence that nobody is called for.
LATELY_S = 600.0
# Hand-ins that came another way than by the streams: in a rescue file (SAFETY J8).
UNSEALED_EVERY_S = 15.0
UNSEALED_AT_LEAST_S = 300.0
SIDE_EVERY_S = 0.25
# With rounds of 200 that take 30 ms: 1 500 receipts a second, whose making costs as much as 3 000 saves.
SEALS_REST_S = 0.1
HAND_IN_OVER_S = 2.0


class Flusher:
    """One flusher process. Any number may run: the position's guarded update lets each entry in once."""

    def __init__(self, settings: FlusherSettings) -> None:
        self._settings = settings
        self._receipt_key = decode_key(settings.receipt_key)
        self._valkey = connect(settings.valkey_url, timeout_s=10)
        self._memory = Memory()
        self._pulse = Pulse()
        self._untold: list[News] = []
        self._line = Line()
        # Begin of the newest round that left nothing unread: what was acknowledged before is in Postgres.
        self._drained_from = 0.0
        self._handed_in_at = 0.0
        self._told_at = 0.0
        self._generation = 1
        # Set when a COMMIT came back with a warning (a synchronous standby did not confirm): such positions are not told.
        self._warned = False
        self.figures = Figures()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Flush until asked to stop; troubles are waited out, never skipped over."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stopping = asyncio.create_task(stop.wait())
        works = [
            self._with_postgres(self._flush, on_ready),
            self._with_postgres(self._look_after, plans=BY_KEY),
            self.figures.measure_for_ever(self._valkey),
        ]
        if self._settings.metrics_port:
            works.append(serve_for_ever(self.figures, self._settings))
        tasks = [asyncio.create_task(work) for work in works]
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._valkey.aclose()

    async def _with_postgres(
        self,
        work: Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[None]],
        on_ready: Callable[[], None] | None = None,
        plans: dict[str, str] | None = None,
    ) -> None:
        """Do `work` over one connection; after any trouble over a new one, with nothing remembered of the old."""
        pause = 0.1
        while True:
            db: asyncpg.Connection[asyncpg.Record] | None = None
            try:
                db = await asyncpg.connect(
                    self._settings.database_url, command_timeout=120, timeout=5, server_settings=plans
                )
                await require_current(db)
                db.add_log_listener(self._hear_warning)
                if on_ready:
                    on_ready()
                    self.figures.connected = True
                pause = 0.1
                await work(db)
            except TROUBLE as error:
                require_wanted()
                self.figures.troubles += 1
                self.figures.connected = self.figures.connected and on_ready is None
                log.warning("flusher.trouble", reason=str(error) or type(error).__name__, again_in_s=round(pause, 1))
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)
            finally:
                if db is not None:
                    db.terminate()

    def _hear_warning(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        log.warning("flusher.postgres.says", severity=message.severity, text=message.message)
        self._warned = self._warned or message.severity == "WARNING"

    async def _flush(self, db: asyncpg.Connection[asyncpg.Record]) -> None:
        await prepare(db)
        written_lately = [news async for news in written_news(db, await live_sittings(db), LATELY_S, hurry=True)]
        self._untold += written_lately
        while True:
            busy = await self._round(db)
            if not busy:
                await asyncio.sleep(self._settings.flush_every_ms / 1000)

    async def _round(self, db: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Read what came, store it, tell the positions; True if there is more to read at once."""
        began = time.monotonic()
        now_ms = await clock_ms(self._valkey, CONTROL_STREAM)
        # Streams are read after the time was taken: what was acknowledged before it lies on a stream we see.
        streams = await open_streams(db)
        taken = await take(self._valkey, streams, self._settings.flush_events)
        self._warned = False
        if taken.moves:
            try:
                written = await write(db, taken, self._memory)
            except PositionMovedError as error:
                log.info("flusher.position.moved", stream=error.args[0])
                return True
            self._pulse.feel(taken.units)
            self._line.events_came({unit.record.attempt for unit in taken.units}, time.monotonic())
            self._untold += written.news
            if written.finished:
                self._handed_in_at = time.monotonic()
                self._line.join(written.finished, self._handed_in_at)
            self.figures.events += written.events
            self.figures.dead += written.dead
            self.figures.rounds += 1
        elif time.monotonic() - self._told_at > RETELL_EVERY_S:
            # They are about to be told, and another's COMMIT may stand behind them whose standby did not confirm.
            await prove(db)
        if self._warned:
            raise TimeoutError("a COMMIT came back with a warning: its position is not told")
        if taken.drained:
            self._drained_from = began
        await self._tell(streams, taken.moves, taken.drained, now_ms)
        self.figures.round_at = time.monotonic()
        if taken.trouble:
            raise taken.trouble
        return not taken.drained

    async def _tell(
        self,
        streams: list[StreamAt],
        moves: list[tuple[StreamAt, StreamAt]],
        drained: bool,  # noqa: FBT001
        valkey_ms: int,
    ) -> None:
        now = time.monotonic()
        moved = {old.stream: new for old, new in moves}
        positions = list(moved.values())
        now_at = [moved.get(at.stream, at) for at in streams]
        self.figures.positions = {at.stream: (at.id_ms, at.id_seq) for at in now_at}
        if now - self._told_at > RETELL_EVERY_S:
            # All of them once a second: a worker that has just started must not wait for the next move.
            positions = now_at
            self._told_at = now
        self._untold += [Position(at.stream, at.id_ms, at.id_seq) for at in positions]
        if drained:
            self._untold.append(Passed(valkey_ms, self._generation, self._line.ready))
        news, self._untold = self._untold, []
        try:
            await tell(self._valkey, news)
        except (RedisError, OSError):
            self._untold = news + self._untold
            raise

    async def _look_after(self, db: asyncpg.Connection[asyncpg.Record]) -> None:
        """Seals, controls, the live view's figures, the streams' housekeeping: on a connection of their own."""
        house_at = pulse_at = 0.0
        unsealed_at = -UNSEALED_EVERY_S
        sealed_lately = [news async for news in sealed_news(db, await live_sittings(db), LATELY_S, hurry=True)]
        self._untold += sealed_lately
        while True:
            await relay_controls(db, self._valkey)
            now = time.monotonic()
            # While the line is long, seldom: it would read a nation's hand-ins again and again, and hold up their receipts.
            if now - unsealed_at > (UNSEALED_EVERY_S if self._line.ready <= AT_ONCE else UNSEALED_AT_LEAST_S):
                unsealed_at = now
                found = await unsealed(db)
                self._line.find(found, time.monotonic())
            sealed = await self._seal(db)
            if now - pulse_at > self._settings.pulse_every_s:
                pulse_at = now
                self._pulse.begin()
            await self._pulse.write(db)
            if now - house_at > HOUSE_EVERY_S:
                house_at = now
                self._generation = await db.fetchval("select number from generation")
                closed = await keep_house(db, self._valkey)
                self._untold += closed
            await asyncio.sleep(self._rest_s() if sealed else SIDE_EVERY_S)

    def _rest_s(self) -> float:
        """After the bell a nation waits for its receipts: no rests then, but while hand-ins still come they go first."""
        if self._line.ready <= AT_ONCE:
            return SIDE_EVERY_S
        return SEALS_REST_S if time.monotonic() - self._handed_in_at < HAND_IN_OVER_S else 0.0

    async def _seal(self, db: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Make the receipts whose turn it is; True if any was made."""
        self.figures.unsealed = len(self._line)
        turns = self._line.take(AT_ONCE, time.monotonic())
        if not turns:
            return False
        try:
            news, lacking = await seal(db, self._receipt_key, set(turns), settled(turns, self._drained_from))
        except BaseException:
            self._line.put_back()
            raise
        self._line.done(lacking, time.monotonic())
        self._untold += news
        return len(lacking) < len(turns)


async def flush(settings: FlusherSettings, on_ready: Callable[[], None]) -> None:
    """Run a flusher until SIGTERM."""
    await Flusher(settings).run(on_ready)
