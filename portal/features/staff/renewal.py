"""Roles that end soon or sleep: renewed and woken by whoever gave them (SAFETY P1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, school_year_end
from portal.core.accounts.grant_rows import SORTS, find_grant, list_grants
from portal.core.accounts.grants import ENDS_SOON, renew, wake
from portal.core.db import Connection
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page, see_other
from portal.features.staff.problems import NotTheGiver

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.core.accounts.grant_rows import GrantRow, Which

WHICH: dict[str, Which] = {"ending": "ending", "asleep": "asleep", "all": "all"}


@get("/grants", guards=[allows("staff.edit")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """Grants that end within a month; those that sleep; all."""
    actor = request.scope["user"]
    require_country(actor, "staff.edit")
    now = datetime.now(UTC)
    which = WHICH[picked(request, "which", WHICH, "ending")]
    mine = picked(request, "mine", ["", "1"])
    asked, view = words(request), listing(request, SORTS, "end")
    rows = await list_grants(
        db,
        which=which,
        given_by=actor.staff_id if mine else None,
        words=asked,
        until=now + ENDS_SOON,
        sort=view.sort,
        limit=view.rows,
        offset=view.offset,
    )
    return page(
        request,
        "staff/grants.html",
        rows=rows,
        total=rows[0].total if rows else 0,
        which=which,
        mine=mine,
        words=asked,
        view=view,
        until=school_year_end(now),
    )


@post("/grants/{grant_id:int}/renew", guards=[allows("staff.edit")])
async def renew_one(request: StaffRequest, db: Connection, grant_id: int) -> Response[str]:
    """To the end of the school year; it wakes too."""
    now = datetime.now(UTC)
    async with db.transaction():
        before = await _find(db, request.scope["user"], grant_id)
        if not await renew(db, grant_id, school_year_end(now), now):
            raise NotThere
        await _record(db, request.scope["user"], "staff.grant.renewed", before)
    return see_other("/grants")


@post("/grants/{grant_id:int}/wake", guards=[allows("staff.edit")])
async def wake_one(request: StaffRequest, db: Connection, grant_id: int) -> Response[str]:
    """It gives again from the holder's next click on."""
    async with db.transaction():
        before = await _find(db, request.scope["user"], grant_id)
        if not await wake(db, grant_id, datetime.now(UTC)):
            raise NotThere
        await _record(db, request.scope["user"], "staff.grant.woken", before)
    return see_other("/grants?which=asleep")


async def _find(db: Connection, actor: Actor, grant_id: int) -> GrantRow:
    require_country(actor, "staff.edit")
    row = await find_grant(db, grant_id)
    if row is None:
        raise NotThere
    if not row.renewed_by(actor.staff_id):
        raise NotTheGiver
    return row


async def _record(db: Connection, actor: Actor, act: str, before: GrantRow) -> None:
    after = await find_grant(db, before.id)
    assert after is not None
    await audit.record(db, actor, act, kind="staff", object_id=before.staff_id, before=before.fact, after=after.fact)


ROUTES = [show, renew_one, wake_one]
