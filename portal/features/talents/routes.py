"""The section: its list, and a person of it. Each opening asks for a reason, is counted and on record (SPEC R2; SAFETY P1)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post

from portal.core import audit, readings, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import LARGEST_ID, Form
from portal.core.permissions import allows
from portal.core.scope import acting
from portal.core.ui.listing import listing, words
from portal.core.ui.pages import page
from portal.features.talents import queries
from portal.features.talents.access import require
from portal.features.talents.structs import LEFT, Filter
from portal.features.talents.wording import why_in

if TYPE_CHECKING:
    from portal.features.talents.structs import Talent


@get("/talents", guards=[allows("talent.view")])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """The section, a page of it; who is in by which rule and why."""
    actor = request.scope["user"]
    access = await require(db, actor)
    wanted = read_filter(request)
    view = listing(request, queries.SORTS, "name")
    async with acting(db, actor, "talent.view") as scope:
        rows = await queries.list_talents(db, wanted, sort=view.sort, limit=view.rows, offset=view.offset)
        total, named = await queries.count_talents(db, wanted)
        rules = [rule for rule in await queries.rules(db) if rule.state == "on"]
        regions = await territory.regions(db, scope)
        shown = sum(row.named for row in rows)
        await readings.count(db, actor, "row", shown)
        fact: dict[str, object] = {"rows": shown, "filter": msgspec.to_builtins(wanted), "access": access.id}
        await audit.record(
            db, actor, "talent.list.opened", kind="talent_list", object_id="-", after=fact, reason=access.reason
        )
    return page(
        request,
        "talents/list.html",
        rows=rows,
        total=total,
        unnamed=total - named,
        view=view,
        wanted=wanted,
        link="/talents?" + query_of(wanted),
        rules=rules,
        regions=regions,
        grades=range(1, 13),
        access=access,
        why_in=why_in,
    )


@get("/talents/{person_id:int}", guards=[allows("talent.view")])
async def ask_reason(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Ask what for. Nothing of the person stands here yet."""
    await require(db, request.scope["user"])
    async with acting(db, request.scope["user"], "talent.view"):
        await queries.find_talent(db, person_id)
    return page(request, "talents/open.html", person_id=person_id, errors={}, values={})


@post("/talents/{person_id:int}", guards=[allows("talent.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The person, for a reason, this once; contacts are asked for apart."""
    return await _open(request, db, person_id, "talent.person.opened")


@post("/talents/{person_id:int}/contacts", guards=[allows("talent.view")])
async def show_contacts(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The same with telephone and e-mail, for a reason of its own."""
    return await _open(request, db, person_id, "talent.contacts.shown")


async def _open(request: StaffRequest, db: Connection, person_id: int, act: str) -> Response[str]:
    actor = request.scope["user"]
    await require(db, actor)
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    async with acting(db, actor, "talent.view"):
        person: Talent = await queries.find_talent(db, person_id)
        if form.errors:
            return page(
                request, "talents/open.html", status=422, person_id=person_id, errors=form.errors, values=form.values
            )
        stays = await queries.stays(db, person_id)
        await readings.count(db, actor, "card")
        await audit.record(db, actor, act, kind="talent", object_id=person_id, reason=reason)
    return page(
        request,
        "talents/person.html",
        person=person,
        stays=stays,
        contacts=act == "talent.contacts.shown",
        left=LEFT,
        why_in=why_in,
    )


def read_filter(request: StaffRequest) -> Filter:
    """What the address asks for; what cannot be is asked for by nobody."""

    def whole(name: str, most: int) -> int | None:
        text = request.query_params.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= most else None

    region = request.query_params.get("region", "")
    return Filter(
        rule=whole("rule", LARGEST_ID),
        region=region if region.isascii() and region.isprintable() and len(region) <= 12 else "",
        grade=whole("grade", 12),
        words=words(request),
    )


def query_of(wanted: Filter) -> str:
    """The address's part that brings this list again."""
    return urlencode(
        [("q" if name == "words" else name, str(value)) for name, value in msgspec.to_builtins(wanted).items()]
    )


ROUTES = [show_list, ask_reason, show, show_contacts]
