"""A forgotten password, by mail (SAFETY P3): nobody learns which logins exist, and the link alone signs nobody in."""

from __future__ import annotations

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, links, set_password
from portal.core.accounts.contacts import LinkOver
from portal.core.accounts.resets import ask
from portal.core.accounts.strength import require_strong
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import public
from portal.core.ui.pages import page, see_other
from portal.features.account import queries

LONGEST_TOKEN = 100


@get("/forgotten", guards=[public])
async def show(request: StaffRequest) -> Response[str]:
    """Login or e-mail."""
    return _page(request)


@post("/forgotten", guards=[public])
async def send(request: StaffRequest, db: Connection) -> Response[str]:
    """The same answer and the same work, whether there is such a login or not: the worker looks later."""
    if not _on(request):
        return _page(request)
    form = Form(await request.form())
    typed = form.text("login", most=254)
    if form.errors:
        return _page(request, form)
    async with db.transaction():
        await ask(db, typed, request.scope["user"].address)
    return see_other("/forgotten?sent=1")


@get("/forgotten/new", guards=[public])
async def show_new(request: StaffRequest, db: Connection) -> Response[str]:
    """Where the letter leads."""
    token = request.query_params.get("token", "")[:LONGEST_TOKEN]
    if await links.find(db, "password", token) is None:
        raise LinkOver
    return page(request, "account/forgotten_new.html", token=token, errors={})


@post("/forgotten/new", guards=[public])
async def set_new(request: StaffRequest, db: Connection) -> Response[str]:
    """A new password by the link, once; all sessions and other links end. Keys stay: the second factor is asked as before."""
    form = Form(await request.form())
    token, new = form.values.get("token", "")[:LONGEST_TOKEN], form.values.get("new", "")
    link = await links.find(db, "password", token)
    if link is None:
        raise LinkOver
    require_strong(form, "new", new, *await queries.own_words(db, link.staff_id))
    if form.errors:
        return page(request, "account/forgotten_new.html", status=422, token=token, errors=form.errors)
    async with db.transaction():
        if not await links.use(db, "password", token, link.staff_id):
            raise LinkOver
        await set_password(db, link.staff_id, new)
        await audit.record_for(
            db,
            staff_id=link.staff_id,
            acting_as="-",
            address=request.scope["user"].address,
            act="account.reset.done",
            kind="staff",
            object_id=link.staff_id,
        )
    return see_other("/sign-in?said=password")


def _page(request: StaffRequest, form: Form | None = None) -> Response[str]:
    return page(
        request,
        "account/forgotten.html",
        status=422 if form else 200,
        errors=form.errors if form else {},
        login=form.values.get("login", "") if form else "",
        sent="sent" in request.query_params,
        mail_on=_on(request),
    )


def _on(request: StaffRequest) -> bool:
    """Whether anything can be sent."""
    settings = request.app.state.settings
    return bool(settings.mail_url or settings.sms_url)


ROUTES = [show, send, show_new, set_new]
