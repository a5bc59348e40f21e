"""The live view: refreshed by polling, which slows when nobody looks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import redis.exceptions
from litestar import Response, get

from engine.protocol import CONTROL_STREAM, stream_key
from infra.valkey import clock_ms
from portal.core import given_back, territory
from portal.core.accounts import StaffRequest
from portal.core.controls.rules import KINDS, PERMISSIONS
from portal.core.db import Connection
from portal.core.i18n import t
from portal.core.i18n.times import from_ms
from portal.core.permissions import allows
from portal.core.sittings import find_head, tabs, to_ms
from portal.core.ui.pages import page
from portal.features.live import misses, queries, rules
from portal.features.live.structs import Line, SchoolCount

if TYPE_CHECKING:
    from portal.core.accounts import Actor, Scope
    from portal.core.jobs.worker import Queues
    from portal.core.sittings import SittingHead

# Ten administrators who look at the same sitting ask the database once in this time.
KEEP_S = 3.0
PHONES_KEEP_S = 30.0
# sitting → (read at, its schools)
_kept: dict[int, tuple[float, list[SchoolCount]]] = {}
_phones: dict[tuple[int, str], tuple[float, int]] = {}


@get("/live", guards=[allows("live.view")])
async def running(request: StaffRequest, db: Connection) -> Response[str]:
    """Which sittings can be watched."""
    rows = await queries.running(db, request.scope["user"].scope("live.view"))
    return page(request, "live/running.html", rows=rows)


@get("/sittings/{sitting_id:int}/live", guards=[allows("live.view")])
async def live(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """The whole, its regions, or the schools of one region; the same page and its fragment."""
    actor = request.scope["user"]
    scope = actor.scope("live.view")
    head = await find_head(db, sitting_id, scope)
    schools = [school for school in await _schools(db, head) if _within(scope, school)]
    names = {region.code: region.name for region in await territory.regions(db)}
    region = request.query_params.get("region", "")
    region = region if region in names else ""
    here = [school for school in schools if not region or school.region_code == region]
    lines = (
        [Line(key=str(school.school_id), name=school.name, count=school.count) for school in here]
        if region
        else rules.by_region(here, names)
    )
    total = rules.in_all(here)
    missed = await misses.read(request.app.state.queues, sitting_id, int(time.time() // 60))
    lag_s = await _lag_s(request.app.state.queues, await queries.open_streams(db))
    context = {
        "lines": lines,
        "total": total,
        "region": region,
        "region_name": names.get(region),
        "alarms": [
            *misses.alarms(missed, await queries.misses_allowed(db)),
            *rules.room_alarms(*await queries.room_openings(db, sitting_id, scope)),
            *rules.device_alarms(
                await queries.devices_waiting(db, sitting_id, scope),
                await _shared_phones(db, head, scope),
                await queries.beyond_limits(db, sitting_id, scope),
                head.place,
            ),
            *rules.alarms(
                total,
                await queries.conflict_count(db, sitting_id),
                await queries.dead_letter_count(db, sitting_id),
                lag_s,
            ),
        ],
        "missed": missed,
        "miss_kinds": misses.KINDS,
        "controls": await queries.controls(db, sitting_id, scope, 8),
        "kinds": KINDS,
        "outages": await given_back.of_sitting(db, sitting_id, scope),
        "from_ms": from_ms,
        "now": head.now(),
        "can": _can(actor),
    }
    template = "live/_figures.html" if request.headers.get("hx-request") else "live/show.html"
    return page(request, template, sitting=head, tabs=[(path, t(text)) for path, text in tabs(actor, head)], **context)


def _can(actor: Actor) -> list[str]:
    return [kind for kind, permission in PERMISSIONS.items() if actor.may(permission)]


def _within(scope: Scope, school: SchoolCount) -> bool:
    return scope.country or school.region_code in scope.regions or school.school_id in scope.schools


async def _schools(db: Connection, head: SittingHead) -> list[SchoolCount]:
    kept = _kept.get(head.id)
    if kept is not None and time.monotonic() - kept[0] < KEEP_S:
        return kept[1]
    rows = await queries.count_schools(db, head.id, to_ms(head.now() - head.silent_after))
    if len(_kept) > 50:
        _kept.clear()
    _kept[head.id] = (time.monotonic(), rows)
    return rows


async def _shared_phones(db: Connection, head: SittingHead, scope: Scope) -> int:
    """Kept for half a minute: over 300 000 devices it is a query that not every look may cost."""
    at = (head.id, repr(scope.parameters))
    kept = _phones.get(at)
    if kept is not None and time.monotonic() - kept[0] < PHONES_KEEP_S:
        return kept[1]
    shared = await queries.shared_phones(db, head.id, scope)
    if len(_phones) > 200:
        _phones.clear()
    _phones[at] = (time.monotonic(), shared)
    return shared


async def _lag_s(queues: Queues, streams: list[tuple[int, int, int]]) -> float | None:
    """Age of the oldest entry that is not in Postgres yet; None when Valkey does not answer."""
    try:
        now_ms = await clock_ms(queues.streams, CONTROL_STREAM)
        async with queues.streams.pipeline(transaction=False) as pipe:
            for stream, ms, counter in streams:
                pipe.xrange(stream_key(stream), min=f"({ms}-{counter}", count=1)
            first = await pipe.execute()
    except (redis.exceptions.RedisError, OSError, TimeoutError):
        return None
    waiting = [int(entries[0][0].split(b"-")[0]) for entries in first if entries]
    return max(0.0, (now_ms - min(waiting)) / 1000) if waiting else 0.0


@get("/sittings/{sitting_id:int}/credits", guards=[allows("live.view")])
async def credited(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Who got how much time back, from which outage, what was capped and what was taken off."""
    actor = request.scope["user"]
    scope = actor.scope("live.view")
    head = await find_head(db, sitting_id, scope)
    return page(
        request,
        "live/credits.html",
        sitting=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        outages=await given_back.of_sitting(db, sitting_id, scope),
        rows=await given_back.pupils_of(db, sitting_id, scope),
        shown=given_back.SHOWN,
    )


ROUTES = [running, live, credited]
