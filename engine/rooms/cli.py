"""`elumiti room-codes`: the release of room codes at T0, as a process or once by hand."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

from engine.codes import show_code
from engine.rooms.release import Release, record
from infra.cells import guard
from infra.database import AWAY
from infra.errors import PlainError
from infra.local import adopt, decode_key
from infra.migrate import require_current
from infra.settings import ReleaseSettings, read

if TYPE_CHECKING:
    from infra.database import Db

log = structlog.get_logger()
LOOK_EVERY_S = 0.5
AGAIN_AFTER_S = 2.0


def room_codes(*, once: int | None = None, out: Path | None = None) -> None:
    """Open the room codes of each sitting at its T0, until stopped. The one process that can.

    With --once SITTING --out FILE: do it now for one sitting and write its rooms and codes as a table for the SMS
    gateway. Refused before T0: until then a code is for nobody, so there is no paper with codes either.

    Parameters
    ----------
    once
        Number of the sitting.
    out
        CSV file to make: school, room, telephone, code.
    """
    adopt("release")
    settings = read(ReleaseSettings)
    if (once is None) != (out is None):
        raise PlainError("--once and --out belong together.", "Write: elumiti room-codes --once 12 --out codes.csv")
    if once is not None and out is not None:
        print(asyncio.run(_once(settings, once, out)))
    else:
        asyncio.run(_serve(settings))


async def _serve(settings: ReleaseSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    release = Release(decode_key(settings.release_private_key), demo=settings.demo)
    ready = os.environ.get("ELUMITI_READY_FILE")
    db: asyncpg.Connection[asyncpg.Record] | None = None
    while not stop.is_set():
        wait_s = LOOK_EVERY_S
        try:
            if db is None:
                db = await asyncpg.connect(settings.database_url, command_timeout=30)
                await require_current(db)
            if ready:
                Path(ready).touch()
                ready = None
            began = time.monotonic()
            for sitting, codes in (await release.open_due(db)).items():
                log.info("release.room_codes.opened", sitting=sitting, codes=codes, took_s=time.monotonic() - began)
        except AWAY as error:
            log.warning("release.room_codes.waits", reason=str(error) or type(error).__name__)
            if db is not None:
                db.terminate()
            db, wait_s = None, AGAIN_AFTER_S
        try:
            async with asyncio.timeout(wait_s):
                await stop.wait()
        except TimeoutError:
            pass
    if db is not None:
        await db.close()


async def _once(settings: ReleaseSettings, sitting: int, out: Path) -> str:
    db = await asyncpg.connect(settings.database_url, command_timeout=60)
    try:
        await require_current(db)
        head = await db.fetchrow("select title, state, starts_at from sitting where id = $1", sitting)
        if head is None:
            raise PlainError(f"There is no sitting {sitting}.", "The number stands in the address of its page.")
        release = Release(decode_key(settings.release_private_key), demo=settings.demo)
        opened = await release.open_due(db, sitting)
        rows = await db.fetch(ROWS, sitting)
        if not rows:
            raise PlainError(await _why_none(db, release, sitting, head), "Nothing was opened or written.")
        _write(out, rows)
        await record(db, "room.codes.written", sitting, {"rooms": len(rows), "file": out.name})
    finally:
        await db.close()
    return f"{len(rows)} rooms in {out}; {sum(opened.values())} codes opened now."


async def _why_none(db: Db, release: Release, sitting: int, head: asyncpg.Record) -> str:
    rooms = await db.fetchval("select count(*) from room where sitting_id = $1", sitting)
    if not rooms:
        return f"Sitting {sitting} has no rooms."
    if head["state"] != "published":
        return f"Sitting {sitting} is not published."
    now = datetime.fromtimestamp(await release.now_ms(db) / 1000, UTC)
    if now < head["starts_at"]:
        return f"Sitting {sitting} starts at {head['starts_at']:%Y-%m-%d %H:%M:%S} UTC; until then no code exists for anybody."
    return f"No code of sitting {sitting} may be opened now: it is stopped, paused, its entry is over, or it was packed without codes."


def _write(out: Path, rows: list[asyncpg.Record]) -> None:
    """A table that its owner alone may read, with a mark so that Excel reads Kazakh letters."""
    try:
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise PlainError(f"{out} is there already.", "Give a new name: nothing is written over.") from error
    with os.fdopen(file, "w", encoding="utf-8-sig", newline="") as text:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(["school_code", "school", "room", "telephone", "code"])
        for row in rows:
            names = (row["school_code"], row["school"], row["room"])
            # A gateway takes digits, and a spreadsheet would count with a plus (SAFETY J10).
            telephone = re.sub(r"\D", "", row["contact_phone"])
            writer.writerow([*map(guard, names), telephone, show_code(row["code"])])


# After a restart the reserve form's code stands for the other: it is the one that is sat.
ROWS = """
    select school_code, school, room, contact_phone, code
    from (
        select distinct on (r.id) r.id, sc.code as school_code, sc.name_kk as school, r.name as room, sc.contact_phone, o.code
        from room r
        join sitting s on s.id = r.sitting_id
        join school sc on sc.id = r.school_id
        join room_code c on c.room_id = r.id and c.closed_at is null and c.form_id in (s.form_id, s.reserve_form_id)
        join room_code_open o on o.form_id = c.form_id and o.number = c.number
        where r.sitting_id = $1
        order by r.id, c.form_id = s.form_id
    ) as shown
    order by school_code, room, id
"""
