"""A person's consents: seen, recorded, withdrawn; each purpose apart (SAFETY P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get, post

from portal.core import audit, cards, consents, readings
from portal.core.accounts import StaffRequest
from portal.core.consents import CHANNELS, PURPOSES, RELATIONS, NewConsent, erasing
from portal.core.db import Connection
from portal.core.files.rows import parse_day
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.pages import page, see_other
from portal.features.persons import queries
from portal.features.persons.rules import NOT_DAY
from portal.features.persons.structs import LANGUAGE_NAMES

if TYPE_CHECKING:
    from datetime import date

    from portal.features.persons.structs import Person

NOT_OF_AGE = N_("On that day the person was not of age: a parent or guardian gives the consent.")
NOT_YET = N_("A consent is given today or was given before.")
ENDS_BEFORE = N_("The last day lies before the day on which it was given.")


@get("/persons/{person_id:int}/consents", guards=[allows("person.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """All of a person, and the form."""
    return await _page(request, db, person_id, None)


@post("/persons/{person_id:int}/consents", guards=[allows("consent.edit")])
async def add(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Record a consent."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with acting(db, actor, "consent.edit"):
        person = await queries.find_person(db, person_id)
        given = read_form(form, person, readings.today(), await consents.age_of_consent(db))
        if person.status in {"merged", "erased"}:
            raise NotThere
        if not form.errors:
            consent_id = await consents.record(db, person_id, given, actor.staff_id)
            fact: dict[str, object] = {"consent": consent_id, **msgspec.to_builtins(given)}
            await audit.record(db, actor, "person.consent.recorded", kind="person", object_id=person_id, after=fact)
    if form.errors:
        return await _page(request, db, person_id, form)
    return see_other(f"/persons/{person_id}/consents")


@post("/persons/{person_id:int}/consents/withdraw", guards=[allows("consent.edit")])
async def withdraw(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Record that a purpose is withdrawn; what it fed stops in the same transaction."""
    actor = request.scope["user"]
    form = Form(await request.form())
    purpose, note = form.choice("withdrawn", list(PURPOSES)), form.text("note", most=200)
    async with acting(db, actor, "consent.edit"):
        await queries.find_person(db, person_id)
        if not form.errors:
            if not await consents.withdraw(db, person_id, purpose, actor.staff_id, note):
                raise NotThere
            fact: dict[str, object] = {"purpose": purpose}
            await audit.record(
                db, actor, "person.consent.withdrawn", kind="person", object_id=person_id, after=fact, reason=note
            )
    if form.errors:
        return await _page(request, db, person_id, form)
    return see_other(f"/persons/{person_id}/consents")


def read_form(form: Form, person: Person, today: date, age: int) -> NewConsent:
    """A consent from the form; what is wrong is noted there."""
    given_on = parse_day(form.text("given_on"))
    if given_on is None:
        form.miss("given_on", NOT_DAY)
        given_on = today
    elif given_on > today:
        form.miss("given_on", NOT_YET)
    ends = form.text("ends_on", required=False)
    ends_on = parse_day(ends) if ends else None
    if ends and ends_on is None:
        form.miss("ends_on", NOT_DAY)
    if ends_on is not None and ends_on < given_on:
        form.miss("ends_on", ENDS_BEFORE)
    relation = form.choice("relation", list(RELATIONS))
    if relation == "self" and not consents.of_age(person.birth_date, given_on, age):
        form.miss("relation", NOT_OF_AGE)
    return NewConsent(
        purpose=form.choice("purpose", list(PURPOSES)),
        given_by=form.text("given_by", most=200),
        relation=relation,
        text_version=form.text("text_version", most=40),
        language=form.choice("language", list(LANGUAGE_NAMES)),
        channel=form.choice("channel", list(CHANNELS)),
        third_parties=form.text("third_parties", required=False, most=200),
        given_on=given_on,
        ends_on=ends_on,
    )


async def _page(request: StaffRequest, db: Connection, person_id: int, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    async with acting(db, actor, "person.view"):
        person = await queries.find_person(db, person_id)
        await readings.count(db, actor, "card")
        known = await consents.of_person(db, person_id)
        erasures = await erasing.of_person(db, person_id)
    return page(
        request,
        "persons/consents.html",
        status=422 if form else 200,
        **cards.context(request, person.card),
        person=person,
        known=known,
        erasures=erasures,
        held_as=erasing.HELD_AS,
        held=[purpose for purpose in PURPOSES if any(one.holds and one.purpose == purpose for one in known)],
        purposes=PURPOSES,
        relations=RELATIONS,
        channels=CHANNELS,
        language_names=LANGUAGE_NAMES,
        today=readings.today(),
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show, add, withdraw]
