"""The codes that open the test in a room when the start service is down: from T0 on, and never before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from litestar import Response, get

from portal.core import audit, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files.tables import Cell, Table, export
from portal.core.i18n import N_, of, t
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.sittings import find_head, tabs
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page
from portal.features.room_codes import queries

if TYPE_CHECKING:
    from portal.features.room_codes.structs import RoomLine

STATES = {
    "": N_("all rooms"),
    "open": N_("with an open code"),
    "closed": N_("with a closed code"),
    "no-code": N_("without a code"),
}
EXPORT_ROWS = 20_000


@get("/sittings/{sitting_id:int}/room-codes", guards=[allows("room.code")])
async def show_codes(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Rooms and their codes; each look at a code is on record."""
    actor = request.scope["user"]
    scope = actor.scope("room.code")
    head = await find_head(db, sitting_id, scope)
    regions = [region for region in await territory.regions(db, scope) if region.code in head.regions]
    region, state = picked(request, "region", [item.code for item in regions]), picked(request, "state", STATES)
    asked, view = words(request), listing(request, ["school"], "school")
    rows, total = await queries.list_rooms(
        db, sitting_id, scope, region=region, state=state, words=asked, limit=view.rows, offset=view.offset
    )
    shown = [row.id for row in rows if row.code]
    if shown:
        async with db.transaction():
            fact: dict[str, object] = {"rooms": shown}
            await audit.record(db, actor, "room.codes.shown", kind="sitting", object_id=sitting_id, after=fact)
    answer = page(
        request,
        "room_codes/list.html",
        sitting=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        counts=await queries.count(db, sitting_id, scope),
        begun=head.now() >= head.starts_at,
        rows=rows,
        total=total,
        view=view,
        regions=regions,
        region=region,
        states=STATES,
        state=state,
        words=asked,
    )
    answer.headers["cache-control"] = "no-store"
    return answer


@get("/sittings/{sitting_id:int}/room-codes/export/{form:str}", guards=[allows("room.code")])
async def export_codes(request: StaffRequest, db: Connection, sitting_id: int, form: str) -> Response[bytes]:
    """Open codes as a table for the SMS gateway."""
    if form != "csv":
        raise NotThere
    actor = request.scope["user"]
    scope = actor.scope("room.code")
    await find_head(db, sitting_id, scope)
    rows, _ = await queries.list_rooms(
        db, sitting_id, scope, region="", state="open", words="", limit=EXPORT_ROWS, offset=0
    )
    if not rows:
        raise NotThere
    async with db.transaction():
        fact: dict[str, object] = {"rooms": len(rows)}
        await audit.record(db, actor, "room.codes.exported", kind="sitting", object_id=sitting_id, after=fact)
    titles = [N_("School code"), N_("School"), N_("Room"), N_("Telephone"), N_("Code")]
    answer = export(Table(t(N_("Room codes")), [t(title) for title in titles], [_cells(row) for row in rows]), form)
    answer.headers["cache-control"] = "no-store"
    return answer


def _cells(row: RoomLine) -> list[Cell]:
    # A gateway takes digits alone.
    telephone = re.sub(r"\D", "", row.contact_phone)
    return [row.school_code, of(row.school), row.name, telephone, row.shown]


ROUTES = [show_codes, export_codes]
