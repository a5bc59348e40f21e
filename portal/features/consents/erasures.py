"""What withdrawn consents fed: what waits to be erased, what is held, by what and until when, and what was done (SAFETY P6)."""

from __future__ import annotations

from datetime import timedelta

from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.consents import PURPOSES, erasing
from portal.core.consents.erasing import HELD_AS
from portal.core.db import Connection
from portal.core.files.rows import parse_day
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other

WHICH: dict[str, str] = {"waits": N_("waits"), "held": N_("held"), "done": N_("done")}
LONGEST_HOLD = timedelta(days=3 * 365)
NOT_DAY = N_("A day like 14.03.2015 is needed.")
NOT_LATER = N_("A day from today on, three years ahead at the most.")


@get("/erasures", guards=[allows("consent.erase")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """A page of one state."""
    return await _page(request, db, None)


@post("/erasures/{erasure_id:int}/hold", guards=[allows("consent.erase")])
async def hold(request: StaffRequest, db: Connection, erasure_id: int) -> Response[str]:
    """An appeal or a law holds it: which, until when, why."""
    actor = request.scope["user"]
    form = Form(await request.form())
    held_as, reason = form.choice("held_as", list(HELD_AS)), form.text("reason", most=300)
    until, today = parse_day(form.text("until")), readings.today()
    if until is None or not today <= until <= today + LONGEST_HOLD:
        form.miss("until", NOT_DAY if until is None else NOT_LATER)
    if form.errors or until is None:
        return await _page(request, db, form)
    async with acting(db, actor, "consent.erase"):
        found = await erasing.find(db, erasure_id)
        if found is None or found.done_at is not None:
            raise NotThere
        await erasing.hold(db, erasure_id, held_as, until, reason, actor.staff_id)
        fact: dict[str, object] = {"purpose": found.purpose, "held_as": held_as, "until": until.isoformat()}
        await audit.record(
            db, actor, "consent.erasure.held", kind="person", object_id=found.person_id, after=fact, reason=reason
        )
    return see_other("/erasures?which=held")


@post("/erasures/{erasure_id:int}/free", guards=[allows("consent.erase")])
async def free(request: StaffRequest, db: Connection, erasure_id: int) -> Response[str]:
    """Nothing holds it any more: it is erased when it is due."""
    actor = request.scope["user"]
    async with acting(db, actor, "consent.erase"):
        found = await erasing.find(db, erasure_id)
        if found is None or found.done_at is not None or found.held_as is None:
            raise NotThere
        await erasing.let_go(db, erasure_id)
        fact: dict[str, object] = {"purpose": found.purpose, "held_as": found.held_as}
        await audit.record(db, actor, "consent.erasure.freed", kind="person", object_id=found.person_id, before=fact)
    return see_other("/erasures")


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    which = picked(request, "which", WHICH, "waits")
    view = listing(request, ["due"], "due")
    actor = request.scope["user"]
    async with acting(db, actor, "consent.erase"):
        rows, total = await erasing.list_erasures(db, which, view.rows, view.offset)
        await readings.count(db, actor, "row", len(rows))
    return page(
        request,
        "consents/erasures.html",
        status=422 if form else 200,
        rows=rows,
        total=total,
        view=view,
        which=which,
        states=WHICH,
        purposes=PURPOSES,
        held_as=HELD_AS,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_list, hold, free]
