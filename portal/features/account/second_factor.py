"""The second proof besides the password: asked for after the sign-in of whoever has a role that needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, keys, present, second_factor, sessions
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.addresses import inside
from portal.core.ui.pages import page, see_other

if TYPE_CHECKING:
    from portal.core.accounts import Actor

WRONG = N_("This code does not fit. Wait for the next one; after five misses the app rests for five minutes.")


@get("/second-factor", guards=[allows("own.account", before_factor=True)])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """Asks for the app's code or a key; whoever has neither adds one here."""
    return await _page(request, db, Form.empty(), inside(request.query_params.get("next")))


@post("/second-factor/code", guards=[allows("own.account", before_factor=True)])
async def show_code(request: StaffRequest, db: Connection) -> Response[str]:
    """The app's code."""
    actor, form = request.scope["user"], Form(await request.form())
    code, target = form.text("code", most=20), inside(form.values.get("next"))
    async with db.transaction():
        known = await second_factor.has_app(db, actor.staff_id)
        fits = known and await second_factor.fits(
            db, actor.staff_id, request.app.state.settings, code, datetime.now(UTC)
        )
        act = "account.factor.shown" if fits else "account.factor.missed"
        await audit.record(db, actor, act, kind="staff", object_id=actor.staff_id, after={"by": "app"})
        if fits:
            await sessions.show_factor(db, actor.session, datetime.now(UTC))
    if fits:
        return see_other(target)
    form.miss("code", WRONG)
    return await _page(request, db, form, target)


@post("/second-factor/key", guards=[allows("own.account", before_factor=True)])
async def show_key(request: StaffRequest, db: Connection) -> Response[str]:
    """A touch of one of the person's security keys."""
    actor, form = request.scope["user"], Form(await request.form())
    async with db.transaction():
        key = await keys.confirm(db, actor, request.app.state.settings, form.values.get("credential", ""))
        await sessions.show_factor(db, actor.session, datetime.now(UTC))
        fact: dict[str, object] = {"by": "key", "key": key}
        await audit.record(db, actor, "account.factor.shown", kind="staff", object_id=actor.staff_id, after=fact)
    return see_other(inside(form.values.get("next")))


@post("/second-factor/app", guards=[allows("own.account", before_factor=True)])
async def add_app(request: StaffRequest, db: Connection) -> Response[str]:
    """The first code of a new app proves that the phone has learned the secret."""
    actor, form = request.scope["user"], Form(await request.form())
    await _require_may_add(db, actor)
    code, target = form.text("code", most=20), inside(form.values.get("next"))
    if not actor.wants_factor:
        await _require_password(db, actor, form)
    if not form.errors:
        now = datetime.now(UTC)
        async with db.transaction():
            fits = await second_factor.fits(db, actor.staff_id, request.app.state.settings, code, now)
            if fits:
                await sessions.show_factor(db, actor.session, now)
                await audit.record(db, actor, "account.app.added", kind="staff", object_id=actor.staff_id)
        if fits:
            return see_other(target)
        form.miss("code", WRONG)
    return await _page(request, db, form, target)


@post("/second-factor/new-key", guards=[allows("own.account", before_factor=True)])
async def add_first_key(request: StaffRequest, db: Connection) -> Response[str]:
    """A security key instead of the app; touching it to add it is the proof too."""
    actor, form = request.scope["user"], Form(await request.form())
    await _require_may_add(db, actor)
    name, target = form.text("name", most=60), inside(form.values.get("next"))
    if not actor.wants_factor:
        await _require_password(db, actor, form)
    if form.errors:
        return await _page(request, db, form, target)
    async with db.transaction():
        settings = request.app.state.settings
        key_id = await keys.add(db, actor, settings, form.values.get("credential", ""), name)
        await sessions.show_factor(db, actor.session, datetime.now(UTC))
        fact: dict[str, object] = {"key": key_id, "name": name}
        await audit.record(db, actor, "account.key.added", kind="staff", object_id=actor.staff_id, after=fact)
    return see_other(target)


@post("/account/app/remove", guards=[allows("own.account")])
async def remove_app(request: StaffRequest, db: Connection) -> Response[str]:
    """Forget the app, with the password; the next sign-in in a role that needs it asks to add one."""
    actor, form = request.scope["user"], Form(await request.form())
    await _require_password(db, actor, form)
    if form.errors:
        return await _page(request, db, form, "/account")
    async with db.transaction():
        if not await second_factor.remove_app(db, actor.staff_id):
            raise NotThere
        await audit.record(db, actor, "account.app.removed", kind="staff", object_id=actor.staff_id)
    return see_other("/account")


async def _require_may_add(db: Connection, actor: Actor) -> None:
    """Before the proof is shown only who has none may add one: else a stolen password would add its own."""
    has_app = await second_factor.has_app(db, actor.staff_id)
    if has_app or (actor.wants_factor and await keys.keys_of(db, actor.staff_id)):
        raise NotThere


async def _require_password(db: Connection, actor: Actor, form: Form) -> None:
    if not await present.fits(db, actor, form.values.get("present", "")):
        form.miss("present", present.NOT_PRESENT)


async def _page(request: StaffRequest, db: Connection, form: Form, target: str) -> Response[str]:
    actor, settings = request.scope["user"], request.app.state.settings
    has_app = await second_factor.has_app(db, actor.staff_id)
    own_keys = await keys.keys_of(db, actor.staff_id)
    may_add = not has_app and not (actor.wants_factor and own_keys)
    home = keys.origin(settings)
    return page(
        request,
        "account/second_factor.html",
        status=422 if form.errors else 200,
        errors=form.errors,
        next=target,
        has_app=has_app,
        keys=own_keys,
        enrolment=await second_factor.enrolment(db, actor, settings) if may_add else None,
        key_page="" if str(request.base_url).rstrip("/") == home else f"{home}/second-factor",
    )


ROUTES = [show, show_code, show_key, add_app, add_first_key, remove_app]
