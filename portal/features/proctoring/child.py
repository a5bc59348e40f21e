"""One child's page: pictures beside the identity photo, one axis of time, what was done, verdicts, whom to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.controls.rules import KINDS as CONTROLS
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import t
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import deeds, queries, verdicts
from portal.features.proctoring.axis import axis_of
from portal.features.proctoring.hands import here, mine, now_ms
from portal.features.proctoring.sentences import SENTENCES, in_all_languages
from portal.features.proctoring.structs import EVENTS, KINDS, ONE_STATE, REASONS, flood_line

if TYPE_CHECKING:
    from portal.features.proctoring.structs import Phones, Shot

# A picture's own time may be so far ahead of ours (the wall's bound, queries.py).
AHEAD_MS = 60_000


@get("/watch/{attempt:int}", guards=[allows("watch.view")])
async def child(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """One child: pictures, events and the rhythm of answers on one axis, what was said of him."""
    return await child_page(request, db, attempt, Form.empty())


@get("/watch/{attempt:int}/deeds", guards=[allows("watch.view")])
async def done(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """What was done to the child and how far it came; asked for again and again, which also says that its proctor is there."""
    sitting_id = await here(request, db, attempt)
    return page(request, "proctoring/_deeds.html", **await _deeds(db, sitting_id, attempt))


@post("/watch/{attempt:int}/phones", guards=[allows("watch.act")])
async def phones(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Whom to call; on record, for a school's phone tells the school."""
    await mine(request, db, attempt)
    async with db.transaction():
        await audit.record(db, request.scope["user"], "watch.phones.shown", kind="participant", object_id=attempt)
    return await child_page(request, db, attempt, Form.empty(), call=await deeds.phones(db, attempt))


@post("/watch/{attempt:int}/verdict", guards=[allows("watch.judge")])
async def judge(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """A verdict with a reason of the catalogue, said once; what others said is shown afterwards."""
    actor = request.scope["user"]
    sitting_id = await mine(request, db, attempt)
    form = Form(await request.form())
    said = verdicts.read_form(form)
    if form.errors:
        return await child_page(request, db, attempt, form)
    async with db.transaction():
        await verdicts.say(db, actor, sitting_id, attempt, said)
    return see_other(f"/watch/{attempt}")


async def child_page(
    request: StaffRequest, db: Connection, attempt: int, form: Form, *, call: Phones | None = None
) -> Response[str]:
    """The page; `form`: what was sent and refused, `call`: whom to call, if that was asked."""
    actor = request.scope["user"]
    sitting_id = await here(request, db, attempt)
    at_ms = now_ms()
    tile = await queries.tile(db, sitting_id, attempt, actor.staff_id, at_ms)
    assert tile is not None
    shots, events = await queries.shots(db, sitting_id, attempt), await queries.events(db, sitting_id, attempt)
    said = await queries.verdicts(db, attempt, actor.staff_id)
    own = next((one for one in said if one.mine), None)
    seen = [one for one in shots if one.kind != "identity"]
    playable = [one for one in seen if not one.sealed]
    made = await _deeds(db, sitting_id, attempt)
    return page(
        request,
        "proctoring/child.html",
        status=422 if form.errors else 200,
        tile=tile,
        one_state=ONE_STATE,
        sitting_id=sitting_id,
        identity=next((one for one in shots if one.kind == "identity" and not one.sealed), None),
        shots=seen,
        chosen=_chosen(request, playable, at_ms),
        playable=playable,
        axis=axis_of(seen, events, await queries.rhythm(db, sitting_id, attempt), at_ms),
        events=events,
        flood=flood_line(await queries.left_out(db, attempt)),
        own=own,
        # Blind: who has not said his own reads nobody else's.
        others=[one for one in said if not one.mine] if own else [],
        names=EVENTS,
        kinds=KINDS,
        reasons=REASONS,
        sentences={
            code: (in_all_languages(code)[made["childs_language"]], t(text)) for code, text in SENTENCES.items()
        },
        call=call,
        values=form.values,
        errors=form.errors,
        **made,
    )


async def _deeds(db: Connection, sitting_id: int, attempt: int) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "over": await deeds.handed_in(db, attempt),
        "done": await deeds.of_child(db, sitting_id, attempt),
        "waiting": await deeds.waiting(db, sitting_id, attempt),
        "controls": CONTROLS,
        "childs_language": await deeds.language_of(db, sitting_id, attempt),
        "moment": from_ms,
    }


def _chosen(request: StaffRequest, playable: list[Shot], at_ms: int) -> int:
    """Which picture is shown: the one asked for, else the newest of those that are not of tomorrow; -1: there is none."""
    asked = (request.query_params.get("n", ""), request.query_params.get("at", ""))
    for number, one in enumerate(playable):
        if (str(one.seq), str(one.taken_ms)) == asked:
            return number
    past = sum(one.taken_ms <= at_ms + AHEAD_MS for one in playable)
    return (past or len(playable)) - 1


ROUTES = [child, done, phones, judge]
