"""The review: whose attempt needs another pair of eyes, a blind second opinion, the list as a file."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post

from portal.core import audit, readings, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import exports
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import find_head, require_whole
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import cases, queries, reaching, reviewing, verdict_list, verdicts
from portal.features.proctoring.reviewing import DEVICES, STATES, Rules, Wanted
from portal.features.proctoring.structs import EVENTS, KINDS, REASONS
from portal.features.proctoring.verdict_list import REVIEW

# A filter by what one person said would say it before one's own word.
FILTERS = ["waiting", *(state for state in STATES if state not in {"breach", "unclear"})]
# Of a small sitting every attempt may be looked at.
SHARES = {"0": 0.0, "1": 1.0, "2": 2.0, "5": 5.0, "10": 10.0, "25": 25.0, "100": 100.0}


@get("/sittings/{sitting_id:int}/verdicts", guards=[allows(REVIEW)])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The queue and what is settled."""
    return await _list(request, db, sitting_id, None)


@post("/sittings/{sitting_id:int}/verdicts/next", guards=[allows(REVIEW)])
async def take_next(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The next for a second opinion: nobody else is given it meanwhile."""
    actor = request.scope["user"]
    scope = actor.scope(REVIEW)
    await find_head(db, sitting_id, scope)
    async with db.transaction():
        attempt = await reviewing.next_one(db, sitting_id, scope, actor)
        if attempt is not None:
            await audit.record(db, actor, "watch.opinion.taken", kind="participant", object_id=attempt)
    return see_other(f"/sittings/{sitting_id}/verdicts?none=1" if attempt is None else f"/review/{attempt}")


@post("/sittings/{sitting_id:int}/verdicts/open", guards=[allows(REVIEW)])
async def open_beyond(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """A child beyond the queue: with a reason, counted like a card of the registry (SAFETY R4, P1)."""
    actor, form = request.scope["user"], Form(await request.form())
    number, reason = form.integer("attempt", least=1, most=2**31 - 1), form.text("reason", most=300)
    if not form.errors:
        try:
            found = await reaching.reach(db, actor, number, REVIEW)
        except NotThere:
            found = None
        if found != sitting_id:
            form.miss("attempt", N_("There is no such attempt in this sitting and your territory."))
    if form.errors:
        return await _list(request, db, sitting_id, form)
    try:
        async with db.transaction():
            await readings.count(db, actor, "card")
            await reviewing.open_one(db, sitting_id, number, actor.staff_id, reason)
            await audit.record(db, actor, "watch.child.opened", kind="participant", object_id=number, reason=reason)
    except readings.ReadingStopped:
        await readings.alarm(db, actor)
        raise
    return see_other(f"/review/{number}")


@post("/sittings/{sitting_id:int}/verdicts/rules", guards=[allows(REVIEW)])
async def set_rules(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Share of the sample and term of appeals, for the whole sitting."""
    actor, form = request.scope["user"], Form(await request.form())
    head = await find_head(db, sitting_id, actor.scope(REVIEW))
    require_whole(head, actor.scope(REVIEW))
    share = form.choice("sample_percent", list(SHARES))
    days = form.integer("appeal_days", least=1, most=90)
    if form.errors:
        return await _list(request, db, sitting_id, form)
    rules = Rules(sample_percent=SHARES[share], appeal_days=days)
    async with db.transaction():
        before = await reviewing.rules(db, sitting_id)
        await reviewing.set_rules(db, sitting_id, rules)
        await audit.record(
            db, actor, "watch.review.set", kind="sitting", object_id=sitting_id, before=before, after=rules
        )
    return see_other(f"/sittings/{sitting_id}/verdicts")


@post("/sittings/{sitting_id:int}/verdicts/export", guards=[allows(REVIEW)])
async def export_list(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The list as a file, without pictures and names, made by a job."""
    actor, form = request.scope["user"], Form(await request.form())
    exports.read_form(form)
    if form.errors:
        return await _list(request, db, sitting_id, form)
    scope, wanted = actor.scope(REVIEW), _wanted(request)
    await find_head(db, sitting_id, scope)
    async with db.transaction():
        _, total = await reviewing.rows(db, sitting_id, scope, actor.staff_id, wanted, sort="queue", limit=1, offset=0)
        job_id = await exports.ask(
            db,
            actor,
            verdict_list.FILE,
            form,
            how_many=total,
            sitting_id=sitting_id,
            wanted={**msgspec.to_builtins(wanted), "scope": msgspec.to_builtins(scope), "staff": actor.staff_id},
            children=False,
        )
    await request.app.state.queues.send(job_id, exports.KIND)
    return see_other(f"/exports/{job_id}")


@get("/review/{attempt:int}", guards=[allows(REVIEW)])
async def opinion(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """One attempt for a blind opinion; who has said his, or comes to a settled case, is shown the whole of it."""
    return await _opinion(request, db, attempt, Form.empty())


@get("/review/{attempt:int}/pictures/{seq:int}", guards=[allows(REVIEW)])
async def picture(request: StaffRequest, db: Connection, attempt: int, seq: int) -> Response[bytes]:
    """One picture with the viewer's name and the time in it; the look is on record first."""
    sitting_id = await reaching.reached(db, request.scope["user"], attempt, REVIEW)
    return await reaching.give(request, db, sitting_id, attempt, seq)


@post("/review/{attempt:int}/verdict", guards=[allows("watch.judge")])
async def judge(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """His opinion, once; two who agree settle it, else a third is asked."""
    actor, form = request.scope["user"], Form(await request.form())
    sitting_id = await reaching.reached(db, actor, attempt, REVIEW)
    if await reaching.may_read(db, actor.staff_id, attempt):
        # Said, or settled: what he says now would not be blind.
        return see_other(f"/cases/{attempt}" if await cases.exists(db, attempt) else f"/review/{attempt}")
    said = verdicts.read_form(form)
    if form.errors:
        return await _opinion(request, db, attempt, form)
    async with db.transaction():
        await verdicts.say(db, actor, sitting_id, attempt, said, review=True)
        await reviewing.give_back(db, attempt, actor.staff_id)
    there = await cases.exists(db, attempt)
    return see_other(f"/cases/{attempt}" if there else f"/sittings/{sitting_id}/verdicts")


@post("/review/{attempt:int}/back", guards=[allows(REVIEW)])
async def give_back(request: StaffRequest, db: Connection, attempt: int) -> Response[str]:
    """Leave it to another."""
    sitting_id = await reaching.reached(db, request.scope["user"], attempt, REVIEW)
    await reviewing.give_back(db, attempt, request.scope["user"].staff_id)
    return see_other(f"/sittings/{sitting_id}/verdicts")


async def _opinion(request: StaffRequest, db: Connection, attempt: int, form: Form) -> Response[str]:
    actor = request.scope["user"]
    sitting_id = await reaching.reached(db, request.scope["user"], attempt, REVIEW)
    if await reaching.may_read(db, actor.staff_id, attempt) and await cases.exists(db, attempt):
        return see_other(f"/cases/{attempt}")
    said = await queries.verdicts(db, attempt, actor.staff_id)
    return page(
        request,
        "proctoring/opinion.html",
        status=422 if form.errors else 200,
        attempt=attempt,
        number=attempt % 100_000,
        sitting_id=sitting_id,
        looked=await reviewing.looked(db, attempt),
        shots=await queries.shots(db, sitting_id, attempt),
        events=await queries.events(db, sitting_id, attempt),
        own=next((one for one in said if one.mine), None),
        kinds=KINDS,
        reasons=REASONS,
        values=form.values,
        errors=form.errors,
        moment=from_ms,
    )


def _wanted(request: StaffRequest) -> Wanted:
    school = request.query_params.get("school", "")
    region = request.query_params.get("region", "")
    return Wanted(
        state=picked(request, "state", FILTERS),
        region=region if region.isascii() and region.isprintable() and len(region) <= 12 else "",
        school=int(school) if school.isascii() and school.isdigit() and len(school) < 9 else None,
        event=picked(request, "event", EVENTS),
        device=picked(request, "device", DEVICES),
    )


async def _list(request: StaffRequest, db: Connection, sitting_id: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    scope, wanted = actor.scope(REVIEW), _wanted(request)
    head = await find_head(db, sitting_id, scope)
    view = listing(request, reviewing.SORTS, "queue")
    rows, total = await reviewing.rows(
        db, sitting_id, scope, actor.staff_id, wanted, sort=view.sort, limit=view.rows, offset=view.offset
    )
    asked = {name: str(value or "") for name, value in msgspec.structs.asdict(wanted).items()}
    query = urlencode(asked)
    return page(
        request,
        "proctoring/review.html",
        status=422 if form else 200,
        sitting=head,
        rows=rows,
        total=total,
        view=view,
        wanted=wanted,
        counts=await reviewing.counts(db, sitting_id, scope, actor.staff_id),
        rules=await reviewing.rules(db, sitting_id),
        whole=scope.country or set(head.regions) <= set(scope.regions),
        regions=[one for one in await territory.regions(db, scope) if one.code in head.regions],
        schools=await reviewing.schools(db, sitting_id, scope, wanted.region) if wanted.region else [],
        states=STATES,
        devices=DEVICES,
        names=EVENTS,
        kinds=KINDS,
        shares=list(SHARES),
        base=f"/sittings/{sitting_id}/verdicts",
        query=query,
        filtered=any(asked.values()),
        nothing_left="none" in request.query_params,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show, take_next, open_beyond, set_rules, export_list, opinion, picture, judge, give_back]
