"""One attempt's whole case: what the machine noticed, what persons said, noted, chose and decided, and who looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.i18n.times import from_ms
from portal.core.jobs import recent
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import casework, complaints, queries, reaching, reviewing
from portal.features.proctoring.structs import KINDS, REASONS

if TYPE_CHECKING:
    from portal.features.proctoring.casework import Case

REVIEW = "watch.review"
PAPER = "watch-paper"
WHY: dict[str, str] = {
    "breach": N_("somebody saw a breach"),
    "unclear": N_("it was unclear to somebody"),
    "opened": N_("opened by hand"),
}


async def exists(db: Connection, attempt: int) -> bool:
    """Whether there is a case of this attempt."""
    return await casework.find(db, attempt) is not None


@get("/cases/{attempt:int}", guards=[allows(REVIEW)])
async def show(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """The case; whose own opinion is still wanted is led to it first."""
    return await _page(request, db, attempt, None)


@post("/review/{attempt:int}/case", guards=[allows(REVIEW)])
async def open_case(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Open one by hand, of an attempt that is open to him and that he has judged."""
    actor = request.scope["user"]
    sitting_id = await reaching.reached(db, actor, attempt, REVIEW)
    if not await reaching.may_read(db, actor.staff_id, attempt):
        raise NotThere
    async with db.transaction():
        if not await exists(db, attempt):
            await casework.open_case(db, sitting_id, attempt, actor.staff_id)
            await audit.record(db, actor, "watch.case.opened", kind="participant", object_id=attempt)
    return see_other(f"/cases/{attempt}")


@post("/cases/{attempt:int}/notes", guards=[allows(REVIEW)])
async def note(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Words of somebody who holds the case."""
    actor, form = request.scope["user"], Form(await request.form())
    await held(db, request, attempt)
    words = form.text("words", most=500)
    if form.errors:
        return await _page(request, db, attempt, form)
    async with db.transaction():
        await casework.note(db, attempt, actor.staff_id, words)
        await audit.record(db, actor, "watch.case.noted", kind="participant", object_id=attempt)
    return see_other(f"/cases/{attempt}#notes")


@post("/cases/{attempt:int}/evidence", guards=[allows(REVIEW)])
async def choose(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Take a picture into the case, or out of it."""
    actor, form = request.scope["user"], Form(await request.form())
    case = await held(db, request, attempt)
    seq, taken_ms = reaching.read_moment(form.values.get("seq", "")), reaching.read_moment(form.values.get("at", ""))
    if seq >= 2**31:
        raise NotThere
    chosen = form.values.get("do") != "drop"
    async with db.transaction():
        if chosen:
            done = await casework.choose(db, case.sitting_id, attempt, seq, taken_ms, actor.staff_id)
        else:
            done = await casework.drop(db, attempt, seq, taken_ms)
        if done:
            act = "watch.evidence.chosen" if chosen else "watch.evidence.dropped"
            fact: dict[str, object] = {"seq": seq}
            await audit.record(db, actor, act, kind="participant", object_id=attempt, after=fact)
    return see_other(f"/cases/{attempt}#pictures")


async def held(db: Connection, request: StaffRequest, attempt: int) -> Case:
    """A case in his territory that he may read whole; otherwise it is not there."""
    actor = request.scope["user"]
    await reaching.reach(db, actor, attempt, REVIEW)
    case = await casework.find(db, attempt)
    if case is None or not await reaching.may_read(db, actor.staff_id, attempt):
        raise NotThere
    return case


async def _page(request: StaffRequest, db: Connection, attempt: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    sitting_id = await reaching.reach(db, actor, attempt, REVIEW)
    case = await casework.find(db, attempt)
    if case is None:
        raise NotThere
    if not await reaching.may_read(db, actor.staff_id, attempt):
        if await reaching.may_look(db, actor, attempt):
            return see_other(f"/review/{attempt}")
        # Blind: it waits for an opinion that does not know the first.
        raise NotThere
    chosen = await casework.evidence(db, sitting_id, attempt)
    jobs = [one for one in await recent(db, made_by=actor.staff_id, kind=PAPER) if one.payload["attempt"] == attempt]
    return page(
        request,
        "proctoring/case.html",
        status=422 if form else 200,
        case=case,
        attempt=attempt,
        looked=await reviewing.looked(db, attempt),
        verdicts=await queries.verdicts(db, attempt, actor.staff_id),
        rulings=await casework.rulings(db, attempt),
        appeals=await complaints.of_attempt(db, attempt),
        notes=await casework.notes(db, attempt),
        acts=await casework.acts(db, attempt),
        looks=await casework.looks(db, attempt),
        shots=await queries.shots(db, sitting_id, attempt),
        events=await queries.events(db, sitting_id, attempt),
        chosen={(one.seq, one.taken_ms) for one in chosen},
        jobs=jobs[:5],
        why=WHY,
        kinds=KINDS,
        reasons=REASONS,
        act_texts=audit.ACTS,
        appeal_states=complaints.STATES,
        errors=form.errors if form else {},
        values=form.values if form else {},
        moment=from_ms,
    )


ROUTES = [show, open_case, note, choose]
