"""The tab of attached persons: whom a teacher, tutor or parent is there for, and who is there for a child."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post

from portal.core import audit, cards, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import exports
from portal.core.files.rows import parse_day
from portal.core.forms import Form
from portal.core.i18n import N_, of
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.ties import attached_list, queries
from portal.features.ties.problems import OwnPupils
from portal.features.ties.structs import FAMILY, KINDS, STATES, Filter, NewTie

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor

NOT_DAY = N_("A date like 14.03.2015 is needed.")
MOST_AT_ONCE = 60


@get("/persons/{person_id:int}/attached", guards=[allows("tie.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Both directions, filtered."""
    return await _page(request, db, person_id, None)


@get("/me/attached", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """Who is there for me, and whom I am there for: by name."""
    async with cards.opened(db, request.scope["user"], "own.account", None) as card:
        named = await queries.names(db, card.id)
    return page(request, "ties/own.html", named=named, kinds=KINDS, **cards.context(request, card))


@get("/persons/{person_id:int}/attached/new", guards=[allows("tie.edit")])
async def new(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Somebody is looked for and attached."""
    return await _new_page(request, db, person_id, Form.empty(), words(request))


@post("/persons/{person_id:int}/attached", guards=[allows("tie.edit")])
async def attach(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Attach those who are ticked."""
    actor = request.scope["user"]
    sent = await request.form()
    form = Form(sent)
    tie, ids = read_form(form), _ids(sent.getall("ids", []))
    if not ids:
        form.miss("ids", N_("Tick at least one person."))
    known = {one.code for one in await projects(db)}
    if tie.project is not None and tie.project not in known:
        form.miss("project", N_("Please choose one of the list."))
    if form.errors:
        return await _new_page(request, db, person_id, form, form.values.get("q", ""))
    async with cards.seen(db, actor, "tie.edit", person_id) as card:
        _not_to_oneself(actor, card, tie)
        if card.closed:
            raise NotThere
        made = await queries.attach(db, card.id, ids, tie, actor.staff_id)
        for attached in made:
            await _record(db, actor, "tie.tie.made", card.id, attached, msgspec.to_builtins(tie))
    return see_other(f"/persons/{person_id}/attached?made={len(made)}")


@post("/persons/{person_id:int}/attached/{tie_id:int}/end", guards=[allows("tie.edit")])
async def end(request: StaffRequest, db: Connection, person_id: int, tie_id: int) -> Response[str]:
    """From now on no longer."""
    actor = request.scope["user"]
    async with cards.seen(db, actor, "tie.edit", person_id) as card:
        attached = await queries.end(db, card.id, tie_id, actor.staff_id)
        await _record(db, actor, "tie.tie.ended", card.id, attached, {"tie": tie_id})
    return see_other(f"/persons/{person_id}/attached")


@post("/persons/{person_id:int}/attached/export", guards=[allows("tie.export")])
async def export(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The list as a file, made by a job."""
    actor = request.scope["user"]
    form = Form(await request.form())
    exports.read_form(form)
    if form.errors:
        return await _page(request, db, person_id, form)
    wanted = read_filter(request)
    async with cards.seen(db, actor, "tie.export", person_id) as card:
        _, how_many = await queries.attached(db, card.id, wanted, limit=1)
        job_id = await exports.ask(
            db,
            actor,
            attached_list.FILE,
            form,
            how_many=how_many,
            person_id=card.id,
            wanted=msgspec.to_builtins(wanted),
        )
    await request.app.state.queues.send(job_id, exports.KIND)
    return see_other(f"/exports/{job_id}")


def read_filter(request: StaffRequest) -> Filter:
    """The list's filter from the address."""
    return Filter(
        words=words(request),
        kind=picked(request, "kind", KINDS),
        project=picked(request, "project", [one.code for one in request.scope["user"].projects]),
        state=picked(request, "state", STATES, "now"),
    )


def read_form(form: Form) -> NewTie:
    """A tie from the form; what is wrong is noted there."""
    today = readings.today()
    kind = form.choice("kind", list(KINDS))
    since = _day(form, "since") or today
    until = _day(form, "until")
    if until is not None and until < since:
        form.miss("until", N_("The last day lies before the first."))
    return NewTie(
        kind=kind, project=None if kind in FAMILY else form.values.get("project") or None, since=since, until=until
    )


def _day(form: Form, name: str) -> date | None:
    text = form.text(name, required=False, most=20)
    day = parse_day(text) if text else None
    if text and day is None:
        form.miss(name, NOT_DAY)
    return day


def _ids(sent: list[Any]) -> list[int]:
    return [int(one) for one in sent if isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 16][
        :MOST_AT_ONCE
    ]


def _not_to_oneself(actor: Actor, card: cards.Card, tie: NewTie) -> None:
    if actor.person_id == card.id and tie.kind not in FAMILY:
        raise OwnPupils


async def _page(request: StaffRequest, db: Connection, person_id: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    wanted, view = read_filter(request), listing(request, queries.SORTS, "name")
    async with cards.opened(db, actor, "tie.view", person_id) as card:
        rows, total = await queries.attached(db, card.id, wanted, sort=view.sort, limit=view.rows, offset=view.offset)
        await readings.count(db, actor, "row", len(rows))
        named = await queries.names(db, card.id)
    pairs = [("q" if name == "words" else name, value) for name, value in msgspec.to_builtins(wanted).items()]
    return page(
        request,
        "ties/list.html",
        status=422 if form else 200,
        rows=rows,
        total=total,
        view=view,
        wanted=wanted,
        named=[one for one in named if not one.holds],
        contacts=actor.may("tie.contact"),
        link=f"/persons/{person_id}/attached?{urlencode(pairs)}",
        kinds=KINDS,
        states=STATES,
        file_action=f"/persons/{person_id}/attached/export?{urlencode(pairs)}",
        file_errors=form.errors if form else {},
        **cards.context(request, card),
    )


async def _new_page(request: StaffRequest, db: Connection, person_id: int, form: Form, asked: str) -> Response[str]:
    actor = request.scope["user"]
    async with cards.opened(db, actor, "tie.edit", person_id) as card:
        found = await queries.search(db, asked, card.id)
        await readings.count(db, actor, "row", len(found))
        known = await projects(db)
    return page(
        request,
        "ties/new.html",
        status=422 if form.errors else 200,
        found=found,
        words=asked,
        most=queries.MOST_FOUND,
        project_choices=[(one.code, of(one.name)) for one in known],
        kinds=KINDS,
        today=readings.today(),
        errors=form.errors,
        values=form.values,
        **cards.context(request, card),
    )


async def _record(
    db: Connection, actor: Actor, act: str, holder_id: int, attached_id: int, more: dict[str, object]
) -> None:
    """On both cards."""
    for one, fact in ((holder_id, {"attached": attached_id}), (attached_id, {"holder": holder_id})):
        await audit.record(db, actor, act, kind="person", object_id=one, after={**fact, **more})


ROUTES = [show, show_own, new, attach, end, export]
