"""«Shouldn't be seen» (SAFETY R4): one tap seals a picture everywhere at once; the child-safety officer decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from litestar import Response, get, post

from portal.core import audit, notices
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import reaching, seals
from portal.features.proctoring.hands import mine
from portal.features.proctoring.structs import STATES as STATES_OF_WALL
from portal.features.proctoring.structs import WEIGHING

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.features.proctoring.seals import Seal

SAFETY = "watch.safety"
STATES: dict[str, str] = {
    "open": N_("waits for a decision"),
    "stays": N_("stays sealed"),
    "erase": N_("erased"),
    "unsealed": N_("sealed by mistake"),
}
DECISIONS: dict[str, str] = {
    "stays": N_("It stays sealed until its term is over"),
    "erase": N_("Erase it now"),
    "unsealed": N_("A mistake: let it be seen again"),
}


@post("/watch/{attempt:int}/seal", guards=[allows("watch.view")])
async def seal_of_wall(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """A picture of a child in one's hands."""
    sitting_id = await mine(request, db, attempt)
    form = await _seal(request, db, sitting_id, attempt)
    return see_other(_wall(sitting_id, form) if form.values.get("back") == "wall" else f"/watch/{attempt}")


@post("/review/{attempt:int}/seal", guards=[allows("watch.review")])
async def seal_of_review(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """A picture that came up in the review or in a case."""
    actor = request.scope["user"]
    sitting_id = await reaching.reached(db, actor, attempt, "watch.review")
    form = await _seal(request, db, sitting_id, attempt)
    return see_other(f"/cases/{attempt}" if form.values.get("back") == "case" else f"/review/{attempt}")


def _wall(sitting_id: int, form: Form) -> str:
    """The wall with the filters that it had."""
    known = (("state", STATES_OF_WALL), ("event", WEIGHING), ("quiet", ("hide",)))
    asked = {name: value for name, values in known if (value := form.values.get(name, "")) in values}
    return f"/sittings/{sitting_id}/wall" + (f"?{urlencode(asked)}" if asked else "")


async def _seal(request: StaffRequest, db: Connection, sitting_id: int, attempt: int) -> Form:
    """No question is asked first: what should not be seen is gone from every page with this transaction."""
    actor, form = request.scope["user"], Form(await request.form())
    # The button that was pressed names its picture: its number and the time when it was taken.
    seq, _, at = form.values.get("shot", "").partition("-")
    if not (seq.isascii() and seq.isdigit() and len(seq) < 10):
        raise NotThere
    async with db.transaction():
        seal_id = await seals.seal(db, sitting_id, attempt, int(seq), reaching.read_moment(at), actor.staff_id)
        if seal_id is not None:
            fact: dict[str, object] = {"seal": seal_id, "seq": int(seq)}
            await audit.record(db, actor, "watch.picture.sealed", kind="participant", object_id=attempt, after=fact)
            for officer in await seals.officers(db, attempt):
                await notices.tell(db, officer, "watch.sealed", about=seal_id, link=f"/safety/{seal_id}", filled={})
    return form


@get("/safety", guards=[allows(SAFETY)])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Sealed pictures by number, those that wait first."""
    state, view = picked(request, "state", STATES, "open"), listing(request, {"new"}, "new")
    scope = request.scope["user"].scope(SAFETY)
    rows, total = await seals.listed(db, scope, state, limit=view.rows, offset=view.offset)
    return page(
        request,
        "proctoring/safety.html",
        rows=rows,
        total=total,
        view=view,
        state=state,
        states=STATES,
        moment=from_ms,
    )


@get("/safety/{seal_id:int}", guards=[allows(SAFETY)])
async def show(request: StaffRequest, db: Connection, seal_id: int) -> Response[str]:
    """One: the picture only for five minutes after a reason was given."""
    return await _page(request, db, await _find(db, request.scope["user"], seal_id), None)


@post("/safety/{seal_id:int}/open", guards=[allows(SAFETY)])
async def open_one(request: StaffRequest, db: Connection, seal_id: int) -> Response[str]:
    """A look needs a reason and is on record before the picture is there."""
    actor, form = request.scope["user"], Form(await request.form())
    found, reason = await _find(db, actor, seal_id), form.text("reason", most=300)
    if form.errors:
        return await _page(request, db, found, form)
    async with db.transaction():
        await seals.look(db, seal_id, actor.staff_id, reason)
        await reaching.look(db, actor.staff_id, found.sitting_id, found.attempt, found.seq, reason)
        fact: dict[str, object] = {"seal": seal_id}
        await audit.record(
            db, actor, "watch.sealed.opened", kind="participant", object_id=found.attempt, after=fact, reason=reason
        )
    return see_other(f"/safety/{seal_id}")


@get("/safety/{seal_id:int}/picture", guards=[allows(SAFETY)])
async def picture(request: StaffRequest, db: Connection, seal_id: int) -> Response[bytes]:
    """The picture; proctoring asks Postgres itself whether this look was written down."""
    actor = request.scope["user"]
    found = await _find(db, actor, seal_id)
    look = await seals.look_of(db, seal_id, actor.staff_id)
    if look is None:
        raise NotThere
    path = f"{found.sitting_id}/{found.attempt}/{found.seq}"
    asked = {"at": str(found.taken_ms), "look": str(look)}
    return await reaching.shown(request.app.state.settings, actor, path, asked)


@post("/safety/{seal_id:int}/decide", guards=[allows(SAFETY)])
async def decide(request: StaffRequest, db: Connection, seal_id: int) -> Response[str]:
    """Stays, erase, or a mistake; what stays may be erased later, what is erased is not brought back."""
    actor, form = request.scope["user"], Form(await request.form())
    state, words = form.choice("state", list(DECISIONS)), form.text("words", most=300)
    found = await _find(db, actor, seal_id)
    if form.errors:
        return await _page(request, db, found, form)
    async with db.transaction():
        locked = await seals.find(db, actor.scope(SAFETY), seal_id, lock=True)
        if locked is None or locked.state in {"erase", "unsealed"}:
            raise NotThere
        await seals.decide(db, seal_id, actor.staff_id, state, words)
        if state == "unsealed":
            await seals.unseal(db, locked)
        await notices.done_with(db, "watch.sealed", seal_id)
        fact: dict[str, object] = {"seal": seal_id, "decision": state}
        await audit.record(
            db, actor, "watch.sealed.decided", kind="participant", object_id=found.attempt, after=fact, reason=words
        )
    return see_other(f"/safety/{seal_id}")


async def _find(db: Connection, actor: Actor, seal_id: int) -> Seal:
    found = await seals.find(db, actor.scope(SAFETY), seal_id)
    if found is None:
        raise NotThere
    return found


async def _page(request: StaffRequest, db: Connection, found: Seal, form: Form | None) -> Response[str]:
    return page(
        request,
        "proctoring/safety_one.html",
        status=422 if form else 200,
        one=found,
        seen=await seals.look_of(db, found.id, request.scope["user"].staff_id) is not None,
        states=STATES,
        decisions=DECISIONS,
        errors=form.errors if form else {},
        values=form.values if form else {},
        moment=from_ms,
    )


ROUTES = [seal_of_wall, seal_of_review, show_list, show, open_one, picture, decide]
