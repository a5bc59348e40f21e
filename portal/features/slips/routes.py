"""Printing slips."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.i18n import Text
    from portal.core.sittings import SittingHead

MOST = 1000
NAME_THEM = N_("New slips for pupils who have one are made for one school or one pupil. Choose a school.")
ONE_ONLY = N_(
    "The waiting room is open: new slips would lock out pupils who come in with theirs. "
    "Print a new slip on the page of the pupil who needs one."
)


@get("/sittings/{sitting_id:int}/slips", guards=[allows("slip.print")])
async def show_list(request: StaffRequest, db: Connection, sitting_id: int) -> Response[str]:
    """Schools, and how many of their pupils have a slip."""
    return await _list_page(request, db, sitting_id, {})


async def _list_page(
    request: StaffRequest, db: Connection, sitting_id: int, errors: Mapping[str, Text]
) -> Response[str]:
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
        status=422 if errors else 200,
        errors=errors,
        room_open=head.now() >= head.waiting_opens_at,
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
async def print_slips(request: StaffRequest, db: Connection, sitting_id: int) -> Response[bytes] | Response[str]:
    """New codes and their paper. The codes are in this answer and nowhere else."""
    actor = request.scope["user"]
    form = Form(await request.form())
    settings = request.app.state.settings
    school, participant, again = form.optional_id("school"), form.optional_id("participant"), form.ticked("again")
    async with db.transaction():
        head = await find_head(db, sitting_id, actor.scope("slip.print"))
        if head.state not in {"draft", "published"}:
            raise SlipsClosed
        _limit_again(form, head, school, participant, again=again)
        if form.errors:
            return await _list_page(request, db, sitting_id, form.errors)
        chosen = await queries.lock_pupils(
            db,
            sitting_id,
            actor.scope("slip.print"),
            school=school,
            participant=participant,
            again=again,
            limit=MOST + 1,
        )
        if not chosen:
            raise NobodyToPrint
        if len(chosen) > MOST:
            raise TooManySlips(most=MOST)
        # His own school's slips are its codes, however they were chosen: printed by a colleague (SAFETY J5).
        if any(slip.school_id == actor.own_school_id for slip in chosen):
            raise OwnSchool
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
            "again": again,
        }
        await audit.record(db, actor, "slip.file.printed", kind="sitting", object_id=sitting_id, after=fact)
    name = of(chosen[0].school) if school or participant else of(head.title)
    return download(body, f"{t(N_('Slips'))} {name}.pdf", "application/pdf")


def _limit_again(form: Form, head: SittingHead, school: int | None, participant: int | None, *, again: bool) -> None:
    """Old codes die for a school at most, and for one pupil at most once pupils may come in with theirs."""
    if again and participant is None and head.now() >= head.waiting_opens_at:
        form.miss("again", ONE_ONLY)
    elif again and participant is None and school is None:
        form.miss("again", NAME_THEM)


ROUTES = [show_list, print_slips]
