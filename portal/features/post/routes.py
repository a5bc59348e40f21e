"""The outbox's page, for those who keep the house running. It tells to whom and how it went, never what was written."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.permissions import allows, require_country
from portal.core.post import LETTERS
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.post import queries


@get("/outbox", guards=[allows("post.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Newest first, unless asked otherwise."""
    require_country(request.scope["user"], "post.view")
    view = listing(request, queries.ORDERS, "-id")
    state, channel = picked(request, "state", queries.STATES), picked(request, "channel", queries.CHANNELS)
    kind, asked = picked(request, "kind", LETTERS), words(request)
    rows, total = await queries.letters(
        db,
        state=state,
        channel=channel,
        kind=kind,
        words=asked,
        sort=view.sort,
        limit=view.rows,
        offset=view.offset,
    )
    settings = request.app.state.settings
    return page(
        request,
        "post/list.html",
        rows=rows,
        total=total,
        view=view,
        state=state,
        channel=channel,
        kind=kind,
        words=asked,
        counts=await queries.by_state(db),
        letters=LETTERS,
        mail_on=bool(settings.mail_url),
        sms_on=bool(settings.sms_url),
        now=datetime.now(UTC),
    )


@post("/outbox/{post_id:int}/again", guards=[allows("post.resend")])
async def again(request: StaffRequest, db: Connection, post_id: int) -> Response[str]:
    """Try once more, at once."""
    actor = request.scope["user"]
    require_country(actor, "post.resend")
    async with db.transaction():
        said = await queries.send_again(db, post_id)
        if said is None:
            raise NotThere
        await audit.record(db, actor, "post.letter.again", kind="post", object_id=post_id, before={"said": said})
    return see_other("/outbox")


ROUTES = [show_list, again]
