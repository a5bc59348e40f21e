"""Whose login it is: a login and its holder's row of the registry. From then on «own pupils» are the holder's."""

from __future__ import annotations

import asyncpg
from litestar import Response, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.pages import see_other
from portal.features.staff import queries

NOBODY = N_("There is no active person with this number or external id in your territory.")
TAKEN = N_("This person has another login already.")


@post("/staff/{staff_id:int}/person", guards=[allows("staff.edit")])
async def link(request: StaffRequest, db: Connection, staff_id: int) -> Response[str]:
    """Say which row of the registry is the holder's; empty: nobody's."""
    from portal.features.staff.routes import person_page

    actor = request.scope["user"]
    require_country(actor, "staff.edit")
    form = Form(await request.form())
    text = form.text("person", required=False, most=60)
    try:
        async with acting(db, actor, "staff.edit"):
            before = await queries.linked_person(db, staff_id)
            person_id = await queries.person_of_registry(db, text) if text else None
            if text and person_id is None:
                form.miss("person", NOBODY)
            elif person_id != before:
                if not await queries.link_person(db, staff_id, person_id):
                    raise NotThere
                await audit.record(
                    db,
                    actor,
                    "staff.person.linked",
                    kind="staff",
                    object_id=staff_id,
                    before={"person": before},
                    after={"person": person_id},
                )
    except asyncpg.UniqueViolationError:
        form.miss("person", TAKEN)
    if form.errors:
        return await person_page(request, db, staff_id, form.errors, status=422, values=form.values)
    return see_other(f"/staff/{staff_id}")


ROUTES = [link]
