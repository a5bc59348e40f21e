"""What staff do with pupils of a sitting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

from engine.protocol import Kind
from portal.core import audit, given_back, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.tables import Table, export
from portal.core.forms import Form
from portal.core.i18n import N_, of, t
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.problems import NotThere, OwnSchool
from portal.core.scope import within
from portal.core.sittings import find_head, find_head_of_pupils, tabs
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.participants import queries, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.accounts import Actor, Scope
    from portal.core.i18n import Text
    from portal.core.sittings import SittingHead

STATES = {
    "no-code": N_("without a slip"),
    "locked": N_("with a locked code"),
    "absent": N_("not signed in"),
    "waiting": N_("in the waiting room"),
    "writing": N_("writing"),
    "finished": N_("finished"),
    "extra": N_("with extra time"),
    "no-camera": N_("without a camera"),
}
EXPORT_ROWS = 400_000


def room(actor: Actor, head: SittingHead) -> dict[str, Any]:
    """What every page of a sitting's room shows."""
    return {"sitting": head, "tabs": [(path, t(text)) for path, text in tabs(actor, head)]}


@get("/sittings/{sitting_id:int}/participants", guards=[allows("participant.view")])
async def show_list(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The list, found by half a name."""
    actor = request.scope["user"]
    async with within(db, actor.scope("participant.view")) as scope:
        return await _list(request, db, actor, sitting_id, scope)


async def _list(request: StaffRequest, db: Connection, actor: Actor, sitting_id: int, scope: Scope) -> Response[str]:
    head = await find_head_of_pupils(db, actor, sitting_id, scope)
    view = listing(request, queries.SORTS, "school")
    regions = await territory.regions(db, scope)
    region = picked(request, "region", [item.code for item in regions])
    state, asked = picked(request, "state", STATES), words(request)
    school = request.query_params.get("school", "")
    school_id = int(school) if school.isascii() and school.isdigit() and len(school) < 9 else None
    rows, total = await queries.list_participants(
        db,
        sitting_id,
        scope,
        state=state,
        region=region,
        school=school_id,
        words=asked,
        sort=view.sort,
        limit=view.rows,
        offset=view.offset,
    )
    chosen = await territory.school(db, school_id, scope) if school_id else None
    return page(
        request,
        "participants/list.html",
        rows=rows,
        total=total,
        view=view,
        regions=[item for item in regions if item.code in head.regions],
        region=region,
        state=state,
        states=STATES,
        words=asked,
        school=chosen,
        **room(actor, head),
    )


@get("/sittings/{sitting_id:int}/participants/export/{form:str}", guards=[allows("participant.export")])
async def export_list(request: StaffRequest, db: Connection, sitting_id: int, form: str) -> Response[bytes]:
    """The class list as a file: names and how far they are; no birth dates, no codes."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    actor = request.scope["user"]
    scope = actor.scope("participant.export")
    await find_head(db, sitting_id, scope)
    rows, _ = await queries.list_participants(
        db, sitting_id, scope, state="", region="", school=None, words="", sort="school", limit=EXPORT_ROWS, offset=0
    )
    head = [N_("Number"), N_("Pupil"), N_("School"), N_("Room"), N_("Grade"), N_("Class letter")]
    head += [N_("Language of the test")]
    head += [N_("Extra minutes"), N_("Signed in"), N_("Started"), N_("Finished")]
    lines = [
        [row.id, row.name, of(row.school), row.room, row.grade, row.class_letter, row.language, row.extra_minutes]
        + [row.signed_in_at, row.started_at, row.finished_at]
        for row in rows
    ]
    async with db.transaction():
        fact: dict[str, object] = {"rows": len(rows), "form": form}
        await audit.record(db, actor, "participant.list.exported", kind="sitting", object_id=sitting_id, after=fact)
    return export(Table(t(N_("Pupils")), [t(name) for name in head], lines), form)


@get("/sittings/{sitting_id:int}/participants/{participant_id:int}", guards=[allows("participant.view")])
async def show(request: StaffRequest, db: Connection, sitting_id: int, participant_id: int) -> Response[str]:
    """One pupil: why he isn't in, or how far he is."""
    return await _card(request, db, sitting_id, participant_id, {})


async def _card(
    request: StaffRequest, db: Connection, sitting_id: int, participant_id: int, errors: Mapping[str, Text]
) -> Response[str]:
    actor = request.scope["user"]
    async with within(db, actor.scope("participant.view")) as scope:
        head = await find_head_of_pupils(db, actor, sitting_id, scope)
        pupil = await queries.find_participant(db, sitting_id, participant_id, scope)
        devices = await queries.devices(db, sitting_id, participant_id, scope)
        await audit.record(db, actor, "participant.card.opened", kind="participant", object_id=participant_id)
    return page(
        request,
        "participants/show.html",
        status=422 if errors else 200,
        errors=errors,
        pupil=pupil,
        reasons=rules.why(head, pupil, head.now()),
        devices=devices,
        events=await queries.newest_events(db, sitting_id, participant_id),
        controls=await queries.controls_seen(db, sitting_id, participant_id),
        given=await given_back.given_to(db, participant_id),
        from_ms=from_ms,
        kind_names=KIND_NAMES,
        **room(actor, head),
    )


@post("/sittings/{sitting_id:int}/participants/{participant_id:int}/lock", guards=[allows("participant.lock")])
async def lock(request: StaffRequest, db: Connection, sitting_id: int, participant_id: int) -> Response[str]:
    """Lock or unlock the code, or let a device in that was held back."""
    actor = request.scope["user"]
    form = Form(await request.form())
    do = form.choice("do", list(ACT_OF))
    if form.errors:
        return await _card(request, db, sitting_id, participant_id, form.errors)
    pupil = await queries.find_participant(db, sitting_id, participant_id, actor.scope("participant.lock"))
    if pupil.school_id == actor.own_school_id:
        raise OwnSchool
    async with db.transaction():
        if do == "free":
            await queries.free_devices(db, participant_id, datetime.now(UTC))
        else:
            await queries.set_lock(db, participant_id, datetime.now(UTC) if do == "lock" else None)
        await audit.record(db, actor, ACT_OF[do], kind="participant", object_id=participant_id)
    return see_other(f"/sittings/{sitting_id}/participants/{participant_id}")


ACT_OF = {
    "lock": "participant.code.locked",
    "unlock": "participant.code.unlocked",
    "free": "participant.devices.freed",
}

KIND_NAMES = {
    Kind.ANSWER: N_("answered"),
    Kind.VIEW: N_("saw a question"),
    Kind.MARK: N_("marked a question"),
    Kind.UNMARK: N_("took a mark away"),
    Kind.BLUR: N_("left the page"),
    Kind.FOCUS: N_("came back to the page"),
    Kind.LANGUAGE: N_("changed the language"),
    Kind.REPORT: N_("reported a question"),
    Kind.START: N_("read the first question"),
    Kind.FINISH: N_("finished"),
    Kind.CONTROL: N_("received an instruction"),
    Kind.SECTION: N_("opened a section"),
    Kind.OPENED: N_("opened the test with the room's code"),
    Kind.TRIED: N_("told what it had tried in vain"),
    Kind.REFUSED: N_("sent something that could not be kept"),
}

ROUTES = [show_list, export_list, show, lock]
