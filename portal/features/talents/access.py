"""Who may open the talents: a named person, for a reason, by a second person's word, until an end (SPEC R2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import acts, audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text, number
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.talents import queries
from portal.features.talents.problems import AccessWanted

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.features.talents.structs import Access

LONGEST_DAYS = 90


async def require(db: Connection, actor: Actor) -> Access:
    """The access of who asks; whoever has none gets nothing of the section, whatever his role."""
    access = await queries.access_of(db, actor.staff_id)
    # Who looks through another role looks with that role's eyes, and a role has no access.
    if access is None or actor.seen_as is not None:
        raise AccessWanted
    return access


@get("/talents/ask", guards=[allows("talent.view")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """The own access, and the form to ask for one."""
    return await _own(request, db, None)


@post("/talents/ask", guards=[allows("talent.view")])
async def ask(request: StaffRequest, db: Connection) -> Response[str]:
    """Ask a second person for access."""
    actor = request.scope["user"]
    form = Form(await request.form())
    reason, days = form.text("reason", most=200), form.integer("days", least=1, most=LONGEST_DAYS)
    if form.errors:
        return await _own(request, db, form)
    scope = actor.scope("talent.view")
    async with db.transaction():
        held = await queries.access_of(db, actor.staff_id)
        await acts.ask(
            db,
            actor,
            GIVE.code,
            sitting_id=None,
            payload={"days": days, "regions": list(scope.regions), "schools": list(scope.schools)},
            before={N_("Access to the talents"): Text(N_("yes")) if held else "—"},
            after={N_("For whom"): actor.full_name, N_("For how many days"): number(days)},
            reason=reason,
        )
    return see_other("/acts?asked=1")


@get("/talents/access", guards=[allows("talent.grant")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """Who has access, since when, why, by whose word; and who had."""
    return page(request, "talents/access.html", accesses=await queries.accesses(db), errors={})


@post("/talents/access/{access_id:int}/end", guards=[allows("talent.grant")])
async def end(request: StaffRequest, db: Connection, access_id: int) -> Response[str]:
    """End an access at once; one person may."""
    actor = request.scope["user"]
    async with db.transaction():
        whose = await queries.end_access(db, access_id, actor.staff_id)
        if whose is None:
            raise NotThere
        fact: dict[str, object] = {"staff_id": whose}
        await audit.record(db, actor, "talent.access.ended", kind="talent_access", object_id=access_id, before=fact)
    return see_other("/talents/access")


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    ends_at = datetime.now(UTC) + timedelta(days=min(act.payload["days"], LONGEST_DAYS)) - timedelta(minutes=1)
    access_id = await queries.give_access(db, act.made_by, act.reason, actor.staff_id, ends_at)
    fact: dict[str, object] = {"staff_id": act.made_by, "ends_at": ends_at.isoformat()}
    await audit.record(
        db, actor, "talent.access.given", kind="talent_access", object_id=access_id, after=fact, reason=act.reason
    )


GIVE = acts.register(
    acts.Act("talent.access", N_("Give access to the talents"), "talent.grant", _perform, of_house=True)
)


async def _own(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    staff_id = request.scope["user"].staff_id
    return page(
        request,
        "talents/ask.html",
        status=422 if form else 200,
        held=await queries.access_of(db, staff_id),
        waits=await db.fetchval(
            "select exists (select 1 from pending_act where act = $1 and made_by = $2 and state = 'waits')",
            *(GIVE.code, staff_id),
        ),
        longest=LONGEST_DAYS,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_own, ask, show, end]
