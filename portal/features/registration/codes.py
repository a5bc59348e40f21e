"""Codes of classes: drawn by a teacher for one class, for fourteen days, for as many children as the class has."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from litestar import Response, get, post

from infra.local import decode_key
from portal.core import audit, territory
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.listing import listing
from portal.core.ui.pages import page, see_other
from portal.features.registration import queries
from portal.features.registration.reach import PERMISSION, reach_of

if TYPE_CHECKING:
    from portal.features.registration.structs import ClassCode

# No letter that looks like another; 31 to the eighth power is forty bits, and a code makes requests only.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 8
LIVES = timedelta(days=14)
MOST_IN_CLASS = 60
# What is typed instead of a letter of ours: Cyrillic ones that look alike.
ALIKE = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")


def code_of(key: bytes, seed: str) -> str:
    """The code of a seed: made with a key outside the database, so that its maker can see it again and a dump cannot."""
    digest = int.from_bytes(hmac.digest(key, f"class:{seed}".encode(), "sha256"))
    made = ""
    for _ in range(LENGTH):
        digest, place = divmod(digest, len(LETTERS))
        made += LETTERS[place]
    return made


def shown(code: str) -> str:
    """In two groups."""
    return f"{code[:4]}-{code[4:]}"


def hashed(typed: str) -> bytes:
    """As the table has it, whatever case, spaces, hyphens and alphabet it was typed in."""
    plain = "".join(letter for letter in typed.upper().translate(ALIKE) if letter.isalnum())
    return hashlib.sha256(plain.encode()).digest()


@get("/registrations/codes", guards=[allows(PERMISSION)])
async def show_list(request: StaffRequest, db: Connection) -> Response[str]:
    """Codes of the own classes, and the form of a new one."""
    return await _page(request, db, None)


@post("/registrations/codes", guards=[allows(PERMISSION)])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """A new code; an older one of the class is over."""
    actor = request.scope["user"]
    form = Form(await request.form())
    reach = reach_of(actor)
    known = [one for one in await queries.parts(db) if one.project == actor.project]
    part = form.choice("part", [one.code for one in known])
    grade = form.integer("grade", least=0, most=12)
    letter = form.text("class_letter", required=False, most=3).upper()
    most_uses = form.integer("most_uses", least=1, most=MOST_IN_CLASS)
    spot = await territory.spot(db, region="", district=None, school_code=form.text("school", most=40) or "-")
    # A school outside of the own reach is as absent as one that never was.
    if spot is None or spot.school is None or not await reach.holds(db, spot.school, f"{grade}{letter}"):
        form.miss("school", N_("There is no such class in your territory."))
    if form.errors or spot is None or spot.school is None:
        return await _page(request, db, form)
    seed = secrets.token_urlsafe(24)
    code = code_of(decode_key(request.app.state.settings.link_key), seed)
    async with db.transaction():
        number = await queries.insert_code(
            db,
            school_id=spot.school,
            grade=grade,
            class_letter=letter,
            project=actor.project,
            role=part.partition(":")[2],
            seed=seed,
            code_hash=hashed(code),
            most_uses=most_uses,
            made_by=actor.staff_id,
            lives=LIVES,
        )
        fact: dict[str, object] = {"school": spot.school, "class": f"{grade}{letter}", "uses": most_uses}
        await audit.record(db, actor, "registration.code.made", kind="class_code", object_id=number, after=fact)
    return see_other(f"/registrations/codes/{number}")


@get("/registrations/codes/{code_id:int}", guards=[allows(PERMISSION)])
async def show(request: StaffRequest, db: Connection, code_id: int) -> Response[str]:
    """To read out, to write on the board, to print."""
    found = await _find(request, db, code_id)
    settings = request.app.state.settings
    return page(
        request,
        "registration/code_show.html",
        code=found,
        letters=shown(code_of(decode_key(settings.link_key), found.seed)),
        address=f"{settings.portal_url.rstrip('/') or str(request.base_url).rstrip('/')}/register/class",
    )


@post("/registrations/codes/{code_id:int}/end", guards=[allows(PERMISSION)])
async def end(request: StaffRequest, db: Connection, code_id: int) -> Response[str]:
    """No request by it any more; those made wait on."""
    found = await _find(request, db, code_id)
    async with db.transaction():
        if await queries.end_code(db, found.id):
            await audit.record(
                db, request.scope["user"], "registration.code.ended", kind="class_code", object_id=found.id
            )
    return see_other("/registrations/codes")


async def _find(request: StaffRequest, db: Connection, code_id: int) -> ClassCode:
    found = await queries.find_code(db, code_id)
    if found is None or not await reach_of(request.scope["user"]).holds(db, found.school_id, found.class_name):
        raise NotThere
    return found


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    reach = reach_of(actor)
    view = listing(request, ["id"], "id")
    rows, total = await queries.codes(db, reach.parameters, view.rows, view.offset)
    return page(
        request,
        "registration/codes.html",
        status=422 if form else 200,
        rows=rows,
        total=total,
        view=view,
        parts=[one for one in await queries.parts(db) if one.project == actor.project],
        classes=await reach.named(db),
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


ROUTES = [show_list, make, show, end]
