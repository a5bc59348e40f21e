"""«See as this role»: the person looks at the house with another role's eyes and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import audit, territory
from portal.core.accounts import StaffRequest, sessions
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows, require_country
from portal.core.permissions.roles import all_roles
from portal.core.ui.pages import page, see_other
from portal.features.staff.places import read_place

if TYPE_CHECKING:
    from portal.core.permissions.roles import Role

LONGEST = timedelta(minutes=30)
SEE_AS = "role.see-as"


@get("/see-as", guards=[allows(SEE_AS)])
async def choose(request: StaffRequest, db: Connection) -> Response[str]:
    """Which role, and where."""
    return await _page(request, db, Form.empty())


@post("/see-as", guards=[allows(SEE_AS)])
async def begin(request: StaffRequest, db: Connection) -> Response[str]:
    """From the next page on, for half an hour at most."""
    actor = request.scope["user"]
    require_country(actor, SEE_AS)
    form = Form(await request.form())
    role = form.choice("role", [one.code for one in await _roles(db, actor.project)])
    place = await read_place(db, form)
    if form.errors:
        return await _page(request, db, form)
    ends_at = datetime.now(UTC) + LONGEST
    seen: dict[str, object] = {"role": role, **msgspec.to_builtins(place)}
    async with db.transaction():
        await sessions.see_as(db, actor.session, seen, ends_at)
        fact: dict[str, object] = {**seen, "project": actor.project, "ends_at": ends_at.isoformat()}
        await audit.record(db, actor, "role.view.began", kind="role", object_id=role, after=fact)
    return see_other("/")


@post("/see-as/end", guards=[allows("own.account")])
async def end(request: StaffRequest, db: Connection) -> Response[str]:
    """The own eyes again."""
    actor = request.scope["user"]
    if actor.seen_as is not None:
        async with db.transaction():
            await sessions.see_as(db, actor.session, None, None)
            await audit.record(db, actor, "role.view.ended", kind="role", object_id=actor.seen_as.role)
    return see_other("/roles")


async def _roles(db: Connection, project: str) -> list[Role]:
    """Those that somebody may hold in this project."""
    return [one for one in await all_roles(db) if one.project in {None, project}]


async def _page(request: StaffRequest, db: Connection, form: Form) -> Response[str]:
    actor = request.scope["user"]
    require_country(actor, SEE_AS)
    return page(
        request,
        "staff/see_as.html",
        status=422 if form.errors else 200,
        roles=await _roles(db, actor.project),
        regions=await territory.regions(db),
        districts=await territory.districts(db),
        values={"role": request.query_params.get("role", "")} | form.values,
        errors=form.errors,
    )


ROUTES = [choose, begin, end]
