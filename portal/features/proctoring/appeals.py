"""Appeals: a family says that a verdict is wrong; another person than those who said it decides, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit, cards
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import LANGUAGES, N_, day, speak
from portal.core.permissions import allows
from portal.core.problems import NotThere, Problem
from portal.core.sittings import find_head
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import casework, complaints, ownwatch, reaching
from portal.features.proctoring.complaints import CHANNELS, STATES
from portal.features.proctoring.structs import KINDS, REASONS

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.features.proctoring.complaints import Appeal

APPEAL = "watch.appeal"
DECISIONS: dict[str, str] = {
    "upheld": N_("The family is right: nothing against the rules stands"),
    "rejected": N_("The verdict stands"),
}


class SpokeBefore(Problem):
    """Who said a verdict does not decide about it."""

    code = "spoke-before"
    status = 403
    title = N_("You said a verdict about this child.")
    advice = N_("Somebody who has not spoken of it decides the appeal.")


@get("/sittings/{sitting_id:int}/appeals", guards=[allows(APPEAL)])
async def show_list(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Those of a sitting, the open ones first."""
    return await _list(request, db, sitting_id, None)


@post("/sittings/{sitting_id:int}/appeals", guards=[allows(APPEAL)])
async def make(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Write down what a family said, within the term."""
    actor, form = request.scope["user"], Form(await request.form())
    number = form.integer("attempt", least=1, most=2**31 - 1)
    channel, language = form.choice("channel", list(CHANNELS)), form.choice("language", list(LANGUAGES), "kk")
    told_by, words = form.text("told_by", most=120), form.text("words", most=1000)
    if not form.errors:
        await _look_at_case(db, actor, sitting_id, number, form)
    if form.errors:
        return await _list(request, db, sitting_id, form)
    async with db.transaction():
        appeal_id = await complaints.make(
            db,
            number,
            sitting_id,
            channel=channel,
            told_by=told_by,
            words=words,
            language=language,
            staff_id=actor.staff_id,
        )
        if appeal_id is not None:
            fact: dict[str, object] = {"appeal": appeal_id, "channel": channel}
            await audit.record(db, actor, "watch.appeal.made", kind="participant", object_id=number, after=fact)
    if appeal_id is None:
        form.miss("attempt", N_("An appeal of this child is open already."))
        return await _list(request, db, sitting_id, form)
    return see_other(f"/appeals/{appeal_id}")


async def _look_at_case(db: Connection, actor: Actor, sitting_id: int, attempt: int, form: Form) -> None:
    try:
        reached = await reaching.reach(db, actor, attempt, APPEAL)
    except NotThere:
        reached = None
    case = await casework.find(db, attempt) if reached == sitting_id else None
    if case is None or case.outcome != "breach" or case.appeal_until is None:
        form.miss(
            "attempt", N_("No breach of the rules was decided about such a child here: there is nothing to appeal.")
        )
    elif case.appeal_until < datetime.now(UTC):
        form.miss("attempt", N_("The term for an appeal ended on {day}."), day=day(case.appeal_until))


@get("/appeals/{appeal_id:int}", guards=[allows(APPEAL)])
async def show(request: StaffRequest, db: Connection, appeal_id: int) -> Response[str]:
    """One, with its case in short."""
    return await _page(request, db, await _find(db, request.scope["user"], appeal_id), None)


@post("/appeals/{appeal_id:int}/decide", guards=[allows(APPEAL)])
async def decide(request: StaffRequest, db: Connection, appeal_id: int) -> Response[str]:
    """Uphold or reject, with the reason that the family reads."""
    actor, form = request.scope["user"], Form(await request.form())
    found = await _find(db, actor, appeal_id)
    if await complaints.spoke_before(db, found.attempt, actor.staff_id):
        raise SpokeBefore
    state, reason = form.choice("state", list(DECISIONS)), form.text("reason", most=1000)
    if not form.text("looked", required=False):
        form.miss("looked", N_("Look at the case anew first: the family is told that somebody did."))
    if form.errors:
        return await _page(request, db, found, form)
    async with db.transaction():
        if await complaints.decide(db, found, actor.staff_id, state, reason):
            fact: dict[str, object] = {"appeal": appeal_id, "decision": state, "looked": True}
            await audit.record(
                db,
                actor,
                "watch.appeal.decided",
                kind="participant",
                object_id=found.attempt,
                after=fact,
                reason=reason,
            )
    return see_other(f"/appeals/{appeal_id}")


@get("/appeals/{appeal_id:int}/answer", guards=[allows(APPEAL)])
async def answer(request: StaffRequest, db: Connection, appeal_id: int) -> Response[str]:
    """The answer to the family, in its language, to be printed."""
    found = await _find(db, request.scope["user"], appeal_id)
    if found.state == "open":
        raise NotThere
    # From here to the end of the request: the paper is for the family, not for who prints it.
    speak(found.language)
    return page(request, "proctoring/answer.html", one=found)


@get("/me/watched", guards=[allows("own.account")])
async def own(request: StaffRequest, db: Connection) -> Response[str]:
    """To the child itself: that it was watched, what was decided, how to appeal, in plain words."""
    async with cards.opened(db, request.scope["user"], "own.account", None) as card:
        rows = await ownwatch.of_person(db, card.id)
    return page(
        request,
        "proctoring/own.html",
        rows=rows,
        reasons=REASONS["breach"],
        now=datetime.now(UTC),
        **cards.context(request, card),
    )


async def _find(db: Connection, actor: Actor, appeal_id: int) -> Appeal:
    found = await complaints.find(db, appeal_id)
    if found is None:
        raise NotThere
    await reaching.reach(db, actor, found.attempt, APPEAL)
    return found


async def _list(request: StaffRequest, db: Connection, sitting_id: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    scope = actor.scope(APPEAL)
    head = await find_head(db, sitting_id, scope)
    state, view = picked(request, "state", STATES, "open"), listing(request, {"made"}, "made")
    rows, total = await complaints.listed(db, sitting_id, scope, actor, state, limit=view.rows, offset=view.offset)
    return page(
        request,
        "proctoring/appeals.html",
        status=422 if form else 200,
        sitting=head,
        rows=rows,
        total=total,
        view=view,
        state=state,
        states=STATES,
        channels=CHANNELS,
        errors=form.errors if form else {},
        # From a case its number comes along.
        values=form.values if form else {"attempt": request.query_params.get("attempt", "")[:12]},
    )


async def _page(request: StaffRequest, db: Connection, found: Appeal, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    return page(
        request,
        "proctoring/appeal.html",
        status=422 if form else 200,
        one=found,
        case=await casework.find(db, found.attempt),
        spoke=await complaints.spoke_before(db, found.attempt, actor.staff_id),
        states=STATES,
        channels=CHANNELS,
        decisions=DECISIONS,
        kinds=KINDS,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_list, make, show, decide, answer, own]
