"""Registrations that wait: a class teacher compares with the registry and confirms, or records what was signed on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit, consents, notices, readings
from portal.core.accounts import StaffRequest
from portal.core.consents import PURPOSES, RELATIONS, REPRESENTATIVES, NewConsent, texts
from portal.core.db import Connection
from portal.core.files.rows import parse_day
from portal.core.forms import LARGEST_ID, Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import everywhere
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.registration import queries
from portal.features.registration.form import LANGUAGE_NAMES
from portal.features.registration.joining import CONSENT_WAITS, By, erase, join
from portal.features.registration.problems import DecidedAlready, NotFitting
from portal.features.registration.reach import PERMISSION, reach_of, reaching

if TYPE_CHECKING:
    from datetime import date

    from portal.core.accounts import Actor
    from portal.features.registration.structs import Candidate, Registration

STATES: dict[str, str] = {"teacher": N_("wait for a teacher"), "consent": N_("wait for a consent")}
SORTS = ("made", "-made", "name", "-name")
NOT_DAY = N_("A day like 14.03.2015 is needed.")
NOT_YET = N_("A consent is given today or was given before.")
NOT_WITHOUT = N_("Without the registry there is no registration.")


@get("/registrations", guards=[allows(PERMISSION)])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """A page of those in reach."""
    actor = request.scope["user"]
    state = picked(request, "state", STATES, "teacher")
    view = listing(request, SORTS, "made")
    async with reaching(db, actor) as reach:
        rows, total = await queries.waiting(
            db, reach.parameters, state=state, sort=view.sort, limit=view.rows, offset=view.offset
        )
        await readings.count(db, actor, "row", len(rows))
    return page(request, "registration/list.html", rows=rows, total=total, view=view, state=state, states=STATES)


@get("/registrations/{registration_id:int}", guards=[allows(PERMISSION)])
async def show(request: StaffRequest, db: Connection, registration_id: int) -> Response[str]:
    """One, beside the rows of the registry that it may be."""
    return await _page(request, db, registration_id, None)


@post("/registrations/{registration_id:int}/confirm", guards=[allows(PERMISSION)])
async def confirm(request: StaffRequest, db: Connection, registration_id: int) -> Response[str]:
    """He is of this class, and he is this row of the registry or a new one. Then the parents are asked."""
    actor = request.scope["user"]
    form = Form(await request.form())
    chosen = form.text("person", most=20)
    if form.errors:
        return await _page(request, db, registration_id, form)
    async with reaching(db, actor):
        found = await _find(db, actor, registration_id, lock=True)
        if found.state != "teacher":
            raise DecidedAlready
        person_id = None if chosen == "new" else _candidate(await queries.candidates(db, found), chosen)
        fact: dict[str, object] = {"person": person_id, "login": found.login, "class": found.class_name}
        await audit.record(
            db, actor, "registration.request.confirmed", kind="registration", object_id=found.id, after=fact
        )
        async with everywhere(db):
            await queries.set_state(db, found.id, "consent", person_id, CONSENT_WAITS)
            # What the school recorded on paper before need not be asked again.
            if person_id is not None and await consents.holds(db, person_id, "registry"):
                again = await queries.find(db, found.id, lock=True)
                assert again is not None
                await join(db, again, [], _by(actor))
        await notices.tell(db, found.staff_id, "registration.confirmed", about=found.id, link="/own", filled={})
    return see_other("/registrations?done=1")


@post("/registrations/{registration_id:int}/decline", guards=[allows(PERMISSION)])
async def decline(request: StaffRequest, db: Connection, registration_id: int) -> Response[str]:
    """Not of this class, or a joke: all of it is erased."""
    actor = request.scope["user"]
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    if form.errors:
        return await _page(request, db, registration_id, form)
    async with reaching(db, actor):
        found = await _find(db, actor, registration_id, lock=True)
        async with everywhere(db):
            await erase(db, found.id, found.staff_id, "registration.request.declined", _by(actor), reason)
    return see_other("/registrations?declined=1")


@post("/registrations/{registration_id:int}/paper", guards=[allows(PERMISSION)])
async def record_paper(request: StaffRequest, db: Connection, registration_id: int) -> Response[str]:
    """A parent signed on paper: each purpose that was ticked there is on record, and the child is registered."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with reaching(db, actor):
        found = await _find(db, actor, registration_id, lock=True)
        if found.state != "consent":
            raise DecidedAlready
        given = await _read_paper(form, db, found, readings.today())
        if not form.errors:
            await join(db, found, given, _by(actor))
    if form.errors:
        return await _page(request, db, registration_id, form)
    return see_other("/registrations?state=consent&done=1")


async def _read_paper(form: Form, db: Connection, found: Registration, today: date) -> list[NewConsent]:
    given_on = parse_day(form.text("given_on"))
    if given_on is None or given_on > today:
        form.miss("given_on", NOT_DAY if given_on is None else NOT_YET)
        given_on = today
    grown = consents.of_age(found.birth_date, given_on, await consents.age_of_consent(db))
    relation = form.choice("relation", ["self"] if grown else REPRESENTATIVES)
    chosen = form.choices("purposes", list(PURPOSES))
    if "registry" not in chosen:
        form.miss("purposes", NOT_WITHOUT)
    version = form.choice("text_version", [one.version for one in await texts.versions(db)])
    given_by, language = form.text("given_by", most=120), form.choice("language", list(LANGUAGE_NAMES))
    return [
        NewConsent(
            purpose=purpose,
            given_by=given_by,
            relation=relation,
            text_version=version,
            language=language,
            channel="paper",
            third_parties="",
            given_on=given_on,
            ends_on=None,
        )
        for purpose in chosen
    ]


def _candidate(known: list[Candidate], chosen: str) -> int:
    """One of those that were shown; a row with a login is another's."""
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and int(chosen) <= LARGEST_ID else 0
    if number not in {one.id for one in known if not one.has_login}:
        raise NotFitting
    return number


def _by(actor: Actor) -> By:
    return By(staff_id=actor.staff_id, acting_as=actor.acting_as, address=actor.address)


async def _find(db: Connection, actor: Actor, registration_id: int, *, lock: bool = False) -> Registration:
    found = await queries.find(db, registration_id, lock=lock)
    if found is None or not reach_of(actor).fits(found.region_code, found.school_id, found.class_name):
        raise NotThere
    return found


async def _page(request: StaffRequest, db: Connection, registration_id: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    async with reaching(db, actor):
        found = await _find(db, actor, registration_id)
        known = await queries.candidates(db, found)
        await readings.count(db, actor, "card", 1 + len(known))
        grown = consents.of_age(found.birth_date, readings.today(), await consents.age_of_consent(db))
        versions = await texts.versions(db)
    return page(
        request,
        "registration/show.html",
        status=422 if form else 200,
        found=found,
        known=known,
        versions=versions,
        relations={code: text for code, text in RELATIONS.items() if (code == "self") == grown},
        purposes=PURPOSES,
        language_names=LANGUAGE_NAMES,
        today=readings.today(),
        ticked=form.choices("purposes", list(PURPOSES)) if form else [],
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_list, show, confirm, decline, record_paper]
