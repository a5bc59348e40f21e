"""Overview, search, health."""

from __future__ import annotations

import asyncpg
from litestar import MediaType, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from infra.callers import may_measure
from portal.core import acts, jobs
from portal.core.accounts import StaffRequest
from portal.core.accounts.grants import ENDS_SOON
from portal.core.db import Connection
from portal.core.jobs.telling import seen
from portal.core.permissions import allows, public
from portal.core.problems import NotThere
from portal.core.scope import within
from portal.core.ui import navigation
from portal.core.ui.listing import words
from portal.core.ui.pages import page, see_other
from portal.features.home import queries


@get("/", guards=[allows("own.account")])
async def overview(request: StaffRequest, db: Connection) -> Response[str]:
    """What runs, what comes, what waits for this person."""
    actor = request.scope["user"]
    if not actor.is_staff:
        return see_other("/own" if actor.person_id is None else "/me")
    return page(
        request,
        "home/overview.html",
        sittings=await queries.near_sittings(db, actor.scope("sitting.view")) if actor.may("sitting.view") else [],
        waiting=await acts.waiting(db, actor) if actor.may("act.decide") else [],
        to_review=await acts.to_review(db, actor),
        to_renew=await queries.to_renew(db, actor.staff_id, ENDS_SOON) if actor.may("staff.edit") else 0,
        jobs=[job for job in await jobs.recent(db, made_by=actor.staff_id) if job.open],
    )


@get("/search", guards=[allows("own.account")])
async def search(request: StaffRequest, db: Connection) -> Response[str]:
    """Pages, sittings and pupils by parts of their names; the palette asks for the list alone."""
    actor = request.scope["user"]
    asked = words(request)
    wide = len(asked) > 1
    sittings = await queries.find_sittings(db, actor.scope("sitting.view"), asked) if wide else []
    async with within(db, actor.scope("participant.view")) as scope:
        pupils = await queries.find_pupils(db, scope, asked) if wide else []
    # A boosted link asks for the page; the palette for what stands in it.
    part = bool(request.headers.get("hx-request")) and request.headers.get("hx-target") == "palette-found"
    return page(
        request,
        "home/_found.html" if part else "home/search.html",
        words=asked,
        pages=navigation.found(actor, asked),
        sittings=sittings if actor.may("sitting.view") else [],
        found=pupils if actor.may("participant.view") else [],
        most=6 if part else 50,
    )


@get("/jobs/{job_id:int}", guards=[allows("own.account")])
async def job(request: StaffRequest, db: Connection, job_id: int) -> Response[str]:
    """The progress card of one's own job."""
    found = await jobs.find(db, job_id)
    if found is None or found.made_by != request.scope["user"].staff_id:
        raise NotThere
    if not found.open:
        await seen(db, job_id, request.scope["user"].staff_id)
    return page(request, "_job.html", job=found)


@get("/health", guards=[public], media_type=MediaType.TEXT)
async def health() -> str:
    """200 while the process lives."""
    return "ok"


@get("/ready", guards=[public], media_type=MediaType.TEXT)
async def ready(request: StaffRequest) -> Response[str]:
    """200 when the database answers."""
    try:
        await request.app.state.pool.fetchval("select 1", timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Response(f"database: {type(error).__name__}", status_code=503, media_type=MediaType.TEXT)
    return Response("ready", media_type=MediaType.TEXT)


@get("/metrics", guards=[public])
async def metrics(request: StaffRequest) -> Response[bytes]:
    """Prometheus text; an address that is none to who is not in `metrics_from`."""
    settings = request.app.state.settings
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for")
    if not may_measure(peer, forwarded, settings.trusted_proxies, settings.metrics_from):
        raise NotThere
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES = [overview, search, job, health, ready, metrics]
