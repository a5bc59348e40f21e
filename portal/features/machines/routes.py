"""Joined systems: made, stopped, let go on; the token is shown once. Webhooks have their own file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.machines.clients import TOKEN_LIVES, draw_token, hash_token
from portal.core.machines.hooks import KINDS
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other
from portal.features.machines import queries

if TYPE_CHECKING:
    from portal.features.machines.queries import ClientRow


@get("/machines", guards=[allows("machine.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Systems and webhooks, with how it goes."""
    require_country(request.scope["user"], "machine.view")
    return page(
        request,
        "machines/list.html",
        clients=await queries.clients(db),
        hooks=await queries.hooks(db),
        kinds=KINDS,
        now=datetime.now(UTC),
    )


@get("/machines/new", guards=[allows("machine.edit")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The empty form."""
    require_country(request.scope["user"], "machine.edit")
    return await _form(request, db, Form.empty())


@post("/machines/new", guards=[allows("machine.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A system; its page shows the token this once."""
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    form = Form(await request.form())
    known = await queries.givable(db)
    name = form.text("name", most=80)
    project = form.choice("project", list(known))
    roles = form.choices("roles", [code for roles in known.values() for code in roles])
    if any(role not in known.get(project, {}) for role in roles):
        form.miss("roles", N_("Only roles of the chosen project."))
    if form.errors:
        return await _form(request, db, form)
    token, ends_at = draw_token(), datetime.now(UTC) + TOKEN_LIVES
    async with db.transaction():
        client_id = await queries.insert_client(
            db,
            name=name,
            project=project,
            roles=sorted(roles),
            token_hash=hash_token(token),
            ends_at=ends_at,
            made_by=actor.staff_id,
        )
        fact: dict[str, object] = {"name": name, "project": project, "roles": sorted(roles)}
        await audit.record(db, actor, "machine.client.made", kind="machine", object_id=client_id, after=fact)
    return await _show(request, db, client_id, token=token)


@get("/machines/{client_id:int}", guards=[allows("machine.view")])
async def show(request: StaffRequest, db: Connection, client_id: int) -> Response[str]:
    """One system."""
    require_country(request.scope["user"], "machine.view")
    return await _show(request, db, client_id)


@post("/machines/{client_id:int}/token", guards=[allows("machine.edit")])
async def renew_token(request: StaffRequest, db: Connection, client_id: int) -> Response[str]:
    """Another token; the old one is dead at once."""
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    await _find(db, client_id)
    token = draw_token()
    async with db.transaction():
        await queries.set_token(db, client_id, hash_token(token), datetime.now(UTC) + TOKEN_LIVES)
        await audit.record(db, actor, "machine.token.drawn", kind="machine", object_id=client_id)
    return await _show(request, db, client_id, token=token)


@post("/machines/{client_id:int}/stop", guards=[allows("machine.edit")])
async def stop(request: StaffRequest, db: Connection, client_id: int) -> Response[str]:
    """Its requests are refused from now on."""
    return await _stop_or_free(request, db, client_id, "stop")


@post("/machines/{client_id:int}/free", guards=[allows("machine.edit")])
async def free(request: StaffRequest, db: Connection, client_id: int) -> Response[str]:
    """A person looked at what it did, and lets it go on."""
    return await _stop_or_free(request, db, client_id, "free")


async def _stop_or_free(request: StaffRequest, db: Connection, client_id: int, do: str) -> Response[str]:
    actor = request.scope["user"]
    require_country(actor, "machine.edit")
    await _find(db, client_id)
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    if form.errors:
        return await _show(request, db, client_id, form=form)
    async with db.transaction():
        done = await (queries.stop_client if do == "stop" else queries.free_client)(db, client_id)
        if done:
            act = "machine.client.stopped" if do == "stop" else "machine.client.freed"
            await audit.record(db, actor, act, kind="machine", object_id=client_id, reason=reason)
    return see_other(f"/machines/{client_id}")


async def _find(db: Connection, client_id: int) -> ClientRow:
    found = await queries.clients(db, client_id)
    if not found:
        raise NotThere
    return found[0]


async def _form(request: StaffRequest, db: Connection, form: Form) -> Response[str]:
    return page(
        request,
        "machines/new.html",
        status=422 if form.errors else 200,
        values=form.values,
        chosen=form.choices("roles", []) if form.errors else [],
        errors=form.errors,
        projects=await projects(db),
        givable=await queries.givable(db),
    )


async def _show(
    request: StaffRequest, db: Connection, client_id: int, *, token: str = "", form: Form | None = None
) -> Response[str]:
    client = await _find(db, client_id)
    known = await queries.givable(db)
    names: dict[str, Any] = known.get(client.project, {})
    return page(
        request,
        "machines/show.html",
        status=422 if form and form.errors else 200,
        client=client,
        names=names,
        token=token,
        address=f"{request.url.scheme}://{request.url.netloc}/scim/v2",
        values=form.values if form else {},
        errors=form.errors if form else {},
        now=datetime.now(UTC),
    )


ROUTES = [show_list, new, make, show, renew_token, stop, free]
