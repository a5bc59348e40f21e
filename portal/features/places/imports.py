"""A list of schools by the form: checked row by row, taken in whole or not at all."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.reading import read_rows
from portal.core.files.tables import Table, export
from portal.core.files.uploads import sent_file
from portal.core.i18n import N_, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page
from portal.features.places import queries, rules
from portal.features.places.structs import COLUMNS

MOST_BODY = 8 * 2**20
MOST_SHOWN = 200


@get("/schools/import", guards=[allows("place.edit")])
async def upload(request: StaffRequest) -> Response[str]:
    """What the list needs."""
    return page(request, "places/import.html", columns=COLUMNS, errors=[], more=0, made=None)


@get("/schools/import/template/{form:str}", guards=[allows("place.edit")])
async def template(form: str) -> Response[bytes]:
    """An empty list with an example."""
    if form not in {"csv", "xlsx"}:
        raise NotThere
    return export(
        Table(t(N_("Schools and centres")), [t(one.title) for one in COLUMNS], [[one.example for one in COLUMNS]]), form
    )


@post("/schools/import", guards=[allows("place.edit")], request_max_body_size=MOST_BODY)
async def take(request: StaffRequest, db: Connection) -> Response[str]:
    """All rows, or none with the reasons beside each."""
    actor = request.scope["user"]
    scope = actor.scope("place.edit")
    name, body = await sent_file(request)
    _, lines = read_rows(body, COLUMNS)
    rows = list(lines)
    async with db.transaction():
        taken = await queries.taken_codes(db, [cells.get("code", "").strip().upper() for _, cells in rows])
        tree, settlements = await queries.tree(db, scope), await queries.settlements_by_name(db, scope)
        good, errors = rules.read_rows(iter(rows), tree, settlements, taken)
        if not errors:
            for one in good:
                await queries.insert_school(db, one)
            fact: dict[str, object] = {"file": name, "schools": len(good), "codes": [one.code for one in good[:100]]}
            await audit.record(db, actor, "place.list.imported", kind="school", object_id="-", after=fact)
    titles = {one.code: one.title for one in COLUMNS}
    shown = [msgspec.structs.replace(one, column=titles[one.column]) for one in errors[:MOST_SHOWN]]
    return page(
        request,
        "places/import.html",
        status=422 if errors else 200,
        columns=COLUMNS,
        errors=shown,
        more=len(errors) - len(shown),
        made=None if errors else len(good),
    )


ROUTES = [upload, template, take]
