"""Reading one's own notices. The bell in the frame asks here each minute."""

from __future__ import annotations

from litestar import Response, get, post

from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.notices import KINDS
from portal.core.permissions import allows
from portal.core.post.letters import shown
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.notices import queries


@get("/notices", guards=[allows("own.account")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Newest first."""
    actor = request.scope["user"]
    view = listing(request, ["id"], "id")
    kind, which = picked(request, "kind", KINDS), picked(request, "which", ["unread"])
    rows, total = await queries.notices_of(
        db, actor.staff_id, kind=kind, unread=which == "unread", limit=view.rows, offset=view.offset
    )
    wishes = await queries.wishes_of(db, actor.staff_id)
    return page(
        request,
        "notices/list.html",
        # Of a kind that a newer release told, an older one knows no text.
        rows=[row for row in rows if row.kind in KINDS],
        total=total,
        view=view,
        kind=kind,
        which=which,
        kinds=KINDS,
        shown=shown,
        by_mail={code: wishes.get(code, one.mail) for code, one in KINDS.items()},
        has_email=await queries.has_email(db, actor.staff_id),
        mail_on=bool(request.app.state.settings.mail_url),
    )


@get("/notices/bell", guards=[allows("own.account")])
async def bell(request: StaffRequest) -> Response[str]:
    """The bell alone, with its count."""
    return page(request, "_bell.html")


@post("/notices/{notice_id:int}/open", guards=[allows("own.account")])
async def open_one(request: StaffRequest, db: Connection, notice_id: int) -> Response[str]:
    """Read it, and go where it leads."""
    link = await queries.read_one(db, request.scope["user"].staff_id, notice_id)
    if link is None:
        raise NotThere
    return see_other(link)


@post("/notices/read", guards=[allows("own.account")])
async def read_all(request: StaffRequest, db: Connection) -> Response[str]:
    """All are read."""
    await queries.read_all(db, request.scope["user"].staff_id)
    return see_other("/notices")


@post("/notices/wishes", guards=[allows("own.account")])
async def keep_wishes(request: StaffRequest, db: Connection) -> Response[str]:
    """Which kinds come by mail too."""
    form = Form(await request.form())
    wished = form.choices("mail", KINDS)
    await queries.keep_wishes(db, request.scope["user"].staff_id, {code: code in wished for code in KINDS})
    return see_other("/notices")


ROUTES = [show_list, bell, open_one, read_all, keep_wishes]
