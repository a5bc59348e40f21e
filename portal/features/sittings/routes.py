"""What a test administrator does with sittings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from portal.core import acts, audit, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.tables import Table, export
from portal.core.forms import Form
from portal.core.i18n import ASTANA, N_, Text, number, of, t, when
from portal.core.machines import hooks
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import STATES, find_head, require_whole, tabs
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.sittings import pictures, queries, rules, watching
from portal.features.sittings.problems import CannotClose, NotDraft, NotReady
from portal.features.sittings.structs import Check, Facts, Sitting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings import PortalSettings
    from portal.core.accounts import Actor, Scope

EXPORT_ROWS = 5000


@get("/sittings", guards=[allows("sitting.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """The list, with filters."""
    scope = request.scope["user"].scope("sitting.view")
    state, q = picked(request, "state", STATES), words(request)
    view = listing(request, queries.SORTS, "-start")
    rows, total = await queries.list_sittings(
        db, scope, state=state, words=q, sort=view.sort, limit=view.rows, offset=view.offset
    )
    return page(
        request,
        "sittings/list.html",
        rows=rows,
        total=total,
        state=state,
        words=q,
        sort=view.sort,
        states=STATES,
        at=view.at,
        pages=view.pages(total),
    )


@get("/sittings/export/{form:str}", guards=[allows("sitting.view")])
async def export_list(request: StaffRequest, db: Connection, form: str) -> Response[bytes]:
    """The list as a file."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    rows, _ = await queries.list_sittings(
        db, request.scope["user"].scope("sitting.view"), state="", words="", sort="-start", limit=EXPORT_ROWS, offset=0
    )
    head = [N_("Number"), N_("Title"), N_("Test"), N_("Form"), N_("State"), N_("Start"), N_("Last entry"), N_("Pupils")]
    lines = [
        [
            row.id,
            of(row.title),
            of(row.test),
            row.form,
            t(STATES[row.state]),
            row.starts_at,
            row.last_entry_at,
            row.participants,
        ]
        for row in rows
    ]
    return export(Table(t(N_("Sittings")), [t(name) for name in head], lines), form)


@get("/sittings/new", guards=[allows("sitting.edit")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """An empty form with sensible times."""
    start = (datetime.now(ASTANA) + timedelta(days=7)).replace(hour=10, minute=0, second=0, microsecond=0)
    values = {
        "waiting_opens_at": (start - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M"),
        "starts_at": start.strftime("%Y-%m-%dT%H:%M"),
        "last_entry_at": (start + timedelta(minutes=15)).strftime("%Y-%m-%dT%H:%M"),
        "duration_min": "60",
        "grace_min": "2",
        "spread_s": "60",
        "place": "home",
        "late_policy": "person",
        **watching.watch_values(None),
    }
    return await _form_page(request, db, None, values, [])


@post("/sittings/new", guards=[allows("sitting.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A draft."""
    actor = request.scope["user"]
    form = Form(await request.form())
    draft = rules.read_draft(form, *await _allowed(db, actor.scope("sitting.edit")))
    if draft is None:
        return await _form_page(request, db, None, form.values, form.choices("regions", await _codes(db)), form.errors)
    async with db.transaction():
        sitting_id = await queries.insert(db, draft, actor.staff_id)
        await audit.record(db, actor, "sitting.draft.made", kind="sitting", object_id=sitting_id, after=draft)
    return see_other(f"/sittings/{sitting_id}")


@get("/sittings/{sitting_id:int}/edit", guards=[allows("sitting.edit")])
async def edit(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The draft in its form."""
    sitting = await _editable(request, db, sitting_id)
    if sitting.state != "draft":
        raise NotDraft
    return await _form_page(request, db, sitting, pictures.form_values(sitting), sitting.regions)


@post("/sittings/{sitting_id:int}/edit", guards=[allows("sitting.edit")])
async def change(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Change the draft; the clock is to be rehearsed again."""
    actor = request.scope["user"]
    before = await _editable(request, db, sitting_id)
    form = Form(await request.form())
    draft = rules.read_draft(form, *await _allowed(db, actor.scope("sitting.edit")))
    if draft is None:
        picked = form.choices("regions", await _codes(db))
        return await _form_page(request, db, before, form.values, picked, form.errors)
    async with db.transaction():
        if not await queries.update(db, sitting_id, draft):
            raise NotDraft
        await audit.record(
            db, actor, "sitting.draft.changed", kind="sitting", object_id=sitting_id, before=before, after=draft
        )
    return see_other(f"/sittings/{sitting_id}")


@get("/sittings/{sitting_id:int}", guards=[allows("sitting.view")])
async def show(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The sitting, what is missing, and the one next step."""
    actor = request.scope["user"]
    sitting = await queries.find_sitting(db, sitting_id, actor.scope("sitting.view"))
    checks = rules.checks(sitting, await _facts(db, sitting), datetime.now(UTC)) if sitting.state == "draft" else []
    return await _show(request, db, sitting, "sittings/show.html", checks=checks)


@get("/sittings/{sitting_id:int}/clock", guards=[allows("sitting.view")])
async def clock(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The whole time line, as a picture and a table."""
    sitting = await queries.find_sitting(db, sitting_id, request.scope["user"].scope("sitting.view"))
    courses = rules.rehearse(sitting, sitting.extra_minutes)
    return await _show(
        request, db, sitting, "sittings/clock.html", courses=courses, drawing=pictures.time_line(sitting, courses)
    )


@post("/sittings/{sitting_id:int}/clock", guards=[allows("sitting.edit")])
async def rehearse(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """A person confirms the time line."""
    actor = request.scope["user"]
    sitting = await _editable(request, db, sitting_id)
    courses = rules.rehearse(sitting, sitting.extra_minutes)
    async with db.transaction():
        if not await queries.set_rehearsed(db, sitting_id, datetime.now(UTC)):
            raise NotDraft
        after: dict[str, object] = {"last_over": max(course.over for course in courses)}
        await audit.record(db, actor, "sitting.clock.rehearsed", kind="sitting", object_id=sitting_id, after=after)
    return see_other(f"/sittings/{sitting_id}")


@post("/sittings/{sitting_id:int}/publish", guards=[allows("sitting.publish")])
async def publish(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Publish; what only two persons may accept waits for the second one."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("sitting.publish"), lock=True)
        require_whole(head, actor.scope("sitting.publish"))
        sitting = await queries.find_sitting(db, sitting_id, actor.scope("sitting.publish"))
        if sitting.state != "draft":
            raise NotDraft
        missing = [
            check
            for check in rules.checks(sitting, await _facts(db, sitting), datetime.now(UTC))
            if not check.fulfilled
        ]
        reason = form.text("reason", required=bool(missing))
        if any(not check.acceptable for check in missing) or (missing and not reason):
            raise NotReady
        if missing:
            await _ask_second(db, actor, sitting, missing, reason)
            return see_other("/acts?asked=1")
        await _publish(db, actor, sitting_id, "")
    return see_other(f"/sittings/{sitting_id}")


@post("/sittings/{sitting_id:int}/close", guards=[allows("sitting.close")])
async def close(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Close a sitting in which nobody can write any more."""
    actor = request.scope["user"]
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("sitting.close"), lock=True)
        require_whole(head, actor.scope("sitting.close"))
        sitting = await queries.find_sitting(db, sitting_id, actor.scope("sitting.close"))
        until = await queries.last_over(db, head, rules.over_at(sitting, sitting.extra_minutes))
        if head.now() < until:
            raise CannotClose(until=when(until))
        if not await queries.close(db, sitting_id, datetime.now(UTC)):
            raise NotDraft
        await audit.record(db, actor, "sitting.sitting.closed", kind="sitting", object_id=sitting_id)
    return see_other(f"/sittings/{sitting_id}")


@get("/sittings/{sitting_id:int}/history", guards=[allows("sitting.view")])
async def history(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Who did what."""
    sitting = await queries.find_sitting(db, sitting_id, request.scope["user"].scope("sitting.view"))
    lines = await queries.history(db, sitting_id)
    return await _show(request, db, sitting, "sittings/history.html", lines=lines, act_names=audit.ACTS)


async def _publish(db: Connection, actor: Actor, sitting_id: int, reason: str) -> None:
    if not await queries.publish(db, sitting_id, datetime.now(UTC)):
        raise NotDraft
    await audit.record(db, actor, "sitting.sitting.published", kind="sitting", object_id=sitting_id, reason=reason)
    await hooks.tell(db, actor.project, "sitting.published", sitting_id)


async def _ask_second(db: Connection, actor: Actor, sitting: Sitting, missing: list[Check], reason: str) -> None:
    accepted = [check.code for check in missing]
    days = sitting.watch.keep_days if sitting.watch and rules.KEPT in accepted else None
    await acts.ask(
        db,
        actor,
        PUBLISH_ANYWAY.code,
        sitting_id=sitting.id,
        payload={"regions": sitting.regions, "accepted": accepted, "keep_days": days},
        before={N_("State"): Text(STATES["draft"]), N_("Pupils"): number(sitting.participants)}
        | ({N_("Pictures are kept, days"): number(watching.USUAL_DAYS)} if days else {}),
        after={
            N_("State"): Text(STATES["published"]),
            N_("Accepted though missing"): [Text(check.text) for check in missing],
        }
        | ({N_("Pictures are kept, days"): number(days)} if days else {}),
        reason=reason,
    )


async def _perform_publish(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    """The second person agreed; everything but the accepted points is checked again."""
    assert act.sitting_id is not None
    scope = actor.scope("sitting.publish")
    await find_head(db, act.sitting_id, scope, lock=True)
    sitting = await queries.find_sitting(db, act.sitting_id, scope)
    missing = {
        check.code
        for check in rules.checks(sitting, await _facts(db, sitting), datetime.now(UTC))
        if not check.fulfilled
    }
    if not missing <= set(act.payload["accepted"]):
        raise NotReady
    # What the second person agreed to is a number of days, not whatever the draft says by now.
    if rules.KEPT in missing and (sitting.watch is None or sitting.watch.keep_days != act.payload.get("keep_days")):
        raise NotReady
    await _publish(db, actor, act.sitting_id, act.reason)


PUBLISH_ANYWAY = acts.register(
    acts.Act("sitting.publish-anyway", N_("Publish a sitting with an open point"), "sitting.publish", _perform_publish)
)


async def _facts(db: Connection, sitting: Sitting) -> Facts:
    known = {form.id: form for form in await queries.forms(db)}
    ids = [sitting.form_id] + ([sitting.reserve_form_id] if sitting.reserve_form_id else [])
    return Facts(
        form=known[sitting.form_id],
        reserve=known.get(sitting.reserve_form_id or 0),
        other_uses=await queries.other_uses(db, sitting.id, ids),
    )


async def _editable(request: StaffRequest, db: Connection, sitting_id: int) -> Sitting:
    scope = request.scope["user"].scope("sitting.edit")
    require_whole(await find_head(db, sitting_id, scope), scope)
    return await queries.find_sitting(db, sitting_id, scope)


async def _codes(db: Connection) -> list[str]:
    return [region.code for region in await territory.regions(db)]


async def _allowed(db: Connection, scope: Scope) -> tuple[list[int], list[str]]:
    regions = [region.code for region in await territory.regions(db) if scope.country or region.code in scope.regions]
    return [form.id for form in await queries.forms(db)], regions


async def _form_page(
    request: StaffRequest,
    db: Connection,
    sitting: Sitting | None,
    values: Mapping[str, str],
    picked: list[str],
    errors: Mapping[str, object] | None = None,
) -> Response[str]:
    scope = request.scope["user"].scope("sitting.edit")
    regions = [region for region in await territory.regions(db) if scope.country or region.code in scope.regions]
    return page(
        request,
        "sittings/form.html",
        status=422 if errors else 200,
        sitting=sitting,
        values=values,
        picked=picked,
        errors=errors or {},
        forms=await queries.forms(db),
        regions=regions,
        places=rules.PLACES,
        policies=rules.LATE_POLICIES,
        watches=watching.WATCHES,
        rhythms=watching.rhythms(),
        usual_days=watching.USUAL_DAYS,
    )


async def _show(
    request: StaffRequest, db: Connection, sitting: Sitting, template: str, **context: Any
) -> Response[str]:
    actor = request.scope["user"]
    head = await find_head(db, sitting.id, actor.scope("sitting.view"))
    return page(
        request,
        template,
        sitting=sitting,
        head=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        states=STATES,
        places=rules.PLACES,
        policies=rules.LATE_POLICIES,
        estimate=watching.estimate(sitting.watch, sitting.duration_s) if sitting.watch else None,
        **context,
    )


ROUTES = [show_list, export_list, new, make, edit, change, show, clock, rehearse, publish, close, history]
