"""The two jobs of an import: read and check; take in. Both do all or nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from portal.core import audit
from portal.core.accounts.structs import Scope
from portal.core.files import uploads
from portal.core.files.problems import FileUnreadable
from portal.core.files.reading import read_rows
from portal.core.jobs.progress import RowProgress
from portal.features.participants import queries, rules
from portal.features.participants.columns import COLUMNS
from portal.features.participants.linking import link
from portal.features.participants.problems import NotChecked, RowsTaken

if TYPE_CHECKING:
    from portal.core.db import Connection
    from portal.core.jobs import Context, Job
    from portal.features.participants.structs import Checked

SAMPLE = 8
MOST_UNUSUAL = 50


async def check(context: Context) -> dict[str, Any]:
    """Read the file, check every row, and stage them if all are good."""
    job = context.job
    assert job.sitting_id is not None
    body = await uploads.fetch(context.settings.objects, uploads.IMPORTS, job.payload["key"])
    if body is None:
        raise FileUnreadable
    scope = msgspec.convert(job.payload["scope"], Scope)
    async with context.pool.acquire() as db:
        schools = await queries.schools_for_import(db, job.sitting_id, scope)
        taken = await queries.external_ids(db, job.sitting_id)
    total, rows = await asyncio.to_thread(read_rows, body, COLUMNS)
    await context.progress(0, total)
    progress = RowProgress(context, total)
    checked = await asyncio.to_thread(rules.check_rows, rows, schools, taken, datetime.now(UTC).date(), progress.at_row)
    result = _outcome(total, checked)
    async with context.pool.acquire() as db, db.transaction():
        if not checked.errors:
            await queries.drop_staged(db, job.id)
            await queries.stage(db, job.id, checked.rows)
        fact = {
            "sitting_id": str(job.sitting_id),
            "rows": total,
            "errors": len(checked.errors),
            "file": job.payload["name"],
        }
        await _record(db, job, "participant.import.checked", job.id, fact)
    return result


async def take(context: Context) -> dict[str, Any]:
    """The staged rows become pupils of the sitting."""
    job = context.job
    async with context.pool.acquire() as db, db.transaction():
        taken = await take_in(db, job, job.payload["check"])
    return {"taken": taken}


async def take_in(db: Connection, job: Job, check_id: int) -> int:
    """Inside the caller's transaction: rows, marks on the check, record."""
    assert job.sitting_id is not None
    # 300 000 rows with their indexes take longer than a page may.
    await db.execute("set local statement_timeout = 0")
    await db.fetchval("select id from sitting where id = $1 for update", job.sitting_id)
    try:
        taken = await queries.take_staged(db, job.sitting_id, check_id)
    except asyncpg.UniqueViolationError as error:
        raise RowsTaken from error
    if taken == 0:
        raise NotChecked
    linked = await link(db, job.sitting_id)
    fact = {"sitting_id": str(job.sitting_id), "rows": taken, "linked": linked}
    await _record(db, job, "participant.import.taken", check_id, fact)
    return taken


def _outcome(total: int, checked: Checked) -> dict[str, Any]:
    grades: dict[str, int] = {}
    languages: dict[str, int] = {}
    for row in checked.rows:
        grades[str(row.grade)] = grades.get(str(row.grade), 0) + 1
        languages[row.language] = languages.get(row.language, 0) + 1
    sample = [
        {
            "name": " ".join(filter(None, (row.last_name, row.first_name, row.middle_name))),
            "grade": f"{row.grade}{row.class_letter}",
            "room": row.room,
            "language": row.language,
            "extra_minutes": row.extra_minutes,
            "external_id": row.external_id,
        }
        for row in checked.rows[:SAMPLE]
    ]
    return {
        "rows": total,
        "good": len(checked.rows),
        "error_total": len(checked.errors),
        "errors": [msgspec.to_builtins(error) for error in checked.errors[: rules.MOST_ERRORS]],
        "unusual_total": len(checked.unusual),
        "unusual": [msgspec.to_builtins(one) for one in checked.unusual[:MOST_UNUSUAL]],
        "schools": len({row.school_id for row in checked.rows}),
        "rooms": len({(row.school_id, row.room) for row in checked.rows if row.room}),
        "grades": grades,
        "languages": languages,
        "extra": sum(row.extra_minutes > 0 for row in checked.rows),
        "sample": sample,
    }


async def _record(db: Connection, job: Job, act: str, object_id: int, fact: dict[str, object]) -> None:
    await audit.record_for(
        db,
        staff_id=job.made_by,
        acting_as="job",
        address="-",
        act=act,
        kind="import",
        object_id=object_id,
        after=fact,
    )


WORK = {"import-check": check, "import-take": take}
