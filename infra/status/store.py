"""What the status keeps in Postgres and reads from it. While Postgres is away, outages wait here and old lines stay."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import structlog

from infra.database import AWAY
from infra.status.watch import Spell

log = structlog.get_logger()
ANSWER_WITHIN_S = 3.0


class SittingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting of today as the public knows it: when, and of which project. Never how many, or who."""

    project: str
    title: dict[str, str]
    starts_ms: int
    ends_ms: int


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """What staff told the public."""

    project: str
    text: dict[str, str]
    began_ms: int
    ended_ms: int | None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The audit trail's newest fingerprint, as `elumiti audit-head` prints it."""

    at_ms: int
    head: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What Postgres said last."""

    sittings: list[SittingLine] = []
    incidents: list[IncidentLine] = []
    head: Head | None = None


class Store:
    """One connection, made anew after any trouble. What waits lies on disk too, for a watcher may die before Postgres is back."""

    def __init__(self, url: str, waits: Path) -> None:
        self._url = url
        self._path = waits
        self._db: asyncpg.Connection[asyncpg.Record] | None = None
        # (step, began) → its newest state; ids of rows that are there already
        self._waiting: dict[tuple[str, int], Spell] = {}
        self._ids: dict[tuple[str, int], int] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            before = msgspec.json.decode(waits.read_bytes(), type=list[Spell])
            # Nobody looked since: they ended, as far as anybody knows, when they were last seen.
            self.keep([msgspec.structs.replace(spell, is_over=True) for spell in before])

    def keep(self, spells: list[Spell]) -> None:
        """To be written with the next round that finds Postgres."""
        for spell in spells:
            self._waiting[spell.step, spell.began_ms] = spell
        if spells:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(msgspec.json.encode(list(self._waiting.values())))

    async def round(self, *, read: bool) -> Told | None:
        """Write what waits; read what the page shows if asked. None: not read, or Postgres is away."""
        if not self._waiting and not read:
            return None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                if self._db is None or self._db.is_closed():
                    self._db = await asyncpg.connect(self._url, timeout=ANSWER_WITHIN_S)
                await self._write(self._db)
                if not read:
                    return None
                await self._db.execute(FORGOTTEN)
                return await _told(self._db)
        except AWAY as error:
            log.warning("status.postgres.away", reason=str(error) or type(error).__name__, waiting=len(self._waiting))
            self.drop()
            return None

    def drop(self) -> None:
        """Forget the connection."""
        if self._db is not None:
            with contextlib.suppress(Exception):
                self._db.terminate()
        self._db = None

    async def _write(self, db: asyncpg.Connection[asyncpg.Record]) -> None:
        for key, spell in list(self._waiting.items()):
            if key in self._ids:
                await db.execute(UPDATE, self._ids[key], spell.ended_ms, spell.is_over)
            else:
                self._ids[key] = await db.fetchval(INSERT, spell.step, spell.began_ms, spell.ended_ms, spell.is_over)
            if self._waiting.get(key) is spell:
                del self._waiting[key]
            if spell.is_over:
                self._ids.pop(key, None)
        if not self._waiting:
            self._path.unlink(missing_ok=True)


async def _told(db: asyncpg.Connection[asyncpg.Record]) -> Told:
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    head = await db.fetchrow("select last_id, hash from audit_head where only_row")
    return Told(
        sittings=[
            SittingLine(**{**row, "title": json.loads(row["title"])}) for row in map(dict, await db.fetch(SITTINGS))
        ],
        incidents=[
            IncidentLine(**{**row, "text": json.loads(row["text"])}) for row in map(dict, await db.fetch(INCIDENTS))
        ],
        head=Head(at_ms=now_ms, head=f"{head['last_id']}:{head['hash'].hex()}") if head and head["last_id"] else None,
    )


# Of a watcher that died in an outage: it ended, as far as anybody knows, when it was last seen.
FORGOTTEN = """
    update outage set is_over = true, changed_at = clock_timestamp()
    where not is_over and changed_at < now() - interval '1 minute'
"""
INSERT = "insert into outage (step, began_ms, ended_ms, is_over) values ($1, $2, $3, $4) returning id"
UPDATE = "update outage set ended_ms = $2, is_over = $3, changed_at = clock_timestamp() where id = $1"
SITTINGS = """
    select project, title, (extract(epoch from starts_at) * 1000)::bigint as starts_ms,
           (extract(epoch from coalesce(ends_at, last_entry_at + duration_s * interval '1 second')) * 1000)::bigint
               as ends_ms
    from sitting
    where state in ('published', 'closed')
        and (starts_at at time zone interval '5 hours')::date = (now() at time zone interval '5 hours')::date
    order by starts_at, id
    limit 50
"""
INCIDENTS = """
    select project, text, (extract(epoch from began_at) * 1000)::bigint as began_ms,
           (extract(epoch from ended_at) * 1000)::bigint as ended_ms
    from incident
    where ended_at is null or ended_at > now() - interval '1 day'
    order by began_at desc, id desc
    limit 20
"""
