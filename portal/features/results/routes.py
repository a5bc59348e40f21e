"""The tabs «Results» and «Tests made and held»."""

from __future__ import annotations

from litestar import Response, get

from portal.core import cards
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.permissions import allows
from portal.core.scope import within
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page
from portal.features.results import queries
from portal.features.results.structs import ACTS, line


@get("/persons/{person_id:int}/results", guards=[allows("person.results")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The person's sittings and published points."""
    return await _results(request, db, person_id)


@get("/me/results", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """My sittings and points."""
    return await _results(request, db, None)


@get("/persons/{person_id:int}/work", guards=[allows("person.work")])
async def work(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Tests that the person made and held."""
    return await _work(request, db, person_id)


@get("/me/work", guards=[allows("own.account")])
async def own_work(request: StaffRequest, db: Connection) -> Response[str]:
    """Tests that I made and held."""
    return await _work(request, db, None)


async def _results(request: StaffRequest, db: Connection, person_id: int | None) -> Response[str]:
    actor = request.scope["user"]
    async with cards.opened(db, actor, "person.results", person_id) as card:
        rows = await queries.participations(db, card.id)
    # Who has no page of pupils gets no link to one, nor does who reads of another project or territory.
    linked = not card.own and actor.may("participant.view")
    attempts = [row.attempt_id for row in rows] if linked else []
    async with within(db, actor.scope("participant.view")) as scope:
        opens = await queries.reached(db, attempts, scope) if attempts else set[int]()
    return page(request, "results/list.html", rows=rows, opens=opens, points=line(rows), **cards.context(request, card))


async def _work(request: StaffRequest, db: Connection, person_id: int | None) -> Response[str]:
    act, view = picked(request, "act", ACTS), listing(request, queries.SORTS, "-at")
    async with cards.opened(db, request.scope["user"], "person.work", person_id) as card:
        rows, total = await queries.done(db, card.id, act=act, sort=view.sort, limit=view.rows, offset=view.offset)
    return page(
        request,
        "results/work.html",
        rows=rows,
        total=total,
        view=view,
        act=act,
        acts=ACTS,
        link=f"{card.base}/work?act={act}",
        **cards.context(request, card),
    )


ROUTES = [show, show_own, work, own_work]
