"""Webhooks: where events of a project go, and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit, outbound
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.machines import hooks
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.machines import queries

if TYPE_CHECKING:
    from portal.features.machines.queries import HookRow


@get("/hooks/new", guards=[allows("machine.edit")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The empty form."""
    require_country(request.scope["user"], "machine.edit")
    return await _form(request, db, Form.empty())


@post("/hooks/new", guards=[allows("machine.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A webhook; its page shows the secret this once."""
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    form, settings = Form(await request.form()), request.app.state.settings
    name, url = form.text("name", most=80), form.text("url", most=500)
    project = form.choice("project", [one.code for one in await projects(db)])
    kinds = form.choices("kinds", list(hooks.KINDS))
    if not kinds:
        form.miss("kinds", N_("Please choose at least one."))
    if "url" not in form.errors:
        try:
            outbound.require_askable(url, loopback=outbound.may_loop(settings))
        except outbound.OutboundRefused:
            form.miss("url", N_("An address of the internet that begins with https:// is needed."))
    if form.errors:
        return await _form(request, db, form)
    secret = hooks.draw_secret()
    async with db.transaction():
        hook_id = await queries.insert_hook(
            db,
            name=name,
            project=project,
            url=url,
            kinds=kinds,
            secret=hooks.seal(settings, secret),
            made_by=actor.staff_id,
        )
        fact: dict[str, object] = {"name": name, "project": project, "url": url, "kinds": kinds}
        await audit.record(db, actor, "machine.hook.made", kind="hook", object_id=hook_id, after=fact)
    return await _show(request, db, hook_id, secret=secret)


@get("/hooks/{hook_id:int}", guards=[allows("machine.view")])
async def show(request: StaffRequest, db: Connection, hook_id: int) -> Response[str]:
    """One webhook with its events."""
    require_country(request.scope["user"], "machine.view")
    return await _show(request, db, hook_id)


@post("/hooks/{hook_id:int}/switch", guards=[allows("machine.edit")])
async def switch(request: StaffRequest, db: Connection, hook_id: int) -> Response[str]:
    """Off, or on again."""
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    await _find(db, hook_id)
    async with db.transaction():
        on = await queries.switch_hook(db, hook_id)
        await audit.record(
            db,
            actor,
            "machine.hook.changed",
            kind="hook",
            object_id=hook_id,
            before={"on": not on},
            after={"on": on},
        )
    return see_other(f"/hooks/{hook_id}")


@post("/hooks/{hook_id:int}/ping", guards=[allows("machine.edit")])
async def ping(request: StaffRequest, db: Connection, hook_id: int) -> Response[str]:
    """Send an event that means nothing; the list shows what came back."""
    require_country(request.scope["user"], "machine.edit")
    await _find(db, hook_id)
    await hooks.ping(db, hook_id)
    return see_other(f"/hooks/{hook_id}")


@post("/hooks/{hook_id:int}/events/{delivery_id:int}/again", guards=[allows("machine.edit")])
async def again(request: StaffRequest, db: Connection, hook_id: int, delivery_id: int) -> Response[str]:
    """Deliver once more, at once."""
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    async with db.transaction():
        if not await queries.send_again(db, hook_id, delivery_id):
            raise NotThere
        await audit.record(
            db, actor, "machine.hook.again", kind="hook", object_id=hook_id, after={"delivery": delivery_id}
        )
    return see_other(f"/hooks/{hook_id}")


async def _find(db: Connection, hook_id: int) -> HookRow:
    found = await queries.hooks(db, hook_id)
    if not found:
        raise NotThere
    return found[0]


async def _form(request: StaffRequest, db: Connection, form: Form) -> Response[str]:
    return page(
        request,
        "machines/new_hook.html",
        status=422 if form.errors else 200,
        values=form.values,
        chosen=form.choices("kinds", list(hooks.KINDS)) if form.errors else list(hooks.KINDS),
        errors=form.errors,
        projects=await projects(db),
        kinds=hooks.KINDS,
    )


async def _show(request: StaffRequest, db: Connection, hook_id: int, *, secret: str = "") -> Response[str]:
    view = listing(request, {"-id"}, "-id")
    state = picked(request, "state", queries.STATES)
    rows, total = await queries.deliveries(db, hook_id, state, limit=view.rows, offset=view.offset)
    return page(
        request,
        "machines/hook.html",
        hook=await _find(db, hook_id),
        secret=secret,
        kinds=hooks.KINDS,
        rows=rows,
        total=total,
        view=view,
        state=state,
    )


ROUTES = [new, make, show, switch, ping, again]
