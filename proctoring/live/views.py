"""The views under way in this process: who may begin, when it ends, and what Postgres is told.

The row is the portal's (`watch_live`). Here it begins with the phone's connection and ends by our own clock, by either side,
by a consent withdrawn, by the hand-in. A process that starts again ends what the one before it left.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg
import structlog

from infra.database import AWAY
from infra.live_tickets import verify
from infra.local import decode_key
from proctoring.live.legs import Leg, Path
from proctoring.live.offers import OfferError
from proctoring.live.problems import Problem

if TYPE_CHECKING:
    from infra.live_tickets import LiveClaims
    from infra.settings import LiveSettings

log = structlog.get_logger()
# A side that has connected and is not heard of for so long has gone (its line dropped, its page was killed).
SILENT_S = 10.0
# The row says how long a phone is waited for; without Postgres nobody waits for longer than this.
WAIT_MOST_S = 700.0
SWEEP_S = 0.5
# What is over stays known for as long as a ticket may still ask what became of it.
REMEMBER_S = 300.0
OVER = "update watch_live set ended_at = now(), why = $2 where id = $1 and ended_at is null"


class View:
    """One stretch: a phone, a viewer, the path between them."""

    def __init__(self, number: int, attempt: int, settings: LiveSettings) -> None:
        self.number, self.attempt = number, attempt
        self.path = Path(settings.live_most_kbit * 125)
        self.opened = time.monotonic()
        self.began: float | None = None
        self.why: str | None = None
        self.ended: float | None = None
        self.used: set[str] = set()


class Views:
    """All of this process."""

    def __init__(self, settings: LiveSettings, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.settings, self.pool = settings, pool
        self._key = decode_key(settings.live_key)
        self.views: dict[int, View] = {}
        self.counts: dict[str, int] = {}
        self.packets = self.dropped = self.repeated = 0
        self.trouble = ""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> list[View]:
        """Those that have not ended."""
        return [view for view in self.views.values() if view.why is None]

    def claims(self, ticket: str) -> LiveClaims:
        """Whose ticket it is; it may be late."""
        claims = verify(self._key, ticket)
        if claims is None:
            raise Problem("ticket-rejected")
        return claims

    async def begin(self, claims: LiveClaims, offer: str) -> str:
        """Take one side in; the answer's SDP. A ticket begins once."""
        if time.time() > claims.expires_s:
            raise Problem("ticket-expired")
        view = self.views.get(claims.view)
        if view is None:
            if len(self.open) >= self.settings.live_most_views:
                raise Problem("too-many", retry_after_s=20)
            view = self.views.setdefault(claims.view, View(claims.view, claims.attempt, self.settings))
        if view.why is not None:
            raise Problem("live-over", why=view.why)
        if claims.role in view.used:
            raise Problem("ticket-used")
        # Before the first wait: of two that come with the same ticket one begins.
        view.used.add(claims.role)
        leg: Leg | None = None
        try:
            await self._still_wanted(view)
            leg = Leg(self.settings)
            return await self._join(view, leg, claims.role, offer)
        except (OfferError, Problem) as error:
            # Refused, the ticket is as it was.
            if leg is not None:
                await leg.close()
            view.used.discard(claims.role)
            if not view.used and view.why is None:
                self.views.pop(view.number, None)
            if isinstance(error, OfferError):
                raise Problem(error.code) from error
            raise

    async def _still_wanted(self, view: View) -> None:
        """The row is open, and the consent holds at this moment."""
        try:
            async with self.pool.acquire(timeout=5) as db:
                row = await db.fetchrow(
                    """
                    select l.ended_at is null as open, live_allowed(l.attempt_id) as allowed
                    from watch_live l
                    join watch_hand h on h.attempt_id = l.attempt_id and h.staff_id = l.staff_id
                    where l.id = $1 and l.attempt_id = $2 and l.forwarder = $3
                    """,
                    *(view.number, view.attempt, self.settings.live_url),
                )
        except AWAY as error:
            # Whether the mother has just said no is not known: then nobody looks.
            raise Problem("try-later", retry_after_s=5) from error
        if row is None or not row["open"] or view.why is not None:
            raise Problem("live-over")
        if not row["allowed"]:
            self.end(view, "consent")
            raise Problem("camera-consent-needed")

    async def _join(self, view: View, leg: Leg, role: str, offer: str) -> str:
        path = view.path
        if role == "publish":
            answer = await leg.answer(offer, "recvonly")
            leg.on_rtp, leg.on_rtcp = path.forward, path.from_phone
            leg.on_gone = lambda: self.end(view, "phone-left")

            async def began() -> None:
                await self._began(view)

            leg.on_connected = began
            path.phone = leg
        else:
            answer = await leg.answer(offer, "sendonly")
            leg.on_rtcp = path.from_viewer
            leg.on_gone = lambda: self.end(view, "viewer-left")
            leg.on_connected = path.ask_whole_frame
            path.viewer = leg
        if view.why is not None:
            raise Problem("live-over", why=view.why)
        return answer

    async def _began(self, view: View) -> None:
        view.began = view.path.came = view.path.heard = time.monotonic()
        await self._write(
            """
            update watch_live set began_at = now(), ends_at = now() + make_interval(secs => $2)
            where id = $1 and began_at is null and ended_at is null
            """,
            *(view.number, float(self.settings.live_most_s)),
        )
        self._wake.set()

    def end(self, view: View, why: str) -> None:
        """Both sides are let go at once; Postgres is told."""
        if view.why is not None:
            return
        view.why, view.ended = why, time.monotonic()
        self.counts[why] = self.counts.get(why, 0) + 1
        log.info("live.ended", view=view.number, why=why, packets=view.path.packets)
        task = asyncio.get_running_loop().create_task(self._let_go(view, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_go(self, view: View, why: str) -> None:
        path = view.path
        legs = [leg for leg in (path.phone, path.viewer) if leg is not None]
        path.phone = path.viewer = None
        self.packets += path.packets
        self.dropped += path.dropped
        self.repeated += path.repeated
        for leg in legs:
            await leg.close()
        await self._write(OVER, view.number, why)

    async def _write(self, sql: str, *values: object) -> None:
        """Told to Postgres; while it is away the view goes on and ends all the same, and the sweep tells it later."""
        try:
            async with self.pool.acquire(timeout=5) as db:
                await db.execute(sql, *values)
        except AWAY as error:
            self.trouble = str(error) or type(error).__name__
            log.warning("live.write.failed", reason=self.trouble)

    # ---- what goes round

    async def take_over(self) -> None:
        """Views of this address that an earlier process had begun are over."""
        sql = "update watch_live set ended_at = now(), why = 'lost' where forwarder = $1 and ended_at is null and began_at is not null"
        async with self.pool.acquire() as db:
            await db.execute(sql, self.settings.live_url)

    async def sweep_for_ever(self) -> None:
        """The clock of every view, and what Postgres says of it."""
        asked = 0.0
        while True:
            now = time.monotonic()
            for view in self.open:
                why = self._over(view, now)
                if why is not None:
                    self.end(view, why)
            for view in [one for one in self.views.values() if one.ended and now - one.ended > REMEMBER_S]:
                del self.views[view.number]
            if now - asked >= self.settings.refresh_every_s:
                asked = now
                await self._follow()
            await asyncio.sleep(SWEEP_S)

    def _over(self, view: View, now: float) -> str | None:
        """Why it is over by the clock, if it is."""
        path = view.path
        if view.began is None:
            return "no-answer" if now - view.opened > WAIT_MOST_S else None
        if now - view.began >= self.settings.live_most_s:
            return "limit"
        if now - max(view.began, path.came) > SILENT_S:
            return "phone-left"
        return "viewer-left" if now - max(view.began, path.heard) > SILENT_S else None

    async def _follow(self) -> None:
        numbers = [view.number for view in self.open]
        try:
            async with self.pool.acquire(timeout=5) as db:
                await db.execute(
                    """
                    update watch_live set ended_at = now(), why = 'no-answer'
                    where forwarder = $1 and ended_at is null and began_at is null and waits_until < now()
                    """,
                    self.settings.live_url,
                )
                over = {number: why for number, view in self.views.items() if (why := view.why) is not None}
                rows = await db.fetch(
                    """
                    select l.id, l.ended_at is not null as ended, l.why, live_allowed(l.attempt_id) as allowed,
                           exists (
                               select from watch_hand h
                               where h.attempt_id = l.attempt_id and h.staff_id = l.staff_id) as in_hand,
                           exists (
                               select from attempt a where a.id = l.attempt_id and a.finished_at > l.asked_at) as finished
                    from watch_live l
                    where l.id = any ($1)
                    """,
                    [*numbers, *over],
                )
                for row in rows:
                    if not row["ended"] and row["id"] in over:
                        await db.execute(OVER, row["id"], over[row["id"]])
            self.trouble = ""
        except AWAY as error:
            self.trouble = str(error) or type(error).__name__
            log.warning("live.follow.failed", reason=self.trouble)
            return
        for row in rows:
            view = self.views.get(row["id"])
            if view is None:
                continue
            if row["ended"]:
                self.end(view, row["why"])
            elif not row["allowed"]:
                self.end(view, "consent")
            elif row["finished"]:
                self.end(view, "finished")
            elif not row["in_hand"]:
                # Handed over, given back, taken by the next: who has the child no more looks no more.
                self.end(view, "viewer-left")

    async def close(self) -> None:
        """The process ends: so do all views."""
        for view in self.open:
            self.end(view, "lost")
        while self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
