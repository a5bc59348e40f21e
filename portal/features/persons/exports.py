"""Lists as files: asked for with a purpose, made by a job, named for their reader, kept for seven days (SAFETY P1)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from portal.core import audit, jobs, readings
from portal.core.accounts import StaffRequest
from portal.core.accounts.keys import confirm, keys_of
from portal.core.accounts.structs import Scope
from portal.core.db import Connection
from portal.core.files import uploads
from portal.core.files.paper import PDF_TYPE, as_pdf
from portal.core.files.tables import CSV_TYPE, XLSX_TYPE, Table, as_csv, as_xlsx, download
from portal.core.forms import Form
from portal.core.i18n import N_, number, t, when
from portal.core.permissions import allows
from portal.core.problems import NotThere, told
from portal.core.scope import acting, within
from portal.core.ui.pages import page, see_other
from portal.features.persons import queries
from portal.features.persons.columns import SHOWN
from portal.features.persons.problems import FileErased, TooMany
from portal.features.persons.routes import query_of, read_columns, read_filter
from portal.features.persons.structs import Filter

if TYPE_CHECKING:
    from portal.core.jobs import Context

FORMS = {"xlsx": (as_xlsx, XLSX_TYPE), "csv": (as_csv, CSV_TYPE), "pdf": (as_pdf, PDF_TYPE)}
# Memory of the job and patience of a spreadsheet; paper beyond this nobody reads.
MOST_ROWS = {"xlsx": 100_000, "csv": 200_000, "pdf": 2_000}
# SAFETY P1: above this many children a touch of the security key is asked for.
KEY_ABOVE = 500
BATCH = 2000


@get("/persons/export", guards=[allows("person.export")])
async def ask_page(request: StaffRequest, db: Connection) -> Response[str]:
    """How many they are, which columns, and what for."""
    return await _page(request, db, None)


@post("/persons/export", guards=[allows("person.export")])
async def ask(request: StaffRequest, db: Connection) -> Response[str]:
    """Begin the job."""
    actor = request.scope["user"]
    form = Form(await request.form())
    purpose, kind = form.text("purpose", most=200), form.choice("form", list(FORMS), "xlsx")
    wanted, columns = read_filter(request), read_columns(request)
    if form.errors:
        return await _page(request, db, form)
    async with acting(db, actor, "person.export") as scope:
        how_many = await count_all(db, wanted, scope, MOST_ROWS[kind] + 1)
        if how_many > MOST_ROWS[kind]:
            raise TooMany(most=number(MOST_ROWS[kind]))
        if how_many > KEY_ABOVE:
            await confirm(db, actor, request.app.state.settings, form.values.get("credential", ""))
        payload: dict[str, Any] = {
            "filter": msgspec.to_builtins(wanted),
            "columns": columns,
            "form": kind,
            "purpose": purpose,
            "scope": msgspec.to_builtins(actor.scope("person.export")),
            "reader": actor.full_name,
        }
        await readings.count(db, actor, "export", how_many)
        job_id = await jobs.ask(db, "persons-export", sitting_id=None, made_by=actor.staff_id, payload=payload)
        fact: dict[str, object] = {"rows": how_many, "form": kind, "filter": payload["filter"], "columns": columns}
        await audit.record(
            db, actor, "person.list.asked", kind="person_list", object_id=job_id, after=fact, reason=purpose
        )
    await request.app.state.queues.send(job_id, "persons-export")
    return see_other(f"/persons/export/{job_id}")


@get("/persons/export/{job_id:int}", guards=[allows("person.export")])
async def show(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """Progress, then the file."""
    job = await _own(request, db, job_id)
    return page(request, "persons/exported.html", job=job, sentence=told(job.result))


@get("/persons/export/{job_id:int}/file", guards=[allows("person.export")])
async def file(request: StaffRequest, db: Connection, job_id: int) -> Response[bytes]:
    """The file, for who asked for it."""
    job = await _own(request, db, job_id)
    result = job.result or {}
    if job.state != "done" or "key" not in result:
        raise NotThere
    body = await uploads.fetch(request.app.state.settings.objects, uploads.EXPORTS, result["key"])
    if body is None:
        raise FileErased
    async with db.transaction():
        fact: dict[str, object] = {"rows": result["rows"]}
        await audit.record(
            db, request.scope["user"], "person.list.exported", kind="person_list", object_id=job_id, after=fact
        )
    return download(body, f"{t(N_('Persons'))}.{job.payload['form']}", FORMS[job.payload["form"]][1])


async def count_all(db: Connection, wanted: Filter, scope: Scope, most: int) -> int:
    """How many fit the filter, up to a bound."""
    if wanted.words:
        return len(await queries.found_ids(db, wanted, most))
    where, given = queries.conditions(wanted, scope)
    return await db.fetchval(
        f"select count(*) from (select 1 from person p where {where} limit {most}) as bounded", *given
    )


async def make(context: Context) -> dict[str, Any]:
    """The job: rows by a cursor, within the asker's territory of the moment he asked."""
    job = context.job
    payload = job.payload
    wanted, asked = msgspec.convert(payload["filter"], Filter), msgspec.convert(payload["scope"], Scope)
    columns, kind, most = payload["columns"], payload["form"], MOST_ROWS[payload["form"]]
    rows: list[list[Any]] = []
    async with context.pool.acquire() as db, within(db, asked) as scope:
        await db.execute("set local statement_timeout = 0")
        total = await count_all(db, wanted, scope, most)
        if wanted.words:
            where, given = "p.id = any ($1::bigint[])", [await queries.found_ids(db, wanted, most)]
        else:
            where, given = queries.conditions(wanted, scope)
        sql = (
            f"select {queries.ROW} from person p {queries.PLACES} where {where} order by p.sort_name, p.id limit {most}"
        )
        async for record in db.cursor(sql, *given, prefetch=BATCH):
            row = queries.PersonRow(**record)
            rows.append([row.name, *(SHOWN[code][1](row) for code in columns)])
            if len(rows) % BATCH == 0:
                await context.progress(len(rows), total)
    note = t(
        N_("Made for {name}, {when}. Purpose: {purpose}. Rows: {rows}."),
        name=payload["reader"],
        when=when(datetime.now(UTC)),
        purpose=payload["purpose"],
        rows=number(len(rows)),
    )
    head = [t(N_("Name")), *(t(SHOWN[code][0]) for code in columns)]
    write = FORMS[kind][0]
    body = await asyncio.to_thread(write, Table(t(N_("Persons")), head, rows, note))
    key = await uploads.keep(context.settings.objects, uploads.EXPORTS, "persons", body)
    async with context.pool.acquire() as db, db.transaction():
        await audit.record_for(
            db,
            staff_id=job.made_by,
            acting_as="job",
            address="-",
            act="person.list.made",
            kind="person_list",
            object_id=job.id,
            after={"rows": len(rows), "form": kind},
            reason=payload["purpose"],
        )
    return {"key": key, "rows": len(rows), "size": len(body)}


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    wanted, columns = read_filter(request), read_columns(request)
    async with acting(db, actor, "person.export") as scope:
        how_many = await count_all(db, wanted, scope, queries.MOST + 1)
    return page(
        request,
        "persons/export.html",
        status=422 if form else 200,
        how_many=how_many,
        most=queries.MOST,
        key_above=KEY_ABOVE,
        has_key=bool(await keys_of(db, actor.staff_id)),
        columns=columns,
        shown=SHOWN,
        query=query_of(wanted, columns),
        errors=form.errors if form else {},
        values=form.values if form else {},
        done=await jobs.recent(db, made_by=actor.staff_id, kind="persons-export"),
    )


async def _own(request: StaffRequest, db: Connection, job_id: int) -> jobs.Job:
    job = await jobs.find(db, job_id)
    actor = request.scope["user"]
    if job is None or job.kind != "persons-export" or job.made_by != actor.staff_id:
        raise NotThere
    # Who has moved since he asked takes nothing of his old territory along.
    if not actor.scope("person.export").covers(msgspec.convert(job.payload["scope"], Scope)):
        raise NotThere
    return job


WORK = {"persons-export": make}
ROUTES = [ask_page, ask, show, file]
