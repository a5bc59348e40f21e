"""Printing slips."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import download
from portal.core.forms import Form
from portal.core.i18n import N_, of, t, when
from portal.core.permissions import allows
from portal.core.problems import OwnSchool
from portal.core.sittings import find_head, tabs
from portal.core.ui.listing import listing, picked, words
from portal.core.ui.pages import page
from portal.features.slips import queries
from portal.features.slips.paper import slips_pdf
from portal.features.slips.problems import NobodyToPrint, SlipsClosed, TooManySlips
from portal.features.slips.structs import SlipSheet

MOST = 1000


@get("/sittings/{sitting_id:int}/slips", guards=[allows("slip.print")])
async def show_list(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Schools, and how many of their pupils have a slip."""
    actor = request.scope["user"]
    scope = actor.scope("slip.print")
    head = await find_head(db, sitting_id, scope)
    regions = [region for region in await territory.regions(db, scope) if region.code in head.regions]
    region, asked = picked(request, "region", [item.code for item in regions]), words(request)
    view = listing(request, ["school"], "school", rows=50)
    lines, total = await queries.schools(
        db, sitting_id, scope, region=region, words=asked, limit=view.rows, offset=view.offset
    )
    return page(
        request,
        "slips/list.html",
        sitting=head,
        tabs=[(path, t(text)) for path, text in tabs(actor, head)],
        lines=lines,
        total=total,
        view=view,
        regions=regions,
        region=region,
        words=asked,
        most=MOST,
    )


@post("/sittings/{sitting_id:int}/slips", guards=[allows("slip.print")])
async def print_slips(request: StaffRequest, db: Connection, sitting_id: int) -> Response[bytes]:
    """New codes and their paper. The codes are in this answer and nowhere else."""
    actor = request.scope["user"]
    form = Form(await request.form())
    settings = request.app.state.settings
    school, participant = form.optional_id("school"), form.optional_id("participant")
    # His own school's slips are its codes: printed by a colleague (SAFETY J5).
    if actor.own_school_id is not None and school == actor.own_school_id:
        raise OwnSchool
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("slip.print"))
        if head.state not in {"draft", "published"}:
            raise SlipsClosed
        chosen = await queries.lock_pupils(
            db,
            sitting_id,
            actor.scope("slip.print"),
            school=school,
            participant=participant,
            again=form.ticked("again"),
            limit=MOST + 1,
        )
        if not chosen:
            raise NobodyToPrint
        if len(chosen) > MOST:
            raise TooManySlips(most=MOST)
        codes = await queries.give_codes(db, [slip.participant_id for slip in chosen], decode_key(settings.code_pepper))
        help_name, help_phone = await queries.help_contact(db, sitting_id)
        sheet = SlipSheet(
            title=head.title,
            starts_at=head.starts_at,
            player_url=settings.player_url,
            help_name=help_name,
            help_phone=help_phone,
            printed_by=actor.full_name,
            printed_at=when(datetime.now(UTC)),
        )
        body = await asyncio.to_thread(slips_pdf, sheet, chosen, codes)
        fact: dict[str, object] = {
            "count": len(chosen),
            "school": school,
            "participant": participant,
            "again": form.ticked("again"),
        }
        await audit.record(db, actor, "slip.file.printed", kind="sitting", object_id=sitting_id, after=fact)
    name = of(chosen[0].school) if school or participant else of(head.title)
    return download(body, f"{t(N_('Slips'))} {name}.pdf", "application/pdf")


ROUTES = [show_list, print_slips]
