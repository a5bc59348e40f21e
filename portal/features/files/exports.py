"""A list on its way to be a file, and the file: for who asked for it, for seven days."""

from __future__ import annotations

import msgspec
from litestar import Response, get

from portal.core import audit, jobs
from portal.core.accounts import Scope, StaffRequest
from portal.core.db import Connection
from portal.core.files import uploads
from portal.core.files.exports import EXPORTS, FORMS, KIND, make
from portal.core.files.tables import download
from portal.core.i18n import t
from portal.core.permissions import allows
from portal.core.problems import NotThere, told
from portal.core.ui.pages import page


@get("/exports/{job_id:int}", guards=[allows("own.account")])
async def show(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """Progress, then the file."""
    job = await _own(request, db, job_id)
    export = EXPORTS[job.payload["export"]]
    return page(request, "files/export.html", job=job, title=t(export.title), sentence=told(job.result))


@get("/exports/{job_id:int}/file", guards=[allows("own.account")])
async def file(request: StaffRequest, db: Connection, job_id: int) -> Response[bytes]:
    """The file."""
    job = await _own(request, db, job_id)
    result = job.result or {}
    if job.state != "done" or "key" not in result:
        raise NotThere
    body = await uploads.fetch(request.app.state.settings.objects, uploads.EXPORTS, result["key"])
    if body is None:
        raise NotThere
    export = EXPORTS[job.payload["export"]]
    async with db.transaction():
        fact: dict[str, object] = {"list": export.code, "rows": result["rows"]}
        await audit.record(
            db, request.scope["user"], "person.list.exported", kind="person_list", object_id=job_id, after=fact
        )
    return download(body, f"{t(export.title)}.{job.payload['form']}", FORMS[job.payload["form"]][1])


async def _own(request: StaffRequest, db: Connection, job_id: int) -> jobs.Job:
    """His own job, as long as he may still have such lists, of the territory that it was made in."""
    actor, job = request.scope["user"], await jobs.find(db, job_id)
    if job is None or job.kind != KIND or job.made_by != actor.staff_id:
        raise NotThere
    permission = EXPORTS[job.payload["export"]].permission
    if not actor.may(permission) or not actor.scope(permission).covers(msgspec.convert(job.payload["scope"], Scope)):
        raise NotThere
    return job


WORK = {KIND: make}
ROUTES = [show, file]
