"""The wall, one child, his pictures, a verdict, the review. Every look is written down before it is given (SAFETY R4)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import find_head
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import queries, reaching
from portal.features.proctoring.structs import EVENTS, KINDS, REASONS

if TYPE_CHECKING:
    from portal.core.sittings import SittingHead

FINE_FOR = timedelta(minutes=10)
MOST_AT_ONCE = 50


@get("/sittings/{sitting_id:int}/wall", guards=[allows("watch.view")])
async def wall(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The children in one's hands, the riskiest first; it renews itself."""
    head = await _head(request, db, sitting_id)
    staff_id = request.scope["user"].staff_id
    await queries.still_here(db, sitting_id, staff_id)
    hide = request.query_params.get("quiet") == "hide"
    tiles = await queries.tiles(db, sitting_id, staff_id, _now_ms())
    now = datetime.now(UTC)
    quiet = [one for one in tiles if one.fine_until and one.fine_until > now and not one.tone]
    return page(
        request,
        "proctoring/wall.html",
        sitting=head,
        watched=await queries.watched(db, sitting_id),
        tiles=[one for one in tiles if not (hide and one in quiet)],
        quiet=len(quiet),
        hide=hide,
        waiting=await queries.free_children(db, sitting_id),
        counts={state: sum(one.state == state for one in tiles) for state in ("writing", "silent")},
        flagged=sum(bool(one.tone) for one in tiles),
        events=EVENTS,
        kinds=KINDS,
        most=MOST_AT_ONCE,
    )


@post("/sittings/{sitting_id:int}/wall/take", guards=[allows("watch.view")])
async def take(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Take the riskiest that nobody holds."""
    await _head(request, db, sitting_id)
    form, actor = Form(await request.form()), request.scope["user"]
    how_many = form.integer("how_many", least=1, most=MOST_AT_ONCE, default=10)
    if not form.errors:
        async with db.transaction():
            got = await queries.take(db, sitting_id, actor.staff_id, actor.own_school_id, how_many)
            fact: dict[str, object] = {"children": got}
            await audit.record(db, actor, "watch.children.taken", kind="sitting", object_id=sitting_id, after=fact)
    return see_other(f"/sittings/{sitting_id}/wall")


@post("/sittings/{sitting_id:int}/wall/back", guards=[allows("watch.view")])
async def give_back(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The shift ends: the children go to the next who takes them."""
    await _head(request, db, sitting_id)
    actor = request.scope["user"]
    async with db.transaction():
        await queries.give_back(db, sitting_id, actor.staff_id)
        await audit.record(db, actor, "watch.children.given-back", kind="sitting", object_id=sitting_id)
    return see_other(f"/sittings/{sitting_id}/wall")


@get("/watch/{attempt:int}", guards=[allows("watch.view")])
async def child(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """One child: pictures and events on one axis, what was said of him."""
    return await _child(request, db, attempt, Form.empty())


@get("/watch/{attempt:int}/pictures/{seq:int}", guards=[allows("watch.view")])
async def picture(request: StaffRequest, db: Connection, attempt: int, seq: int) -> Response[bytes]:
    """One picture with the viewer's name and the time in it; the look is on record first."""
    actor, settings = request.scope["user"], request.app.state.settings
    sitting_id = await queries.holds(db, attempt, actor.staff_id)
    at = request.query_params.get("at", "")
    if sitting_id is None or not (at.isascii() and at.isdigit() and len(at) < 16):
        raise NotThere
    await queries.look(db, actor.staff_id, sitting_id, attempt, seq)
    small = "1" if request.query_params.get("small") == "1" else "0"
    return await reaching.shown(settings, actor, f"{sitting_id}/{attempt}/{seq}", {"at": at, "small": small})


@post("/watch/{attempt:int}/fine", guards=[allows("watch.view")])
async def fine(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """«Seen, fine» for ten minutes; something new brings the child forward all the same."""
    sitting_id = await _mine(request, db, attempt)
    until = datetime.now(UTC) + FINE_FOR
    await queries.set_fine(db, attempt, request.scope["user"].staff_id, until)
    return see_other(f"/sittings/{sitting_id}/wall")


@post("/watch/{attempt:int}/verdict", guards=[allows("watch.judge")])
async def judge(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """A verdict with a reason of the catalogue, said once; what others said is shown afterwards."""
    actor = request.scope["user"]
    sitting_id = await _mine(request, db, attempt)
    form = Form(await request.form())
    kind = form.choice("kind", list(KINDS))
    reason = form.choice("reason", list(REASONS.get(kind, {})))
    words = form.text("words", required=kind == "breach", most=500)
    if form.errors:
        return await _child(request, db, attempt, form)
    async with db.transaction():
        if await queries.say(db, sitting_id, attempt, actor.staff_id, kind, reason, words):
            fact: dict[str, object] = {"kind": kind, "reason": reason}
            await audit.record(
                db, actor, "watch.verdict.said", kind="participant", object_id=attempt, after=fact, reason=words
            )
    return see_other(f"/watch/{attempt}")


async def _child(request: StaffRequest, db: Connection, attempt: int, form: Form) -> Response[str]:
    actor = request.scope["user"]
    sitting_id = await _mine(request, db, attempt)
    tile = await queries.tile(db, attempt, actor.staff_id, _now_ms())
    assert tile is not None
    shots, events = await queries.shots(db, sitting_id, attempt), await queries.events(db, sitting_id, attempt)
    said = await queries.verdicts(db, attempt, actor.staff_id)
    own = next((one for one in said if one.mine), None)
    ends = [one.taken_ms for one in shots] + [one.at_ms for one in events]
    return page(
        request,
        "proctoring/child.html",
        status=422 if form.errors else 200,
        tile=tile,
        sitting_id=sitting_id,
        identity=next((one for one in shots if one.kind == "identity"), None),
        shots=[one for one in shots if one.kind != "identity"],
        events=events,
        begins=min(ends, default=0),
        spans=max(1, max(ends, default=1) - min(ends, default=0)),
        own=own,
        # Blind: who has not said his own reads nobody else's.
        others=[one for one in said if not one.mine] if own else [],
        names=EVENTS,
        kinds=KINDS,
        reasons=REASONS,
        values=form.values,
        errors=form.errors,
        moment=_moment,
    )


async def _head(request: StaffRequest, db: Connection, sitting_id: int) -> SittingHead:
    return await find_head(db, sitting_id, request.scope["user"].scope("watch.view"))


async def _mine(request: StaffRequest, db: Connection, attempt: int) -> int:
    """The sitting of a child in one's hands; another's, or nobody's, is not there."""
    sitting_id = await queries.holds(db, attempt, request.scope["user"].staff_id)
    if sitting_id is None:
        raise NotThere
    return sitting_id


def _now_ms() -> int:
    return int(time.time() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


ROUTES = [wall, take, give_back, child, picture, fine, judge]
