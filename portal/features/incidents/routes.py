"""Telling the public of an incident, and that it is over. The status page shows it within some seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.ui.pages import local_input, page, see_other
from portal.features.incidents import queries

MOST_TEXT = 400
# A clock of the person's own may run a little ahead.
AHEAD = timedelta(minutes=5)
LONGEST_AGO = timedelta(days=7)


@get("/incidents", guards=[allows("incident.write")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """What the public reads now, and the form for something new."""
    return await _page(request, db, None)


@post("/incidents", guards=[allows("incident.write")])
async def tell(request: StaffRequest, db: Connection) -> Response[str]:
    """A message, on the status page from now on."""
    actor = request.scope["user"]
    require_country(actor, "incident.write")
    form = Form(await request.form())
    text = form.texts("text", most=MOST_TEXT)
    began_at = form.moment("began_at")
    now = datetime.now(UTC)
    if began_at is not None and not now - LONGEST_AGO <= began_at <= now + AHEAD:
        form.miss("began_at", N_("A time within the last seven days is needed."))
    if form.errors or began_at is None:
        return await _page(request, db, form)
    async with db.transaction():
        incident_id = await queries.insert(db, text, began_at, actor.staff_id)
        fact: dict[str, object] = {"text": text, "began_at": began_at}
        await audit.record(db, actor, "incident.incident.told", kind="incident", object_id=incident_id, after=fact)
    return see_other("/incidents")


@post("/incidents/{incident_id:int}/end", guards=[allows("incident.write")])
async def end(request: StaffRequest, db: Connection, incident_id: int) -> Response[str]:
    """It is over: the page shows it as solved for a day more."""
    actor = request.scope["user"]
    require_country(actor, "incident.write")
    async with db.transaction():
        if not await queries.end(db, incident_id, actor.staff_id):
            raise NotThere
        await audit.record(db, actor, "incident.incident.ended", kind="incident", object_id=incident_id)
    return see_other("/incidents")


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    require_country(request.scope["user"], "incident.write")
    return page(
        request,
        "incidents/list.html",
        status=422 if form else 200,
        rows=await queries.incidents(db),
        errors=form.errors if form else {},
        values=form.values if form else {"began_at": local_input(datetime.now(UTC))},
        status_url=request.app.state.settings.status_url,
    )


ROUTES = [show, tell, end]
