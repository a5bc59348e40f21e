"""The jobs of an import of persons: check every row; take the good ones in, all or none; take them out again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from portal.core import audit
from portal.core.accounts.structs import Scope
from portal.core.files import uploads
from portal.core.files.problems import FileUnreadable
from portal.core.files.reading import read_rows
from portal.core.files.rows import RowError
from portal.core.files.tables import Cell, Table, as_xlsx
from portal.core.i18n import N_, t
from portal.core.iin import keys_of
from portal.core.jobs.progress import RowProgress
from portal.core.scope import within
from portal.features.persons import rules, staging
from portal.features.persons.columns import with_fields
from portal.features.persons.fields import all_fields
from portal.features.persons.problems import NotReady

if TYPE_CHECKING:
    from portal.core.files.columns import Column
    from portal.core.files.reading import Row
    from portal.core.jobs import Context, Job

SAMPLE = 8
SHOWN_ERRORS = 200
MOST_UNUSUAL = 50
ID_TAKEN = N_("Somebody in the registry has this external id.")


async def check(context: Context) -> dict[str, Any]:
    """Read the file, check every row, stage the good ones, write the refused ones into a file with their reasons."""
    job = context.job
    body = await uploads.fetch(context.settings.objects, uploads.IMPORTS, job.payload["key"])
    if body is None:
        raise FileUnreadable
    scope = msgspec.convert(job.payload["scope"], Scope)
    project, role = job.payload["project"] or None, job.payload["role"] or None
    async with context.pool.acquire() as db:
        ground = await staging.ground_of(db, scope)
        fields = await all_fields(db, project) if project else []
    columns = with_fields(fields)
    total, lines = await asyncio.to_thread(read_rows, body, columns)
    kept: list[Row] = list(lines)
    progress = RowProgress(context, total)
    keys, today = keys_of(context.settings), datetime.now(UTC).date()
    good, errors, unusual = await asyncio.to_thread(
        rules.check_rows, kept, ground, fields, keys, today, progress.at_row
    )
    async with context.pool.acquire() as db, db.transaction():
        await db.execute("set local statement_timeout = 0")
        await staging.drop_staged(db, job.id)
        await staging.stage(db, job.id, good, project, role)
        taken = await staging.ids_taken(db, job.id)
        await staging.unstage(db, job.id, taken)
        twins = await staging.twins_of(db, job.id)
        errors += [RowError(row=number, column="external_id", seen="", message=ID_TAKEN) for number in sorted(taken)]
        refused = {error.row for error in errors}
        fact: dict[str, object] = {"rows": total, "refused": len(refused), "file": job.payload["name"]}
        await _record(db, job, "person.import.checked", job.id, fact)
    result: dict[str, Any] = {
        "rows": total,
        "good": len(good) - len(taken),
        "refused": len(refused),
        "twins": twins,
        "errors": [msgspec.to_builtins(error) for error in errors[:SHOWN_ERRORS]],
        "unusual_total": len(unusual),
        "unusual": [msgspec.to_builtins(one) for one in unusual[:MOST_UNUSUAL]],
        "titles": {column.code: column.title for column in columns},
        "sample": [_sample(row) for row in good[:SAMPLE]],
    }
    if refused:
        table = await asyncio.to_thread(_refused_file, kept, errors, columns)
        result["refused_key"] = await uploads.keep(context.settings.objects, uploads.IMPORTS, "persons", table)
    return result


async def take(context: Context) -> dict[str, Any]:
    """The staged rows become persons."""
    job = context.job
    check_id, scope = job.payload["check"], msgspec.convert(job.payload["scope"], Scope)
    async with context.pool.acquire() as db, within(db, scope):
        # 100 000 rows with their indexes take longer than a page may.
        await db.execute("set local statement_timeout = 0")
        # Two presses of the button are two jobs: the second finds the first done.
        await db.fetchval("select id from job where id = $1 for update", check_id)
        taken = await staging.take_staged(db, check_id, job.made_by)
        if taken == 0:
            raise NotReady
        await _record(db, job, "person.import.taken", check_id, {"rows": taken})
    async with context.pool.acquire() as db:
        await staging.settle_search(db)
    return {"taken": taken}


async def undo(context: Context) -> dict[str, Any]:
    """Whom an import brought goes again, if nobody has worked on him since."""
    job = context.job
    check_id, scope = job.payload["check"], msgspec.convert(job.payload["scope"], Scope)
    async with context.pool.acquire() as db, within(db, scope):
        await db.execute("set local statement_timeout = 0")
        await db.fetchval("select id from job where id = $1 for update", check_id)
        gone, left = await staging.undo_import(db, check_id)
        await _record(db, job, "person.import.undone", check_id, {"rows": gone, "left": left})
    return {"gone": gone, "left": left}


def _refused_file(rows: list[Row], errors: list[RowError], columns: tuple[Column, ...]) -> bytes:
    """The refused rows as they came, with what is needed beside them: to be corrected and sent again."""
    titles = {column.code: t(column.title) for column in columns}
    reasons: dict[int, list[str]] = {}
    for error in errors:
        said = f"{titles[error.column]}: {t(error.message, **error.values)}"
        reasons.setdefault(error.row, []).append(said)
    head = [*(t(column.title) for column in columns), t(N_("What is needed"))]
    lines: list[list[Cell]] = [
        [*(raw.get(column.code, "") for column in columns), " ".join(reasons[number])]
        for number, raw in rows
        if number in reasons
    ]
    return as_xlsx(Table(t(N_("Rows to correct")), head, lines))


def _sample(row: rules.Staged) -> dict[str, Any]:
    person = row.person
    return {
        "name": " ".join(filter(None, (person.last_name, person.first_name, person.middle_name))),
        "born": person.birth_date.isoformat(),
        "class": f"{'' if person.grade is None else person.grade}{person.class_letter}",
        "language": person.language,
        "external_id": person.external_id or "",
        "iin": row.sealed is not None,
    }


async def _record(db: Any, job: Job, act: str, object_id: int, fact: dict[str, object]) -> None:
    await audit.record_for(
        db, staff_id=job.made_by, acting_as="job", address="-", act=act, kind="import", object_id=object_id, after=fact
    )


WORK = {"persons-check": check, "persons-take": take, "persons-undo": undo}
