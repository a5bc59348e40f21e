"""A raised session: nobody is a superuser all day. It has a reason, an end, and a line on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, sessions
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.addresses import inside
from portal.core.ui.pages import page, see_other

if TYPE_CHECKING:
    from portal.core.accounts import Actor

# Long enough for what a person set out to do, too short to forget; whoever needs more writes a new reason.
MINUTES = ("15", "30", "60")


@get("/raise", guards=[allows("own.account")])
async def show(request: StaffRequest) -> Response[str]:
    """The form, or the one that goes on."""
    return _page(request, Form.empty(), inside(request.query_params.get("next")))


@post("/raise", guards=[allows("own.account")])
async def begin(request: StaffRequest, db: Connection) -> Response[str]:
    """Begin, with a reason that the trail keeps."""
    actor, form = request.scope["user"], Form(await request.form())
    _require_may(actor)
    reason, minutes = form.text("reason", most=200), form.choice("minutes", MINUTES, "30")
    target = inside(form.values.get("next"))
    if form.errors:
        return _page(request, form, target)
    ends_at = datetime.now(UTC) + timedelta(minutes=int(minutes))
    async with db.transaction():
        await sessions.raise_session(db, actor.session, reason, ends_at)
        fact: dict[str, object] = {"minutes": int(minutes), "ends_at": ends_at.isoformat()}
        await audit.record(
            db, actor, "account.raise.began", kind="staff", object_id=actor.staff_id, after=fact, reason=reason
        )
    return see_other(target)


@post("/raise/end", guards=[allows("own.account")])
async def end(request: StaffRequest, db: Connection) -> Response[str]:
    """End it by hand."""
    actor = request.scope["user"]
    async with db.transaction():
        if await sessions.lower_session(db, actor.session):
            await audit.record(db, actor, "account.raise.ended", kind="staff", object_id=actor.staff_id)
    return see_other("/")


def _require_may(actor: Actor) -> None:
    if not actor.may_raise:
        raise NotThere


def _page(request: StaffRequest, form: Form, target: str) -> Response[str]:
    _require_may(request.scope["user"])
    return page(
        request,
        "account/raise.html",
        status=422 if form.errors else 200,
        errors=form.errors,
        values=form.values,
        minutes=MINUTES,
        next=target,
    )


ROUTES = [show, begin, end]
