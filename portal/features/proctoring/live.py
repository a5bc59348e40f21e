"""Looking live at one child in one's hands: three minutes, no sound, seen by the child, on record before it begins (SAFETY R4)."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from infra.live_tickets import START_S, LiveClaims, sign
from infra.local import decode_key
from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.front import HEADERS
from portal.core.i18n import N_, t
from portal.core.permissions import allows
from portal.core.problems import NotThere, Problem
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import deeds
from portal.features.proctoring import live_queries as queries
from portal.features.proctoring.hands import here

if TYPE_CHECKING:
    from portal.features.proctoring.live_queries import LiveView

REASON_WITHIN = timedelta(minutes=10)
# The machines between bear two hundred for all proctors together.
MOST_AT_ONCE = 4
ENDS: dict[str, str] = {
    "proctor": N_("You ended it."),
    "phone": N_("The child's phone ended it: the camera went out or the page was left."),
    "thin-line": N_("The child's line is thin, and answers go first: the phone ended it."),
    "limit": N_("The three minutes are over."),
    "consent": N_("The consent to the camera was withdrawn: nobody may look any more."),
    "finished": N_("The child has handed in."),
    "no-answer": N_("The phone did not answer: its line is away, its camera is off, or the child wants none."),
    "viewer-left": N_("Your page was not heard of for ten seconds."),
    "phone-left": N_("The phone's line was lost."),
    "lost": N_("The machine between you and the phone was away. Ask once more."),
}


class LooksEnough(Problem):
    """One person's looks take no more places of the others."""

    code = "looks-enough"
    status = 409
    title = N_("You are looking live at several children already.")
    advice = N_("End one of these looks first: four at once are enough for one pair of eyes. Nothing was begun.")


@get("/watch/{attempt:int}/live", guards=[allows("watch.view")])
async def live(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """What a live look is, the button, and one's own looks at this child so far."""
    return await _asking(request, db, attempt, Form.empty())


@post("/watch/{attempt:int}/live", guards=[allows("watch.view")])
async def ask(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Ask the phone; a second look within ten minutes says why."""
    actor, settings = request.scope["user"], request.app.state.settings
    sitting_id = await here(request, db, attempt)
    form = Form(await request.form())
    reason = form.text("reason", required=await queries.seen_lately(db, attempt, REASON_WITHIN), most=300)
    over = await deeds.handed_in(db, attempt)
    if over or form.errors or not settings.live_urls or not await queries.allowed(db, attempt):
        return await _asking(request, db, attempt, form, status=422)
    async with db.transaction():
        if await queries.open_looks(db, actor.staff_id, attempt) >= MOST_AT_ONCE:
            raise LooksEnough
        forwarder = random.choice(settings.live_urls).rstrip("/")
        made = await queries.ask(
            db,
            sitting_id=sitting_id,
            attempt=attempt,
            staff_id=actor.staff_id,
            forwarder=forwarder,
            reason=reason,
        )
        if made is not None:
            fact: dict[str, object] = {"view": made}
            await audit.record(
                db, actor, "watch.live.asked", kind="participant", object_id=attempt, after=fact, reason=reason
            )
    return see_other(f"/watch/{attempt}/live/{made}" if made else f"/watch/{attempt}/live")


@get("/watch/{attempt:int}/live/{view_id:int}", guards=[allows("watch.view")])
async def look(request: StaffRequest, db: Connection, attempt: int, view_id: int) -> Response[str]:
    """The picture, with the viewer's name and the time over it, and how long it lasts."""
    actor, settings = request.scope["user"], request.app.state.settings
    await here(request, db, attempt)
    view = await _view(request, db, attempt, view_id)
    claims = LiveClaims("watch", view.id, attempt, int(time.time()) + START_S)
    told = _told(view)
    policy = HEADERS["content-security-policy"].replace("connect-src 'self'", f"connect-src 'self' {view.forwarder}")
    return page(
        request,
        "proctoring/live.html",
        headers={"content-security-policy": policy},
        attempt=attempt,
        number=attempt % 100_000,
        view=view,
        told=told,
        viewer=f"{actor.full_name} ({actor.login})",
        ticket="" if told["state"] == "ended" else sign(decode_key(settings.live_key), claims),
        used=t(N_("This look was opened in another window already. End it, and ask anew where it is needed.")),
        away=t(N_("No way to the machine between you and the phone. Its address or UDP may be shut on your network.")),
    )


@get("/watch/{attempt:int}/live/{view_id:int}/state", guards=[allows("watch.view")])
async def state(request: StaffRequest, db: Connection, attempt: int, view_id: int) -> dict[str, Any]:
    """How it stands, in words; asking keeps the child in one's hands."""
    await here(request, db, attempt)
    return _told(await _view(request, db, attempt, view_id))


@post("/watch/{attempt:int}/live/{view_id:int}/end", guards=[allows("watch.view")])
async def end(request: StaffRequest, db: Connection, attempt: int, view_id: int) -> Response[str]:
    """End it before its time; also who has lost the child meanwhile may."""
    actor = request.scope["user"]
    async with db.transaction():
        if await queries.end(db, view_id, attempt, actor.staff_id):
            fact: dict[str, object] = {"view": view_id}
            await audit.record(db, actor, "watch.live.ended", kind="participant", object_id=attempt, after=fact)
    return see_other(f"/watch/{attempt}/live")


async def _asking(
    request: StaffRequest, db: Connection, attempt: int, form: Form, *, status: int = 200
) -> Response[str]:
    actor, settings = request.scope["user"], request.app.state.settings
    await here(request, db, attempt)
    mine = await queries.views(db, attempt, actor.staff_id)
    now = datetime.now(UTC)
    return page(
        request,
        "proctoring/live_ask.html",
        status=status,
        attempt=attempt,
        number=attempt % 100_000,
        over=await deeds.handed_in(db, attempt),
        consent=await queries.allowed(db, attempt),
        there=bool(settings.live_urls),
        again=await queries.seen_lately(db, attempt, REASON_WITHIN),
        under_way=next((one for one in mine if one.over(now) is None), None),
        past=[(one, ENDS[why]) for one in mine if (why := one.over(now)) is not None],
        values=form.values,
        errors=form.errors,
    )


async def _view(request: StaffRequest, db: Connection, attempt: int, view_id: int) -> LiveView:
    found = await queries.view(db, view_id, attempt, request.scope["user"].staff_id)
    if found is None:
        raise NotThere
    return found


def _told(view: LiveView) -> dict[str, Any]:
    """How it stands: for the page as it is loaded, and for its script."""
    now = datetime.now(UTC)
    why = view.over(now)
    if why is not None:
        return {"state": "ended", "words": t(ENDS[why]), "left_s": None}
    if view.ends_at is not None:
        left_s = max(0, round((view.ends_at - now).total_seconds()))
        return {"state": "live", "words": t(N_("Live. The child reads that you are looking.")), "left_s": left_s}
    words = t(
        N_(
            "The phone is being asked. It answers with its next picture, within half a minute as a rule; you need not do anything."
        )
    )
    return {"state": "waiting", "words": words, "left_s": None}


ROUTES = [live, ask, look, state, end]
