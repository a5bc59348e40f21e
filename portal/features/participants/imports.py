"""The import, step by step: template, upload, check, take in, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from portal.core import acts, audit, jobs
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import uploads
from portal.core.files.tables import Cell, Table, export
from portal.core.forms import Form
from portal.core.i18n import N_, number, t
from portal.core.permissions import allows
from portal.core.problems import NotThere, told
from portal.core.sittings import find_head
from portal.core.ui.pages import page, see_other
from portal.features.participants import queries, rules
from portal.features.participants.columns import BY_CODE, COLUMNS
from portal.features.participants.jobs import take_in
from portal.features.participants.problems import AlreadyBegun, NotChecked, SittingOver
from portal.features.participants.routes import room

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor
    from portal.core.jobs import Job
    from portal.core.sittings import SittingHead


@get("/sittings/{sitting_id:int}/import", guards=[allows("participant.import")])
async def upload_page(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Where the file goes, and the imports so far."""
    actor = request.scope["user"]
    head = await _open_head(db, actor, sitting_id)
    context: dict[str, Any] = {
        "columns": COLUMNS,
        "done": await jobs.recent(db, sitting_id=sitting_id, kind="import-check"),
    }
    return page(request, "participants/upload.html", **context, **room(actor, head))


@get("/imports/template/{form:str}", guards=[allows("participant.import")])
async def template(form: str) -> Response[bytes]:
    """An empty list with one example, in the person's language."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    example: list[Cell] = [column.example for column in COLUMNS]
    return export(Table(t(N_("List of pupils")), [t(column.title) for column in COLUMNS], [example]), form)


@post(
    "/sittings/{sitting_id:int}/import",
    guards=[allows("participant.import")],
    request_max_body_size=(uploads.MOST_MB + 1) * 2**20,
)
async def upload(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Keep the file and begin its check."""
    actor = request.scope["user"]
    await _open_head(db, actor, sitting_id)
    name, body = await uploads.sent_file(request)
    key = await uploads.keep(request.app.state.settings.objects, uploads.IMPORTS, str(sitting_id), body)
    scope = msgspec.to_builtins(actor.scope("participant.import"))
    payload = {"key": key, "name": name, "size": len(body), "scope": scope}
    async with db.transaction():
        job_id = await jobs.ask(db, "import-check", sitting_id=sitting_id, made_by=actor.staff_id, payload=payload)
    await request.app.state.queues.send(job_id, "import-check")
    return see_other(f"/sittings/{sitting_id}/import/{job_id}")


@get("/sittings/{sitting_id:int}/import/{job_id:int}", guards=[allows("participant.import")])
async def preview(request: StaffRequest, db: Connection, sitting_id: int, job_id: int) -> Response[str]:
    """What the check found: every bad row, or a preview and the button."""
    actor = request.scope["user"]
    head = await _open_head(db, actor, sitting_id)
    job = await _own_check(db, actor, sitting_id, job_id)
    taken = [
        other
        for other in await jobs.recent(db, sitting_id=sitting_id, kind="import-take")
        if other.payload.get("check") == job_id
    ]
    return page(
        request,
        "participants/preview.html",
        job=job,
        sentence=told(job.result),
        taking=taken[0] if taken else None,
        titles={code: column.title for code, column in BY_CODE.items()},
        alone=rules.may_change(head, head.now()),
        **room(actor, head),
    )


@get("/sittings/{sitting_id:int}/import/{job_id:int}/errors", guards=[allows("participant.import")])
async def errors_file(request: StaffRequest, db: Connection, sitting_id: int, job_id: int) -> Response[bytes]:
    """The bad rows as a workbook, to be corrected beside the list."""
    job = await _own_check(db, request.scope["user"], sitting_id, job_id)
    head = [N_("Row"), N_("Column"), N_("We saw"), N_("What is needed")]
    lines = [
        [error["row"], t(BY_CODE[error["column"]].title), error["seen"], t(error["message"], **error["values"])]
        for error in (job.result or {}).get("errors", [])
    ]
    return export(Table(t(N_("Rows to correct")), [t(name) for name in head], lines), "xlsx")


@post("/sittings/{sitting_id:int}/import/{job_id:int}/take", guards=[allows("participant.import")])
async def take(request: StaffRequest, db: Connection, sitting_id: int, job_id: int) -> Response[str]:
    """Take all rows in: by a job; after the start by a second person's word (SAFETY J5)."""
    actor = request.scope["user"]
    form = Form(await request.form())
    head = await _open_head(db, actor, sitting_id)
    job = await _own_check(db, actor, sitting_id, job_id)
    result = job.result or {}
    if job.state != "done" or result.get("error_total") or not result.get("good"):
        raise NotChecked
    if not rules.may_change(head, head.now()):
        async with db.transaction():
            await acts.ask(
                db,
                actor,
                LATE_IMPORT.code,
                sitting_id=sitting_id,
                payload={"check": job_id, "regions": head.regions},
                before={N_("Pupils"): number(len(await queries.external_ids(db, sitting_id)))},
                after={N_("Pupils to be added after the start"): number(result["good"])},
                reason=form.text("reason"),
            )
        return see_other("/acts?asked=1")
    async with db.transaction():
        take_id = await jobs.ask(
            db, "import-take", sitting_id=sitting_id, made_by=actor.staff_id, payload={"check": job_id}
        )
    await request.app.state.queues.send(take_id, "import-take")
    return see_other(f"/sittings/{sitting_id}/import/{job_id}")


@post("/sittings/{sitting_id:int}/import/{job_id:int}/drop", guards=[allows("participant.import")])
async def drop(request: StaffRequest, db: Connection, sitting_id: int, job_id: int) -> Response[str]:
    """Forget a checked import that was not taken in."""
    actor = request.scope["user"]
    await _own_check(db, actor, sitting_id, job_id)
    async with db.transaction():
        await queries.drop_staged(db, job_id)
        fact: dict[str, object] = {"sitting_id": str(sitting_id)}
        await audit.record(db, actor, "participant.import.dropped", kind="import", object_id=job_id, after=fact)
    return see_other(f"/sittings/{sitting_id}/import")


@post("/sittings/{sitting_id:int}/import/{job_id:int}/undo", guards=[allows("participant.import")])
async def undo(request: StaffRequest, db: Connection, sitting_id: int, job_id: int) -> Response[str]:
    """Delete what an import brought, before the start and before anyone signed in."""
    actor = request.scope["user"]
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("participant.import"), lock=True)
        await _own_check(db, actor, sitting_id, job_id)
        if not rules.may_change(head, head.now()):
            raise AlreadyBegun
        await db.execute("set local statement_timeout = 0")
        gone = await queries.undo_import(db, sitting_id, job_id)
        if gone is None:
            raise AlreadyBegun
        fact: dict[str, object] = {"sitting_id": str(sitting_id), "rows": gone}
        await audit.record(db, actor, "participant.import.undone", kind="import", object_id=job_id, after=fact)
    return see_other(f"/sittings/{sitting_id}/import")


async def _perform_late(db: Connection, _actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    job = await jobs.find(db, act.payload["check"])
    if job is None:
        raise NotThere
    await take_in(db, msgspec.structs.replace(job, made_by=act.made_by), job.id)


LATE_IMPORT = acts.register(
    acts.Act("participant.import-late", N_("Take in pupils after the start"), "participant.import", _perform_late)
)


async def _open_head(db: Connection, actor: Actor, sitting_id: int) -> SittingHead:
    head = await find_head(db, sitting_id, actor.scope("participant.import"))
    if head.state not in {"draft", "published"}:
        raise SittingOver
    return head


async def _own_check(db: Connection, actor: Actor, sitting_id: int, job_id: int) -> Job:
    """A check of this sitting, by the person himself or by one whose territory lies within his."""
    job = await jobs.find(db, job_id)
    if job is None or job.kind != "import-check" or job.sitting_id != sitting_id:
        raise NotThere
    if job.made_by != actor.staff_id and not actor.scope("participant.import").country:
        raise NotThere
    return job


ROUTES = [upload_page, template, upload, preview, errors_file, take, drop, undo]
