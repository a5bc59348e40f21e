"""A person's history out of the audit trail: everybody sees his own; another's, who may read the trail."""

from __future__ import annotations

from litestar import Response, get

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.tables import export
from portal.core.i18n import N_, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page
from portal.features.audit import queries
from portal.features.audit.queries import Person
from portal.features.audit.routes import MOST_EXPORT, as_table, filters, shown


@get("/history", guards=[allows("own.account")])
async def mine(request: StaffRequest, db: Connection) -> Response[str]:
    """What I did, newest first."""
    return await _page(request, db, Person(request.scope["user"].staff_id, "by"), "/history", own=True)


@get("/history/export/{form:str}", guards=[allows("own.account")])
async def export_mine(request: StaffRequest, db: Connection, form: str) -> Response[bytes]:
    """The same as a file."""
    return await _export(request, db, Person(request.scope["user"].staff_id, "by"), form)


@get("/staff/{staff_id:int}/history", guards=[allows("audit.view")])
async def theirs(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """What a person did, or what was done to his login."""
    person = Person(staff_id, picked(request, "side", queries.SIDES, "by"))
    return await _page(request, db, person, f"/staff/{staff_id}/history", own=False)


@get("/staff/{staff_id:int}/history/export/{form:str}", guards=[allows("audit.view")])
async def export_theirs(request: StaffRequest, db: Connection, staff_id: int, form: str) -> Response[bytes]:
    """The same as a file."""
    return await _export(request, db, Person(staff_id, picked(request, "side", queries.SIDES, "by")), form)


async def _page(request: StaffRequest, db: Connection, person: Person, home: str, *, own: bool) -> Response[str]:
    name = await queries.name_of(db, person.staff_id)
    if name is None:
        raise NotThere
    act, kind, asked, since, until = filters(request)
    view = listing(request, ["id"], "id", rows=50)
    rows, total = await queries.records(
        db, act=act, kind=kind, words=asked, since=since, until=until, limit=view.rows, offset=view.offset, of=person
    )
    return page(
        request,
        "audit/history.html",
        whose=name,
        own=own,
        home=home,
        person=person,
        rows=rows,
        total=total,
        view=view,
        **shown(request),
    )


async def _export(request: StaffRequest, db: Connection, person: Person, form: str) -> Response[bytes]:
    if form not in {"csv", "xlsx"} or await queries.name_of(db, person.staff_id) is None:
        raise NotThere
    act, kind, asked, since, until = filters(request)
    rows, _ = await queries.records(
        db, act=act, kind=kind, words=asked, since=since, until=until, limit=MOST_EXPORT, offset=0, of=person
    )
    async with db.transaction():
        fact: dict[str, object] = {"rows": len(rows), "side": person.side}
        await audit.record(
            db, request.scope["user"], "account.history.exported", kind="staff", object_id=person.staff_id, after=fact
        )
    return export(as_table(t(N_("History")), rows), form)


ROUTES = [mine, export_mine, theirs, export_theirs]
