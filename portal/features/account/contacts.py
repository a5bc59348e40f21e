"""E-mail and phone of the own account. Who changes the e-mail types the present password: a session left open adds none."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import Actor, StaffRequest, contacts, links, present
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.ui.pages import page, see_other
from portal.features.account.routes import account_page

LONGEST_TOKEN = 100


@post("/account/email", guards=[allows("own.account")])
async def ask_email(request: StaffRequest, db: Connection) -> Response[str]:
    """A letter to the new address; it becomes the account's when its link is opened."""
    actor = request.scope["user"]
    form = Form(await request.form())
    email = contacts.as_email(form.values.get("email", ""))
    if email is None:
        form.miss("email", N_("An address like name@example.kz is needed, in Latin letters."))
    if not request.app.state.settings.mail_url:
        form.miss("email", N_("Mail is off here, so no link can be sent."))
    await _require_password(db, actor, form)
    if form.errors or email is None:
        return await account_page(request, db, form.errors, status=422)
    async with db.transaction():
        await contacts.send_link(db, actor, request.app.state.settings, email, datetime.now(UTC))
        await audit.record(db, actor, "account.email.asked", kind="staff", object_id=actor.staff_id)
    return see_other("/account?asked=1")


@get("/account/email", guards=[allows("own.account")])
async def show_link(request: StaffRequest, db: Connection) -> Response[str]:
    """Where the letter leads: one button. Opening a page changes nothing, for mail programs open links by themselves."""
    token = request.query_params.get("token", "")[:LONGEST_TOKEN]
    link = await links.find(db, "email", token)
    if link is None or link.staff_id != request.scope["user"].staff_id:
        raise contacts.LinkOver
    return page(
        request,
        "account/email.html",
        token=token,
        link=link,
        contacts=await contacts.contacts_of(db, link.staff_id),
        factors_go=await contacts.factors_go(db, request.scope["user"]),
    )


@post("/account/email/confirm", guards=[allows("own.account")])
async def confirm(request: StaffRequest, db: Connection) -> Response[str]:
    """The e-mail is the account's; all sessions end, also this one (SAFETY P3)."""
    actor = request.scope["user"]
    token = Form(await request.form()).values.get("token", "")[:LONGEST_TOKEN]
    async with db.transaction():
        before = (await contacts.contacts_of(db, actor.staff_id)).email
        link = await contacts.prove(db, actor, token, datetime.now(UTC))
        await audit.record(
            db,
            actor,
            "account.email.proven",
            kind="staff",
            object_id=actor.staff_id,
            before={"email": before},
            after={"email": link.email},
        )
    return see_other("/sign-in?said=email")


@post("/account/email/remove", guards=[allows("own.account")])
async def remove(request: StaffRequest, db: Connection) -> Response[str]:
    """Take it off; no letter comes any more."""
    actor = request.scope["user"]
    form = Form(await request.form())
    await _require_password(db, actor, form)
    if form.errors:
        return await account_page(request, db, form.errors, status=422)
    async with db.transaction():
        was = await contacts.remove_email(db, actor)
        if was is not None:
            await audit.record(
                db, actor, "account.email.removed", kind="staff", object_id=actor.staff_id, before={"email": was}
            )
    return see_other("/account")


@post("/account/phone", guards=[allows("own.account")])
async def change_phone(request: StaffRequest, db: Connection) -> Response[str]:
    """The number colleagues reach the person at; empty takes it off."""
    actor = request.scope["user"]
    form = Form(await request.form())
    typed = form.values.get("phone", "").strip()
    phone = contacts.as_phone(typed) if typed else ""
    if phone is None:
        form.miss("phone", N_("A number like +7 700 123 45 67 is needed."))
        return await account_page(request, db, form.errors, status=422)
    async with db.transaction():
        before = (await contacts.contacts_of(db, actor.staff_id)).phone
        await contacts.set_phone(db, actor.staff_id, phone)
        await audit.record(
            db,
            actor,
            "account.phone.changed",
            kind="staff",
            object_id=actor.staff_id,
            before={"phone": before},
            after={"phone": phone},
        )
    return see_other("/account")


async def _require_password(db: Connection, actor: Actor, form: Form) -> None:
    if not await present.fits(db, actor, form.values.get("email_present", "")):
        form.miss("email_present", present.NOT_PRESENT)


ROUTES = [ask_email, show_link, confirm, remove, change_phone]
