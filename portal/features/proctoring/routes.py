"""The wall, pictures, the review. Every look is written down before it is given (SAFETY R4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import audit, notices
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, t
from portal.core.permissions import allows
from portal.core.problems import Problem
from portal.core.sittings import find_head
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import queries, reaching
from portal.features.proctoring.hands import mine, now_ms
from portal.features.proctoring.structs import EVENTS, FINE_FOR, KINDS, ONE_STATE, STATES, WEIGHING, Tile, Told

if TYPE_CHECKING:
    from portal.core.sittings import SittingHead

MOST_AT_ONCE = 50
# What came of taking and handing over, as the wall says it afterwards: colour, title, text.
OUTCOMES: dict[str, tuple[str, str, str]] = {
    "none-left": (
        "sky",
        N_("Nobody was there to take"),
        N_(
            "The others are in somebody's hands, of your own district, have sent no picture yet or have your verdict; or your hands are full."
        ),
    ),
    "handed": ("leaf", N_("Your colleague has the children and is told"), N_("All of them went.")),
    "some-stay": (
        "leaf",
        N_("Your colleague has the children and is told"),
        N_(
            "Whoever is still shown here stays with you: of the colleague's own district, or with the colleague's verdict."
        ),
    ),
    "back": (
        "leaf",
        N_("Your shift is over"),
        N_("The children go to the next who takes them. Nothing more is yours to do here."),
    ),
    "how-many": ("sky", N_("Nobody was taken"), N_("Write how many children you take: a number from 1 to 50.")),
    "none-went": (
        "sky",
        N_("No child could be handed over"),
        N_(
            "They are of the colleague's own district or have the colleague's verdict, or the colleague's hands are full."
        ),
    ),
}


class NotOnShift(Problem):
    """Handing over to somebody who is not there."""

    code = "not-on-shift"
    status = 409
    title = N_("This colleague is not on shift.")
    advice = N_(
        "Children go to somebody who was here in the last ten minutes and may act as a proctor in this sitting. Nothing was changed."
    )


@get("/sittings/{sitting_id:int}/wall", guards=[allows("watch.view")])
async def wall(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The children in one's hands, the riskiest first; its script keeps it fresh, without one it is loaded again."""
    head = await _head(request, db, sitting_id)
    now = await _seen(request, db, sitting_id)
    await notices.there(db, request.scope["user"].staff_id, "watch.handed-over", f"/sittings/{head.id}/wall")
    return page(
        request,
        "proctoring/wall.html",
        sitting=head,
        watched=await queries.watched(db, sitting_id),
        states=STATES,
        events={kind: EVENTS[kind] for kind in WEIGHING},
        colleagues=await queries.colleagues(db, sitting_id, request.scope["user"].staff_id),
        outcome=OUTCOMES.get(request.query_params.get("told", "")),
        said=await queries.said_by(db, sitting_id, request.scope["user"].staff_id),
        kinds=KINDS,
        most=MOST_AT_ONCE,
        most_hands=queries.MOST_HANDS,
        now=now,
        told=_told(now.tiles, now),
    )


@get("/sittings/{sitting_id:int}/wall/tiles", guards=[allows("watch.view")])
async def tiles(request: StaffRequest, db: Connection, sitting_id: int) -> Response[bytes]:
    """The same for the wall's script: in order, and only what a tile shows."""
    await _head(request, db, sitting_id)
    now = await _seen(request, db, sitting_id)
    answer = {"tiles": _told(now.tiles, now), "counts": now.counts, "quiet": now.quiet, "waiting": now.waiting}
    return Response(msgspec.json.encode(answer), media_type="application/json")


class Seen(msgspec.Struct, frozen=True):
    """The wall at a moment, and what its reader filters by."""

    tiles: list[Tile]
    counts: dict[str, int]
    quiet: int
    waiting: int
    at_ms: int
    state: str
    event: str
    hide: bool


async def _seen(request: StaffRequest, db: Connection, sitting_id: int) -> Seen:
    staff_id, asked = request.scope["user"].staff_id, request.query_params
    await queries.still_here(db, sitting_id, staff_id)
    at_ms = now_ms()
    found = await queries.tiles(db, sitting_id, staff_id, at_ms)
    state, event = asked.get("state", ""), asked.get("event", "")
    return Seen(
        tiles=found,
        counts={"all": len(found)} | {one: sum(tile.of_state(one) for tile in found) for one in STATES},
        quiet=sum(one.quiet(at_ms) for one in found),
        waiting=await queries.free_children(db, sitting_id, request.scope["user"].scope("watch.view")),
        at_ms=at_ms,
        state=state if state in STATES else "",
        event=event if event in WEIGHING else "",
        hide=asked.get("quiet") == "hide",
    )


def _told(found: list[Tile], now: Seen) -> list[Told]:
    return [
        Told(
            id=one.attempt,
            number=one.number,
            incident=one.incident_ms or 0,
            tone=one.tone,
            why=one.brief,
            state=t(ONE_STATE[one.state]) if one.state in ONE_STATE else "",
            verdict=t(KINDS[one.verdict]) if one.verdict else "",
            picture=one.picture,
            shot=one.shot,
            hidden=not one.of_state(now.state) or not one.had(now.event) or (now.hide and one.quiet(now.at_ms)),
        )
        for one in found
    ]


@post("/sittings/{sitting_id:int}/wall/take", guards=[allows("watch.view")])
async def take(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Take the riskiest that nobody holds."""
    await _head(request, db, sitting_id)
    form, actor = Form(await request.form()), request.scope["user"]
    how_many = form.integer("how_many", least=1, most=MOST_AT_ONCE, default=10)
    if not form.errors:
        async with db.transaction():
            got = await queries.take(
                db, sitting_id, actor.staff_id, actor.scope("watch.view"), actor.own_school_id, how_many
            )
            fact: dict[str, object] = {"children": got}
            await audit.record(db, actor, "watch.children.taken", kind="sitting", object_id=sitting_id, after=fact)
        if not got:
            return see_other(f"/sittings/{sitting_id}/wall?told=none-left")
    else:
        return see_other(f"/sittings/{sitting_id}/wall?told=how-many")
    return see_other(f"/sittings/{sitting_id}/wall")


@post("/sittings/{sitting_id:int}/wall/back", guards=[allows("watch.view")])
async def give_back(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The shift ends: the children go to the next who takes them."""
    await _head(request, db, sitting_id)
    actor = request.scope["user"]
    async with db.transaction():
        await queries.give_back(db, sitting_id, actor.staff_id)
        await audit.record(db, actor, "watch.children.given-back", kind="sitting", object_id=sitting_id)
    return see_other(f"/sittings/{sitting_id}/wall?told=back")


@post("/sittings/{sitting_id:int}/wall/over", guards=[allows("watch.view")])
async def hand_over(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """A break, or the shift's end: the children go to a colleague on shift, who is told."""
    head = await _head(request, db, sitting_id)
    form, actor = Form(await request.form()), request.scope["user"]
    to = form.optional_id("to")
    if to is None or not await queries.colleagues(db, sitting_id, actor.staff_id, only=to):
        raise NotOnShift
    async with db.transaction():
        went = await queries.hand_over(db, sitting_id, actor.staff_id, to)
        if went:
            fact: dict[str, object] = {"children": went, "to": to}
            await audit.record(
                db, actor, "watch.children.handed-over", kind="sitting", object_id=sitting_id, after=fact
            )
            filled: dict[str, object] = {"colleague": actor.full_name, "count": str(went)}
            about = f"{sitting_id}-{actor.staff_id}-{now_ms()}"
            await notices.tell(
                db, to, "watch.handed-over", about=about, link=f"/sittings/{head.id}/wall", filled=filled
            )
        stay = went and await queries.held(db, sitting_id, actor.staff_id)
    told = "some-stay" if stay else "handed" if went else "none-went"
    return see_other(f"/sittings/{sitting_id}/wall?told={told}")


@get("/watch/{attempt:int}/pictures/{seq:int}", guards=[allows("watch.view")])
async def picture(request: StaffRequest, db: Connection, attempt: int, seq: int) -> Response[bytes]:
    """One picture with the viewer's name and the time in it; the look is on record first."""
    return await reaching.give(request, db, await mine(request, db, attempt), attempt, seq)


@post("/watch/{attempt:int}/fine", guards=[allows("watch.view")])
async def fine(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """«Seen, fine» for ten minutes; something new brings the child forward all the same."""
    sitting_id = await mine(request, db, attempt)
    until = datetime.now(UTC) + FINE_FOR
    await queries.set_fine(db, attempt, request.scope["user"].staff_id, until)
    return see_other(f"/sittings/{sitting_id}/wall")


async def _head(request: StaffRequest, db: Connection, sitting_id: int) -> SittingHead:
    return await find_head(db, sitting_id, request.scope["user"].scope("watch.view"))


ROUTES = [wall, tiles, take, give_back, hand_over, picture, fine]
