"""Reviews: read on the card, written on the own page, moderated by a content manager."""

from __future__ import annotations

from datetime import date

from litestar import Response, get, post

from portal.core import audit, cards, readings
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.scope import acting
from portal.core.ui.listing import listing, picked
from portal.core.ui.pages import page, see_other
from portal.features.reviews import queries
from portal.features.reviews.structs import KINDS, LEAST_FOR_MEAN, STATES, TONES, mean_of

STARS = ("1", "2", "3", "4", "5")
MOST_LETTERS = 1000


@get("/persons/{person_id:int}/reviews", guards=[allows("review.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """What was approved about a person."""
    async with cards.opened(db, request.scope["user"], "review.view", person_id) as card:
        rows = await queries.shown(db, card.id)
    return page(
        request,
        "reviews/about.html",
        rows=rows,
        mean=mean_of([row.stars for row in rows]),
        least=LEAST_FOR_MEAN,
        kinds=KINDS,
        **cards.context(request, card),
    )


@get("/me/reviews", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """What was approved about me, and whom I may review."""
    return await _own_page(request, db, None, 0)


@post("/me/reviews/{tie_id:int}", guards=[allows("own.account")])
async def write(request: StaffRequest, db: Connection, tie_id: int) -> Response[str]:
    """My stars and words about who teaches me; the moderator reads them first."""
    actor = request.scope["user"]
    form = Form(await request.form())
    stars = form.choice("stars", STARS)
    body = form.text("body", required=False, most=MOST_LETTERS)
    if form.errors:
        return await _own_page(request, db, form, tie_id)
    period = period_of(readings.today())
    async with cards.seen(db, actor, "own.account", None) as card:
        about = next((one for one in await queries.reviewable(db, card.id, period) if one.tie_id == tie_id), None)
        if about is None:
            raise NotThere
        await queries.write(db, card.id, about, period, int(stars), body)
        fact: dict[str, object] = {"about": about.about_id, "period": period, "stars": int(stars)}
        await audit.record(db, actor, "review.review.written", kind="person", object_id=card.id, after=fact)
    return see_other("/me/reviews?sent=1")


@get("/reviews", guards=[allows("review.moderate")])
async def queue(request: StaffRequest, db: Connection) -> Response[str]:
    """What waits, or what was decided."""
    return await _queue_page(request, db, None, 0)


@post("/reviews/{review_id:int}/decide", guards=[allows("review.moderate")])
async def decide(request: StaffRequest, db: Connection, review_id: int) -> Response[str]:
    """Show it, or not with a reason that the author reads. Nobody decides on a review of his own or about himself."""
    actor = request.scope["user"]
    form = Form(await request.form())
    state = {"approve": "approved", "reject": "rejected"}[form.choice("do", ["approve", "reject"])]
    reason = form.text("reason", required=state == "rejected", most=200)
    if form.errors:
        return await _queue_page(request, db, form, review_id)
    async with acting(db, actor, "review.moderate"):
        before = await queries.find(db, review_id)
        if actor.person_id in {before.author_id, before.about_id}:
            raise NotThere
        await queries.decide(db, review_id, state, reason if state == "rejected" else "", actor.staff_id)
        fact: dict[str, object] = {"state": state, "about": before.about_id}
        await audit.record(
            db,
            actor,
            "review.review.decided",
            kind="review",
            object_id=review_id,
            before={"state": before.state},
            after=fact,
            reason=reason,
        )
    return see_other("/reviews")


def period_of(day: date) -> str:
    """The half-year of a day."""
    return f"{day.year}-{1 if day.month <= 6 else 2}"


async def _own_page(request: StaffRequest, db: Connection, form: Form | None, tie_id: int) -> Response[str]:
    async with cards.opened(db, request.scope["user"], "own.account", None) as card:
        rows = await queries.shown(db, card.id)
        mine = await queries.reviewable(db, card.id, period_of(readings.today()))
    return page(
        request,
        "reviews/own.html",
        status=422 if form else 200,
        rows=rows,
        mean=mean_of([row.stars for row in rows]),
        least=LEAST_FOR_MEAN,
        mine=mine,
        kinds=KINDS,
        states=STATES,
        tones=TONES,
        errors=form.errors if form else {},
        wrong=tie_id,
        values=form.values if form else {},
        most=MOST_LETTERS,
        **cards.context(request, card),
    )


async def _queue_page(request: StaffRequest, db: Connection, form: Form | None, wrong: int) -> Response[str]:
    actor = request.scope["user"]
    state, view = picked(request, "state", STATES, "waits"), listing(request, ["-"], "-")
    async with acting(db, actor, "review.moderate"):
        rows, total = await queries.of_state(db, state, view.rows, view.offset)
        await readings.count(db, actor, "row", len(rows))
    return page(
        request,
        "reviews/queue.html",
        status=422 if form else 200,
        rows=rows,
        total=total,
        view=view,
        state=state,
        states=STATES,
        tones=TONES,
        kinds=KINDS,
        errors=form.errors if form else {},
        wrong=wrong,
    )


ROUTES = [show, show_own, write, queue, decide]
