"""The IIN: a person found by a whole one, and one seen in full; each time counted and on record (SAFETY P5).

Both are POST: a number in an address would lie in logs and histories.
"""

from __future__ import annotations

from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.iin import keys_of, parse
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.pages import page, see_other
from portal.features.persons import queries
from portal.features.persons.cards import card


@get("/persons/iin", guards=[allows("person.iin")])
async def ask(request: StaffRequest) -> Response[str]:
    """The form."""
    return page(request, "persons/iin.html", errors={}, found=None)


@post("/persons/iin", guards=[allows("person.iin")])
async def search(request: StaffRequest, db: Connection) -> Response[str]:
    """Whoever has this number within the territory; one leads to his card, none and several to the page."""
    actor = request.scope["user"]
    form = Form(await request.form())
    iin = parse(form.text("iin", most=40))
    if isinstance(iin, str):
        form.miss("iin", iin)
        return page(request, "persons/iin.html", status=422, errors=form.errors, found=None)
    blind = keys_of(request.app.state.settings).blind(iin)
    async with acting(db, actor, "person.iin"):
        await readings.count(db, actor, "iin")
        ids = await queries.by_iin(db, blind)
        fact: dict[str, object] = {"found": len(ids)}
        # By the persons found, never by the number.
        for person_id in ids or ["-"]:
            await audit.record(db, actor, "person.iin.searched", kind="person", object_id=person_id, after=fact)
        found = [await queries.find_person(db, person_id) for person_id in ids]
    if len(found) == 1:
        return see_other(f"/persons/{found[0].id}")
    return page(request, "persons/iin.html", errors={}, found=found)


@post("/persons/{person_id:int}/iin", guards=[allows("person.iin")])
async def reveal(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The number in full, on this one page, for a reason that stands on record."""
    actor = request.scope["user"]
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    async with acting(db, actor, "person.iin"):
        person = await queries.find_person(db, person_id)
        if person.sealed is None or person.blind is None:
            raise NotThere
        if not form.errors:
            await readings.count(db, actor, "iin")
            await audit.record(db, actor, "person.iin.shown", kind="person", object_id=person_id, reason=reason)
    if form.errors:
        return await card(request, db, person_id, errors=form)
    digits = keys_of(request.app.state.settings).open(person.sealed, person.blind)
    return await card(request, db, person_id, iin=digits)


ROUTES = [ask, search, reveal]
