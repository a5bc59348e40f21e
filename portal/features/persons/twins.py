"""Duplicates: flagged pairs, compared side by side, merged with undo, or told apart for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.iin import keys_of, mask
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.persons import merging, queries
from portal.features.persons.structs import LANGUAGE_NAMES, PROJECTS, SEXES, STATUSES

if TYPE_CHECKING:
    from portal.features.persons.structs import Person

STATES = {"open": N_("to be decided"), "distinct": N_("no duplicates"), "merged": N_("merged")}
CHOICES = {
    "last_name": N_("Last name"),
    "first_name": N_("First name"),
    "middle_name": N_("Middle name"),
    "birth_date": N_("Birth date"),
    "sex": N_("Sex"),
    "language": N_("Language"),
    "place": N_("Place"),
    "class": N_("Class"),
    "phone": N_("Telephone"),
    "email": N_("E-mail"),
    "external_id": N_("External id"),
}


@get("/persons/twins", guards=[allows("person.merge")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Pairs to be decided, and those that were."""
    state = picked(request, "state", STATES, "open")
    view = listing(request, ["found"], "found")
    actor = request.scope["user"]
    async with acting(db, actor, "person.merge"):
        rows, total = await merging.list_twins(db, state, view.rows, view.offset)
        # A pair is two persons.
        await readings.count(db, actor, "row", 2 * len(rows))
        merges = await merging.merges_of(db) if state == "merged" else []
    return page(
        request, "persons/twins.html", rows=rows, total=total, view=view, state=state, states=STATES, merges=merges
    )


@get("/persons/twins/{first_id:int}/{second_id:int}", guards=[allows("person.merge")])
async def compare(request: StaffRequest, db: Connection, first_id: int, second_id: int) -> Response[str]:
    """Both side by side."""
    return await _compare(request, db, first_id, second_id, None)


@post("/persons/twins/{first_id:int}/{second_id:int}", guards=[allows("person.merge")])
async def decide(request: StaffRequest, db: Connection, first_id: int, second_id: int) -> Response[str]:
    """Not a duplicate; open again; or one person: merged into the kept row with what was chosen of the other."""
    actor = request.scope["user"]
    form = Form(await request.form())
    do = form.choice("do", ["distinct", "reopen", "merge"])
    reason = form.text("reason", required=do == "distinct", most=200)
    keep = form.choice("keep", ["first", "second"], "first")
    if form.errors:
        return await _compare(request, db, first_id, second_id, form)
    async with acting(db, actor, "person.merge"):
        pair = await merging.find_twin(db, first_id, second_id)
        if do == "merge":
            kept, gone = (first_id, second_id) if keep == "first" else (second_id, first_id)
            other = "second" if keep == "first" else "first"
            from_gone = [name for name in CHOICES if form.values.get(f"of.{name}") == other]
            merge_id = await merging.merge(db, kept, gone, from_gone, actor.staff_id, reason)
            fact: dict[str, object] = {"kept": kept, "merged": gone, "taken": from_gone, "merge": merge_id}
            for person_id in (kept, gone):
                await audit.record(
                    db, actor, "person.twins.merged", kind="person", object_id=person_id, after=fact, reason=reason
                )
            return see_other(f"/persons/{kept}")
        state = "distinct" if do == "distinct" else "open"
        if pair.state == "merged":
            raise NotThere
        await merging.decide(db, pair, state, actor.staff_id, reason)
        act = "person.twins.distinct" if do == "distinct" else "person.twins.reopened"
        for person_id, other_id in ((first_id, second_id), (second_id, first_id)):
            other_fact: dict[str, object] = {"other": other_id}
            await audit.record(db, actor, act, kind="person", object_id=person_id, after=other_fact, reason=reason)
    return see_other("/persons/twins")


@post("/persons/merges/{merge_id:int}/undo", guards=[allows("person.merge")])
async def undo(request: StaffRequest, db: Connection, merge_id: int) -> Response[str]:
    """Both rows as they were."""
    actor = request.scope["user"]
    async with acting(db, actor, "person.merge"):
        done = await merging.undo(db, merge_id, actor.staff_id)
        fact: dict[str, object] = {"kept": done.kept_id, "merged": done.gone_id, "merge": merge_id}
        for person_id in (done.kept_id, done.gone_id):
            await audit.record(db, actor, "person.twins.unmerged", kind="person", object_id=person_id, after=fact)
    return see_other(f"/persons/twins/{min(done.kept_id, done.gone_id)}/{max(done.kept_id, done.gone_id)}")


async def _compare(
    request: StaffRequest, db: Connection, first_id: int, second_id: int, form: Form | None
) -> Response[str]:
    actor = request.scope["user"]
    async with acting(db, actor, "person.merge"):
        pair = await merging.find_twin(db, first_id, second_id)
        both = [await queries.find_person(db, first_id), await queries.find_person(db, second_id)]
        await readings.count(db, actor, "card", len(both))
        merges = [
            one for one in await merging.merges_of(db, first_id) if {one.kept_id, one.gone_id} == {first_id, second_id}
        ]
    keys = keys_of(request.app.state.settings)

    def masked(person: Person) -> str | None:
        digits = keys.open(person.sealed, person.blind) if person.sealed and person.blind else None
        return mask(digits) if digits else None

    return page(
        request,
        "persons/compare.html",
        status=422 if form else 200,
        pair=pair,
        first=both[0],
        second=both[1],
        iins=[masked(person) for person in both],
        choices=CHOICES,
        states=STATES,
        merges=merges,
        projects=PROJECTS,
        sexes=SEXES,
        statuses=STATUSES,
        language_names=LANGUAGE_NAMES,
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_list, compare, decide, undo]
