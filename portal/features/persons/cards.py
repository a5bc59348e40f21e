"""One person: the card, its form, his projects, his archive, his history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from litestar import Response, get, post

from portal.core import audit, cards, readings, territory
from portal.core.accounts import StaffRequest
from portal.core.audit import ACTS
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.iin import keys_of, mask
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.pages import page, see_other
from portal.features.persons import queries, rules
from portal.features.persons.fields import all_fields, shown_values
from portal.features.persons.routes import places
from portal.features.persons.structs import LANGUAGE_NAMES, PROJECTS, ROLE_NAMES, ROLES, SEXES, STATUSES, TITLES

if TYPE_CHECKING:
    from portal.core.accounts import Scope
    from portal.core.iin import Iin
    from portal.features.persons.structs import NewPerson, Person

EXTERNAL_TAKEN = N_("Another person has this external id.")


@get("/persons/{person_id:int}", guards=[allows("person.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The card."""
    return await card(request, db, person_id)


async def card(
    request: StaffRequest, db: Connection, person_id: int, *, iin: str | None = None, errors: Form | None = None
) -> Response[str]:
    """The card; `iin`: the number in full, for this once."""
    actor = request.scope["user"]
    async with acting(db, actor, "person.view") as scope:
        person = await queries.find_person(db, person_id)
        await readings.count(db, actor, "card")
        await audit.record(db, actor, "person.card.opened", kind="person", object_id=person_id)
        fields = await all_fields(db)
        members = await queries.members(db, person_id)
        context: dict[str, Any] = {
            "schools": await queries.schools(db, region=person.region_code, scope=scope)
            if actor.may("person.edit")
            else [],
            "lines": [(member, shown_values(member, fields)) for member in members],
        }
    digits = None
    if person.sealed and person.blind:
        digits = keys_of(request.app.state.settings).open(person.sealed, person.blind)
    return page(
        request,
        "persons/card.html",
        status=422 if errors else 200,
        **cards.context(request, person.card),
        person=person,
        masked=mask(digits) if digits else None,
        has_iin=person.sealed is not None,
        iin=iin,
        fields=fields,
        errors=errors.errors if errors else {},
        values=errors.values if errors else {},
        **_names(),
        **context,
    )


@get("/persons/{person_id:int}/history", guards=[allows("person.view")])
async def history(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """All that was done with this person."""
    actor = request.scope["user"]
    async with acting(db, actor, "person.view"):
        person = await queries.find_person(db, person_id)
        await readings.count(db, actor, "card")
        lines = await queries.history(db, person_id)
    known = cards.context(request, person.card)
    return page(
        request, "persons/history.html", **known, person=person, lines=lines, acts=ACTS, titles=TITLES, **_names()
    )


@get("/persons/new", guards=[allows("person.edit")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The empty form."""
    async with acting(db, request.scope["user"], "person.edit") as scope:
        return await _form(request, db, scope, None, None)


@post("/persons/new", guards=[allows("person.edit")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """Add a person; twins are looked for at once. `reload`: without script, the places below the chosen region."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with acting(db, actor, "person.edit") as scope:
        if "reload" in form.values:
            return await _form(request, db, scope, None, form)
        made, iin = await _read(form, db, scope)
        if form.errors:
            return await _form(request, db, scope, None, form)
        try:
            async with db.transaction():
                person_id = await queries.insert_person(db, made, actor.staff_id)
        except asyncpg.UniqueViolationError:
            form.miss("external_id", EXTERNAL_TAKEN)
            return await _form(request, db, scope, None, form)
        await audit.record(db, actor, "person.person.made", kind="person", object_id=person_id, after=_fact(made))
        await _give_iin(request, db, person_id, iin)
        await queries.flag_twins(db, [person_id])
    return see_other(f"/persons/{person_id}")


@get("/persons/{person_id:int}/edit", guards=[allows("person.edit")])
async def edit(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The form with what is known."""
    actor = request.scope["user"]
    async with acting(db, actor, "person.edit") as scope:
        person = await queries.find_person(db, person_id)
        await readings.count(db, actor, "card")
        return await _form(request, db, scope, person, None)


@post("/persons/{person_id:int}/edit", guards=[allows("person.edit")])
async def change(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Write the form; the record holds what differs, before and after."""
    actor = request.scope["user"]
    form = Form(await request.form())
    async with acting(db, actor, "person.edit") as scope:
        before = await queries.find_person(db, person_id, lock=True)
        if "reload" in form.values:
            await readings.count(db, actor, "card")
            return await _form(request, db, scope, before, form)
        made, iin = await _read(form, db, scope)
        if form.errors:
            await readings.count(db, actor, "card")
            return await _form(request, db, scope, before, form)
        old, new_values = msgspec.to_builtins(before), _fact(made)
        differs = [name for name, value in new_values.items() if old.get(name) != value]
        try:
            async with db.transaction():
                await queries.update_person(db, person_id, made)
        except asyncpg.UniqueViolationError:
            form.miss("external_id", EXTERNAL_TAKEN)
            return await _form(request, db, scope, before, form)
        if differs:
            was, now = {name: old.get(name) for name in differs}, {name: new_values[name] for name in differs}
            await audit.record(
                db, actor, "person.person.changed", kind="person", object_id=person_id, before=was, after=now
            )
        await _give_iin(request, db, person_id, iin)
        await queries.flag_twins(db, [person_id])
    return see_other(f"/persons/{person_id}")


@post("/persons/{person_id:int}/archive", guards=[allows("person.edit")])
async def archive(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Into the archive, or out of it: lists no longer show him, nothing is lost."""
    actor = request.scope["user"]
    async with acting(db, actor, "person.edit"):
        person = await queries.find_person(db, person_id, lock=True)
        if person.status == "merged":
            raise NotThere
        to, act = (
            ("archived", "person.person.archived")
            if person.status == "active"
            else ("active", "person.person.restored")
        )
        await queries.set_status(db, person_id, to)
        await audit.record(db, actor, act, kind="person", object_id=person_id)
    return see_other(f"/persons/{person_id}")


@post("/persons/{person_id:int}/projects/{project:str}", guards=[allows("person.edit")])
async def set_project(request: StaffRequest, db: Connection, person_id: int, project: str) -> Response[str]:
    """His role, school and own data in a project; or out of it."""
    if project not in PROJECTS:
        raise NotThere
    actor = request.scope["user"]
    form = Form(await request.form())
    async with acting(db, actor, "person.edit") as scope:
        await queries.find_person(db, person_id, lock=True)
        known = {member.project: member for member in await queries.members(db, person_id)}
        before = msgspec.to_builtins(known[project]) if project in known else None
        if form.values.get("do") == "leave":
            if await queries.drop_member(db, person_id, project):
                await audit.record(db, actor, "person.project.left", kind="person", object_id=person_id, before=before)
            return see_other(f"/persons/{person_id}")
        role = form.choice("role", list(ROLES[project]))
        attributes = rules.read_attributes(form, await all_fields(db, project))
        wanted = form.optional_id("school")
        school = await territory.school(db, wanted, scope) if wanted else None
        if wanted and school is None:
            form.miss("school", rules.NO_PLACE)
        if not form.errors:
            school_id = school.id if school else None
            await queries.set_member(db, person_id, project, role, school_id, attributes)
            after: dict[str, object] = {"project": project, "role": role, "attributes": attributes}
            act = "person.project.changed" if before else "person.project.joined"
            await audit.record(db, actor, act, kind="person", object_id=person_id, before=before, after=after)
    if form.errors:
        return await card(request, db, person_id, errors=form)
    return see_other(f"/persons/{person_id}")


async def _read(form: Form, db: Connection, scope: Scope) -> tuple[NewPerson, Iin | None]:
    """The form's person and, if one was typed, his number."""
    made = rules.read_form(form, datetime.now(UTC).date(), await _place(form, db, scope))
    text = form.values.get("iin", "").strip()
    if not text:
        return made, None
    iin = rules.read_iin(text, made.birth_date, made.sex)
    # It does not go back to the page, right or wrong.
    form.values["iin"] = ""
    if isinstance(iin, str):
        form.miss("iin", iin)
        return made, None
    return made, iin


async def _place(form: Form, db: Connection, scope: Scope) -> tuple[str, int | None, int | None] | None:
    """Region, district and school as the form says, all within the territory; None: not one that is."""
    school_id, region = form.optional_id("school"), form.values.get("region", "")
    if school_id:
        school = await territory.school(db, school_id, scope)
        return (school.region_code, None, school.id) if school else None
    if not (scope.country or region in scope.regions) or region not in {
        one.code for one in await territory.regions(db)
    }:
        return None
    district = form.optional_id("district")
    return region, district if district in {one.id for one in await queries.districts(db, region)} else None, None


async def _give_iin(request: StaffRequest, db: Connection, person_id: int, iin: Iin | None) -> None:
    if iin is not None:
        sealed, blind = keys_of(request.app.state.settings).seal(iin)
        await queries.set_iin(db, person_id, sealed, blind)
        await audit.record(db, request.scope["user"], "person.iin.set", kind="person", object_id=person_id)


async def _form(
    request: StaffRequest, db: Connection, scope: Scope, person: Person | None, form: Form | None
) -> Response[str]:
    values: dict[str, object] = {} if person is None else msgspec.to_builtins(person)
    if person is not None:
        values |= {"birth_date": person.birth_date.strftime("%d.%m.%Y"), "region": person.region_code}
        values |= {"district": person.district_id, "school": person.school_id}
    if form is not None:
        values |= form.values
    region = str(values.get("region") or (scope.regions[0] if len(scope.regions) == 1 and not scope.country else ""))
    district, school = (
        (int(text) if (text := str(values.get(name) or "")).isdigit() and len(text) < 10 else None)
        for name in ("district", "school")
    )
    return page(
        request,
        "persons/form.html",
        status=422 if form is not None and form.errors else 200,
        person=person,
        values=values,
        errors=form.errors if form else {},
        **await places(db, scope, region, district, school),
        **_names(),
    )


def _fact(person: NewPerson) -> dict[str, object]:
    return msgspec.to_builtins(person)


def _names() -> dict[str, Any]:
    return {
        "projects": PROJECTS,
        "roles": ROLES,
        "role_of": ROLE_NAMES,
        "statuses": STATUSES,
        "sexes": SEXES,
        "language_names": LANGUAGE_NAMES,
    }


ROUTES = [show, history, new, make, edit, change, archive, set_project]
