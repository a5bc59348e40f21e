"""How long a sitting's pictures are kept, what is held, what is gone and the proof of it; erasing one child's at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, number
from portal.core.permissions import allows
from portal.core.sittings import find_head, require_whole
from portal.core.ui.listing import listing
from portal.core.ui.pages import page, see_other
from portal.features.proctoring import complaints, keeping

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.db import Pool

ERASE = "watch.erase"


@get("/sittings/{sitting_id:int}/pictures", guards=[allows(ERASE)])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Term, holds, erasures, proofs."""
    return await _page(request, db, sitting_id, None)


@post("/sittings/{sitting_id:int}/pictures/erase", guards=[allows(ERASE)])
async def ask_erase(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """One child's pictures at once: put before a second person."""
    actor, form = request.scope["user"], Form(await request.form())
    attempt, reason = form.integer("attempt", least=1, most=2**31 - 1), form.text("reason", most=300)
    head = await find_head(db, sitting_id, actor.scope(ERASE))
    school = None if form.errors else await keeping.school_of(db, head.id, attempt, actor.scope(ERASE))
    if not form.errors and school is None:
        form.miss("attempt", N_("There is no such attempt in this sitting and your territory."))
    if form.errors:
        return await _page(request, db, sitting_id, form)
    pictures, held, marked = await keeping.state_of(db, sitting_id, attempt)
    if held:
        form.miss("attempt", N_("An open case or appeal holds these pictures. They can be erased when it is over."))
    elif marked:
        form.miss("attempt", N_("These pictures are erased already."))
    if form.errors:
        return await _page(request, db, sitting_id, form)
    async with db.transaction():
        await acts.ask(
            db,
            actor,
            ERASING.code,
            sitting_id=sitting_id,
            payload={"attempt": attempt, "schools": [school], "regions": []},
            before={N_("Child"): f"№ {attempt % 100_000}", N_("Pictures"): number(pictures)},
            after={N_("Pictures"): number(0)},
            reason=reason,
        )
    return see_other("/acts?asked=1")


@post("/sittings/{sitting_id:int}/pictures/prove", guards=[allows(ERASE)])
async def prove(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Have an erasure proven anew: proctoring looks within seconds."""
    actor, form = request.scope["user"], Form(await request.form())
    scope = actor.scope(ERASE)
    require_whole(await find_head(db, sitting_id, scope), scope)
    attempt = form.optional_id("attempt")
    async with db.transaction():
        if await keeping.ask_proof(db, sitting_id, attempt, actor.staff_id):
            fact: dict[str, object] = {"attempt": attempt}
            await audit.record(db, actor, "watch.proof.asked", kind="sitting", object_id=sitting_id, after=fact)
    return see_other(f"/sittings/{sitting_id}/pictures?asked=1#erased")


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    """A case that was opened meanwhile holds the pictures all the same: the mark waits for it."""
    attempt = act.payload["attempt"]
    assert act.sitting_id is not None
    await keeping.mark(db, act.sitting_id, attempt, f"{act.made_by_name}, {actor.full_name}"[:200])
    fact: dict[str, object] = {"sitting": act.sitting_id, "asked_by": act.made_by}
    await audit.record(
        db, actor, "watch.pictures.erased", kind="participant", object_id=attempt, after=fact, reason=act.reason
    )


ERASING = acts.register(acts.Act("watch.erase", N_("Erase a child's pictures"), ERASE, _perform))


async def _page(request: StaffRequest, db: Connection, sitting_id: int, form: Form | None) -> Response[str]:
    scope = request.scope["user"].scope(ERASE)
    head = await find_head(db, sitting_id, scope)
    whole = scope.country or set(head.regions) <= set(scope.regions)
    view = listing(request, {"since"}, "since")
    # Who has a part of the sitting asks for a child of his; lists of all children are for those who have all of it.
    held, total = await keeping.holds(db, sitting_id, limit=view.rows, offset=view.offset) if whole else ([], 0)
    return page(
        request,
        "proctoring/retention.html",
        status=422 if form else 200,
        sitting=head,
        term=await keeping.term(db, sitting_id),
        whole=whole,
        held=held,
        total=total,
        view=view,
        erased=await keeping.erasures(db, sitting_id) if whole else [],
        asked="asked" in request.query_params,
        reasons=keeping.REASONS,
        held_for=keeping.HELD_FOR,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


async def release_daily(pool: Pool) -> None:
    """Cases whose term of appeals is over let their pictures go."""
    async with pool.acquire() as db:
        await complaints.release_over(db)


ROUTES = [show, ask_erase, prove]
