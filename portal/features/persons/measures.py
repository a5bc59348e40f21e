"""Who read how much of the registry today, and a second person's word that lets one read on (SAFETY P1)."""

from __future__ import annotations

from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other


@get("/persons/readings", guards=[allows("staff.edit")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """The day's readers."""
    return await _page(request, db, None)


@post("/persons/readings/{staff_id:int}/free", guards=[allows("staff.edit")])
async def free(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """Begin a person's measure anew; nobody his own."""
    actor = request.scope["user"]
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    if staff_id == actor.staff_id:
        raise NotThere
    if form.errors:
        return await _page(request, db, form)
    async with db.transaction():
        if not await readings.free(db, staff_id):
            raise NotThere
        await audit.record(db, actor, "reading.measure.freed", kind="staff", object_id=staff_id, reason=reason)
    return see_other("/persons/readings")


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    return page(
        request,
        "persons/readings.html",
        status=422 if form else 200,
        readers=await readings.readers(db),
        measures=readings.MEASURES,
        errors=form.errors if form else {},
    )


ROUTES = [show, free]
