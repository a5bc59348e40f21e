"""What the worker does with a new document: the virus scan, then a preview. Until then nobody opens it.

A scanner that is away is asked again, later and later; the document stays closed. Without a scanner the document says so,
for ever: it is looked at as a picture made anew, and its file goes out as an attachment that no browser runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from infra.clamd import ScannerAwayError, Verdict, scan
from infra.drawing import PREVIEW, UnreadableError, draw
from portal.core import audit
from portal.core.accounts.structs import Scope
from portal.core.files import stored
from portal.core.scope import within

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

log = structlog.get_logger()
COUNTRY = Scope(country=True)
PAGE, THUMB = "-page", "-thumb"
# Nobody else takes it meanwhile; and how long a scanner that is away is left alone, doubled each time up to an hour.
PAUSE, LONGEST = timedelta(minutes=2), timedelta(hours=1)


class Waiting(msgspec.Struct, frozen=True):
    """A document that is to be looked at."""

    id: int
    person_id: int
    object_key: str


async def check_due(pool: Pool, settings: PortalSettings) -> bool:
    """A round of the worker: one document; True if there may be more at once."""
    async with pool.acquire() as db:
        async with within(db, COUNTRY):
            waiting = await _take(db)
        if waiting is None:
            return False
        body = await stored.fetch(settings.objects, waiting.object_key)
        if body is None:
            log.error("portfolio.object.lost", document=waiting.id)
            return True
        try:
            verdict = await scan(settings.clamd_address, body) if settings.clamd_address else None
        except ScannerAwayError as error:
            log.warning("portfolio.scanner.away", document=waiting.id, error=str(error)[:200])
            return False
        preview = None
        if verdict is None or verdict.clean:
            preview = await _preview(db, settings, body)
        async with within(db, COUNTRY):
            await _write(db, waiting, verdict, preview)
    return True


async def _take(db: Connection) -> Waiting | None:
    row = await db.fetchrow(
        """
        update person_document d
        set try_at = now() + least($1::interval * power(2, d.tries), $2::interval), tries = least(d.tries + 1, 20)
        where d.id = (
            select id
            from person_document
            where state = 'waits' and try_at <= now()
            order by try_at, id
            limit 1
            for no key update skip locked)
        returning d.id, d.person_id, d.object_key
        """,
        *(PAUSE, LONGEST),
    )
    return Waiting(**row) if row else None


async def _preview(db: Connection, settings: PortalSettings, body: bytes) -> str | None:
    """Two pictures; a file that cannot be drawn has none, and can be downloaded only."""
    try:
        drawn = await draw(PREVIEW, body)
    except UnreadableError:
        return None
    return await stored.put(db, settings.objects, "preview", drawn, [PAGE, THUMB])


async def _write(db: Connection, waiting: Waiting, verdict: Verdict | None, preview: str | None) -> None:
    """The outcome. A document that was removed meanwhile takes nothing in; its preview is let go of by itself."""
    refused = verdict is not None and not verdict.clean
    state = "unchecked" if verdict is None else "refused" if refused else "clean"
    done = await db.fetchval(
        """
        update person_document
        set state = $2, checked_at = now(), note = $3, preview_key = $4,
            object_key = case when $2 = 'refused' then null else object_key end
        where id = $1 and state = 'waits'
        returning id
        """,
        *(waiting.id, state, verdict.name[:200] if verdict else "", preview),
    )
    if done is None:
        return
    if preview:
        await stored.hold(db, [preview + PAGE, preview + THUMB])
    if refused:
        await stored.let_go(db, [waiting.object_key])
    fact: dict[str, object] = {"document": waiting.id, "state": state, "found": verdict.name if verdict else ""}
    await audit.record_for(
        db,
        staff_id=None,
        acting_as="job",
        address="-",
        act="portfolio.document.checked",
        kind="person",
        object_id=waiting.person_id,
        after=fact,
    )
