"""The import, step by step: template, upload, check, take in the good rows, or drop it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from portal.core import audit, jobs
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import uploads
from portal.core.files.tables import XLSX_TYPE, Table, download, export
from portal.core.i18n import N_, t
from portal.core.permissions import allows
from portal.core.problems import NotThere, told
from portal.core.ui.pages import page, see_other
from portal.features.persons import staging
from portal.features.persons.columns import with_fields
from portal.features.persons.fields import all_fields
from portal.features.persons.problems import FileErased, NotReady
from portal.features.persons.structs import PROJECTS, ROLES

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.core.files.tables import Cell
    from portal.core.jobs import Job


@get("/persons/import", guards=[allows("person.import")])
async def upload_page(request: StaffRequest, db: Connection) -> Response[str]:
    """Where the file goes, the columns, and this person's imports so far."""
    actor = request.scope["user"]
    project = request.query_params.get("project", "")
    fields = await all_fields(db, project) if project in PROJECTS else []
    return page(
        request,
        "persons/upload.html",
        columns=with_fields(fields),
        project=project if project in PROJECTS else "",
        projects=PROJECTS,
        roles=ROLES,
        done=await jobs.recent(db, made_by=actor.staff_id, kind="persons-check"),
    )


@get("/persons/import/template/{form:str}", guards=[allows("person.import")])
async def template(request: StaffRequest, db: Connection, form: str) -> Response[bytes]:
    """An empty list with one example, in the person's language; with a project, its own fields too."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    project = request.query_params.get("project", "")
    columns = with_fields(await all_fields(db, project) if project in PROJECTS else [])
    example: list[Cell] = [column.example for column in columns]
    return export(Table(t(N_("List of persons")), [t(column.title) for column in columns], [example]), form)


@post("/persons/import", guards=[allows("person.import")], request_max_body_size=(uploads.MOST_MB + 1) * 2**20)
async def upload(request: StaffRequest, db: Connection) -> Response[str]:
    """Keep the file and begin its check."""
    actor = request.scope["user"]
    name, body = await uploads.sent_file(request)
    project, _, role = str((await request.form()).get("part") or "").partition(":")
    if project and role not in ROLES.get(project, {}):
        raise NotThere
    key = await uploads.keep(request.app.state.settings.objects, uploads.IMPORTS, "persons", body)
    scope = msgspec.to_builtins(actor.scope("person.import"))
    payload = {"key": key, "name": name, "size": len(body), "scope": scope, "project": project, "role": role}
    async with db.transaction():
        job_id = await jobs.ask(db, "persons-check", sitting_id=None, made_by=actor.staff_id, payload=payload)
    await request.app.state.queues.send(job_id, "persons-check")
    return see_other(f"/persons/import/{job_id}")


@get("/persons/import/{job_id:int}", guards=[allows("person.import")])
async def preview(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """What the check found, and the buttons."""
    job = await _own_check(db, request.scope["user"], job_id)
    context: dict[str, Any] = {"taking": await _taking(db, job), "undoing": await _undoing(db, job)}
    return page(request, "persons/preview.html", job=job, sentence=told(job.result), **context)


@get("/persons/import/{job_id:int}/refused", guards=[allows("person.import")])
async def refused_file(request: StaffRequest, db: Connection, job_id: int) -> Response[bytes]:
    """The refused rows as a workbook, each with what is needed."""
    job = await _own_check(db, request.scope["user"], job_id)
    key = (job.result or {}).get("refused_key")
    if key is None:
        raise NotThere
    body = await uploads.fetch(request.app.state.settings.objects, uploads.IMPORTS, key)
    if body is None:
        raise FileErased
    return download(body, f"{t(N_('Rows to correct'))}.xlsx", XLSX_TYPE)


@post("/persons/import/{job_id:int}/take", guards=[allows("person.import")])
async def take(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """Take the good rows in, by a job."""
    actor = request.scope["user"]
    job = await _own_check(db, actor, job_id)
    taking = await _taking(db, job)
    if job.state != "done" or not (job.result or {}).get("good") or (taking and taking.state != "failed"):
        raise NotReady
    payload = {"check": job_id, "scope": job.payload["scope"]}
    async with db.transaction():
        take_id = await jobs.ask(db, "persons-take", sitting_id=None, made_by=actor.staff_id, payload=payload)
    await request.app.state.queues.send(take_id, "persons-take")
    return see_other(f"/persons/import/{job_id}")


@post("/persons/import/{job_id:int}/drop", guards=[allows("person.import")])
async def drop(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """Forget a checked list that was not taken in."""
    actor = request.scope["user"]
    await _own_check(db, actor, job_id)
    async with db.transaction():
        await staging.drop_staged(db, job_id)
        await audit.record(db, actor, "person.import.dropped", kind="import", object_id=job_id)
    return see_other("/persons/import")


@post("/persons/import/{job_id:int}/undo", guards=[allows("person.import")])
async def undo(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """Take out again whom this list brought, by a job."""
    actor = request.scope["user"]
    job = await _own_check(db, actor, job_id)
    taking = await _taking(db, job)
    if taking is None or taking.state != "done":
        raise NotReady
    payload = {"check": job_id, "scope": job.payload["scope"]}
    async with db.transaction():
        undo_id = await jobs.ask(db, "persons-undo", sitting_id=None, made_by=actor.staff_id, payload=payload)
    await request.app.state.queues.send(undo_id, "persons-undo")
    return see_other(f"/persons/import/{job_id}")


async def _undoing(db: Connection, job: Job) -> Job | None:
    """The newest job that takes this list's persons out again."""
    recent = await jobs.recent(db, made_by=job.made_by, kind="persons-undo")
    return next((one for one in recent if one.payload.get("check") == job.id), None)


async def _taking(db: Connection, job: Job) -> Job | None:
    """The newest job that takes this list in."""
    recent = await jobs.recent(db, made_by=job.made_by, kind="persons-take")
    return next((one for one in recent if one.payload.get("check") == job.id), None)


async def _own_check(db: Connection, actor: Actor, job_id: int) -> Job:
    """A check of this person's own: what stands in it is of his territory."""
    job = await jobs.find(db, job_id)
    if job is None or job.kind != "persons-check" or job.made_by != actor.staff_id:
        raise NotThere
    return job


ROUTES: list[Any] = [upload_page, template, upload, preview, refused_file, take, drop, undo]
