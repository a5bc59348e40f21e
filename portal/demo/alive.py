"""The demo's wall stays alive: a handful of its children go on sending drawn pictures for as long as the demo runs."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from infra.local import default_home, environment
from infra.settings import ProctoringSettings, read
from portal.demo import footage
from portal.demo.footage import Sent
from portal.demo.pictures import LOOKS, draw_room

if TYPE_CHECKING:
    from pathlib import Path

    from proctoring.keys import Key

    Db = asyncpg.Connection[asyncpg.Record]

# A picture each of a dozen rooms every 40 s is one small file in the store and some milliseconds of work.
EVERY_S = 40.0
HANDFUL = 12
# Now and then somebody turns or looks down.
KINDS = ("alone", "alone", "alone", "alone", "turned", "down")
NAME = "watched.json"


class Watched(msgspec.Struct, frozen=True):
    """Who sits before a drawn camera; a child's place says what its room looks like."""

    sitting: int
    children: list[int]


def write_note(folder: Path, sitting: int, children: list[int]) -> None:
    """For who goes on with it."""
    path = folder / NAME
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(Watched(sitting, children)))


def demo_pictures() -> None:
    """Keep the demo's wall alive until it is stopped."""
    path = default_home().folder / NAME
    # A demo of before has nobody to go on with.
    if path.exists():
        asyncio.run(_go_on(msgspec.json.decode(path.read_bytes(), type=Watched)))


async def _go_on(watched: Watched) -> None:
    settings = read(ProctoringSettings, environment(default_home(), "proctoring"))
    # Beside the ingest, as the same role; one connection that stays.
    db = await asyncpg.connect(settings.database_url)
    keys: dict[int, Key] = {}
    random = Random()
    while True:
        await send(db, settings, watched, keys, random)
        await asyncio.sleep(EVERY_S)


async def send(
    db: Db, settings: ProctoringSettings, watched: Watched, keys: dict[int, Key], random: Random
) -> list[int]:
    """One picture of each of a handful: first of those in somebody's hands, then of the riskiest, none of who has handed in."""
    rows = await db.fetch(
        """
        select w.attempt_id as attempt, (
            select coalesce(max(x.seq), 0) + 1 from picture x where x.sitting_id = $1 and x.attempt_id = w.attempt_id) as seq
        from watch_score w
        join attempt a on a.id = w.attempt_id
        left join watch_hand h on h.attempt_id = w.attempt_id
        where w.sitting_id = $1 and w.attempt_id = any($2::bigint[]) and a.finished_at is null
            and not exists (
                select from picture_erasure e
                where e.sitting_id = $1 and (e.attempt_id is null or e.attempt_id = w.attempt_id))
        order by h.attempt_id is null, w.score desc, w.attempt_id
        limit $3
        """,
        *(watched.sitting, watched.children, HANDFUL),
    )
    now_ms = time.time_ns() // 1_000_000
    sent = [
        Sent(
            attempt=row["attempt"],
            pictures=[
                (
                    *("snapshot", row["seq"], now_ms - random.randrange(1_000, 9_000)),
                    draw_room(watched.children.index(row["attempt"]) % LOOKS, random.choice(KINDS)),
                )
            ],
            events=[],
        )
        for row in rows
    ]
    if sent:
        await footage.put_down(db, settings, watched.sitting, sent, keys)
    return [one.attempt for one in sent]
