"""Declaring an outage by two with their keys, ending it, reviewing what was done under it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest, keys
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.waiver import queries
from portal.features.waiver.problems import AskedTooLongAgo, NotAReviewer, NoWaiver, WaivedAlready

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor

# Who agrees an hour later agrees to something else than what was asked, and with a key that was touched long ago.
AGREED_WITHIN = timedelta(hours=1)


@get("/waiver", guards=[allows("act.waive")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """The one in force or the form to declare one; what others have to review."""
    return await _page(request, db, None)


@post("/waiver", guards=[allows("act.waive")])
async def ask(request: StaffRequest, db: Connection) -> Response[str]:
    """The first of the pair: a reason and his key; the second agrees on his page with his own."""
    actor = request.scope["user"]
    require_country(actor, "act.waive")
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    if form.errors:
        return await _page(request, db, form)
    if actor.waiver is not None:
        raise WaivedAlready
    async with db.transaction():
        await keys.confirm(db, actor, request.app.state.settings, form.values.get("credential", ""))
        await acts.ask(
            db,
            actor,
            WAIVE.code,
            sitting_id=None,
            payload={},
            before={N_("Acts over many pupils"): Text(N_("need two persons"))},
            after={
                N_("Acts over many pupils"): Text(N_("are done by one, for 30 minutes from your word")),
                N_("Two persons still"): Text(N_("publish results, set quota places, decide about keys and pupils")),
            },
            reason=reason,
        )
    return see_other("/acts?asked=1")


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    """The second has agreed, and his key was confirmed where he decided (`with_key`)."""
    if datetime.now(UTC) - act.made_at > AGREED_WITHIN:
        raise AskedTooLongAgo
    waiver_id = await queries.insert_waiver(db, act.reason, act.made_by, actor.staff_id)
    if waiver_id is None:
        raise WaivedAlready
    fact: dict[str, object] = {"asked_by": act.made_by, "minutes": 30}
    await audit.record(
        db, actor, "waiver.waiver.begun", kind="waiver", object_id=waiver_id, after=fact, reason=act.reason
    )


WAIVE = acts.register(acts.Act("act.waive", N_("Waive the second person"), "act.waive", _perform, with_key=True))


@post("/waiver/end", guards=[allows("act.waive")])
async def end(request: StaffRequest, db: Connection) -> Response[str]:
    """Either of the pair ends it."""
    actor = request.scope["user"]
    async with db.transaction():
        waiver_id = await queries.end_waiver(db, actor.staff_id)
        if waiver_id is None:
            raise NoWaiver
        await audit.record(db, actor, "waiver.waiver.ended", kind="waiver", object_id=waiver_id)
    return see_other("/waiver")


@post("/waiver/acts/{act_id:int}/review", guards=[allows("act.waive")])
async def review(request: StaffRequest, db: Connection, act_id: int) -> Response[str]:
    """Somebody who took no part has looked at it."""
    actor = request.scope["user"]
    require_country(actor, "act.waive")
    note = Form(await request.form()).text("note", required=False)
    async with db.transaction():
        act = await queries.waived_act(db, act_id)
        if act is None:
            raise NotThere
        if actor.staff_id in {act.asked_by, act.agreed_by, act.made_by}:
            raise NotAReviewer
        for part in (act.asked_by, act.agreed_by, act.made_by):
            await acts.require_other_hand(db, actor, part)
        if await queries.review(db, act_id, actor.staff_id, note):
            fact: dict[str, object] = {"waiver": act.waiver_id}
            await audit.record(db, actor, "waiver.act.reviewed", kind="act", object_id=act_id, after=fact, reason=note)
    return see_other("/waiver")


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    require_country(actor, "act.waive")
    return page(
        request,
        "waiver/show.html",
        status=422 if form else 200,
        keys=await keys.keys_of(db, actor.staff_id),
        waivers=await queries.waivers(db),
        waived=await queries.waived_acts(db),
        reviewers=acts.REVIEWERS,
        names={code: act.text for code, act in acts.ACTS.items()},
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show, ask, end, review]
