"""What the ingest knows of the world: which sittings are proctored and how, and whose pictures are refused.

Read every 2 s. Without Postgres it goes on with what it knows; a process that starts then, with what the last one wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from infra.breath import rows_in_pieces
from infra.picture_tokens import device_mark

if TYPE_CHECKING:
    from pathlib import Path

    from infra.database import Db

log = structlog.get_logger()

# Of sittings that may still send; a device that a hold gave the attempt back to has the highest epoch again.
TAKEN_OVER = """
    select distinct on (d.attempt_id) d.attempt_id as attempt, d.device
    from attempt_device d
    join participant p on p.id = d.attempt_id
    join sitting_watch w on w.sitting_id = p.sitting_id
    join sitting s on s.id = w.sitting_id
    where d.epoch > 1
        and coalesce(s.ends_at, s.last_entry_at + make_interval(secs => s.duration_s)) > now() - interval '1 day'
    order by d.attempt_id, d.epoch desc
"""
SLOWER = ((0.75, 8), (0.5, 4), (0.25, 2))


class Watch(msgspec.Struct, frozen=True):
    """How a sitting is proctored."""

    sitting: int
    every_s: int
    most_bytes: int
    identity: bool
    screen: bool


class LiveAsk(msgspec.Struct, frozen=True):
    """A proctor asks to look live at a child."""

    view: int
    attempt: int
    forwarder: str


class Known(msgspec.Struct):
    """As it lies on the disk."""

    sittings: list[Watch]
    refused: list[int]
    erased: list[int]


class Watched:
    """Sittings and refusals of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sittings: dict[int, Watch] = {}
        self.refused: set[int] = set()
        self.erased: set[int] = set()
        # By attempt; not written to the disk: an ask is worth a minute.
        self.live: dict[int, LiveAsk] = {}
        # Of attempts that more than one device wrote: the mark of the newest (SAFETY J4).
        self.newest: dict[int, int] = {}
        self.read_at = 0.0

    def load(self) -> bool:
        """What an earlier process wrote down; False when there is nothing."""
        try:
            known = msgspec.json.decode(self._path.read_bytes(), type=Known)
        except (OSError, msgspec.DecodeError):
            return False
        self._take(known)
        return True

    async def refresh(self, db: Db, now: float) -> set[int]:
        """Read it anew; returns the attempts that are refused since the last time."""
        before = set(self.refused)
        sittings = [
            Watch(**row)
            for row in await db.fetch(
                """
                select sitting_id as sitting, every_s, most_bytes, identity, screen
                from sitting_watch
                order by sitting_id
                """
            )
        ]
        refused: list[int] = []
        newest: dict[int, int] = {}
        async with db.transaction(readonly=True):
            async for rows in rows_in_pieces(db, "select attempt from pictures_refused()"):
                refused += [row["attempt"] for row in rows]
            async for rows in rows_in_pieces(db, TAKEN_OVER):
                newest |= {row["attempt"]: device_mark(row["device"].bytes) for row in rows}
        erased = [
            row["sitting_id"]
            for row in await db.fetch("select sitting_id from picture_erasure where attempt_id is null")
        ]
        asks = await db.fetch(
            """
            select id as view, attempt_id as attempt, forwarder
            from watch_live
            where ended_at is null and began_at is null and waits_until > now()
            """
        )
        self.live = {row["attempt"]: LiveAsk(**row) for row in asks}
        self.newest = newest
        known = Known(sittings, sorted(refused), sorted(erased))
        changed = (sittings, set(refused), set(erased)) != (list(self.sittings.values()), before, self.erased)
        self._take(known)
        self.read_at = now
        if changed:
            beside = self._path.with_suffix(".new")
            beside.write_bytes(msgspec.json.encode(known))
            beside.replace(self._path)
        return self.refused - before

    def _take(self, known: Known) -> None:
        self.erased = set(known.erased)
        self.sittings = {watch.sitting: watch for watch in known.sittings if watch.sitting not in self.erased}
        self.refused = set(known.refused)


def slower(fill: float) -> int:
    """How many times rarer phones are asked to take pictures when so much of the spool's bound is used."""
    return next((times for bound, times in SLOWER if fill >= bound), 1)
