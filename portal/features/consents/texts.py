"""The versions of the texts, and a new one. A published version never changes."""

from __future__ import annotations

import re

import asyncpg
from litestar import Response, get, post

from portal.core import audit, consents, readings
from portal.core.accounts import StaffRequest
from portal.core.consents.texts import PARTS, publish, versions
from portal.core.db import Connection
from portal.core.files.rows import parse_day
from portal.core.forms import Form
from portal.core.i18n import LANGUAGES, N_
from portal.core.permissions import allows
from portal.core.ui.pages import page, see_other

VERSION = re.compile(r"[0-9A-Za-z.-]{1,40}")
LONGEST = 4000
NOT_VERSION = N_("Latin letters, digits, dots and hyphens, as «2026-2».")
TAKEN = N_("There is such a version; a published one never changes.")
NOT_DAY = N_("A day like 14.03.2015 is needed.")
PAST = N_("A version is in force from today on or later.")
TONGUES: dict[str, str] = {"kk": N_("Kazakh"), "ru": N_("Russian"), "en": N_("English")}


@get("/consent-texts", guards=[allows("consent.text")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """All versions, the one in force first; and the age from which a person agrees alone."""
    return await texts_page(request, db, None)


async def texts_page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    """The page; `form`: a wish for another age that did not fit."""
    known = await versions(db)
    today = readings.today()
    return page(
        request,
        "consents/texts.html",
        status=422 if form else 200,
        known=known,
        now=next((one.version for one in known if one.in_force_from <= today), ""),
        parts=PARTS,
        tongues=TONGUES,
        age=await consents.age_of_consent(db),
        errors=form.errors if form else {},
        values=form.values if form else {},
    )


@get("/consent-texts/new", guards=[allows("consent.text")])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The form, filled with the newest version."""
    return await _page(request, db, None)


@post("/consent-texts/new", guards=[allows("consent.text")])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """Publish; all parts in all languages, or nothing."""
    actor = request.scope["user"]
    form = Form(await request.form())
    version = form.text("version", most=40)
    if version and not VERSION.fullmatch(version):
        form.miss("version", NOT_VERSION)
    day = parse_day(form.text("in_force_from"))
    if day is None or day < readings.today():
        form.miss("in_force_from", NOT_DAY if day is None else PAST)
    texts = {part: {tongue: form.text(f"{part}_{tongue}", most=LONGEST) for tongue in LANGUAGES} for part in PARTS}
    draft = form.ticked("draft")
    if form.errors or day is None:
        return await _page(request, db, form)
    try:
        async with db.transaction():
            await publish(db, version=version, draft=draft, in_force_from=day, texts=texts, staff_id=actor.staff_id)
            fact: dict[str, object] = {"in_force_from": day.isoformat(), "draft": draft}
            await audit.record(db, actor, "consent.text.published", kind="consent_text", object_id=version, after=fact)
    except asyncpg.UniqueViolationError:
        form.miss("version", TAKEN)
        return await _page(request, db, form)
    return see_other("/consent-texts")


async def _page(request: StaffRequest, db: Connection, form: Form | None) -> Response[str]:
    known = await versions(db)
    before = known[0].texts if known else {}
    filled = {f"{part}_{tongue}": text for part, spoken in before.items() for tongue, text in spoken.items()}
    return page(
        request,
        "consents/text_new.html",
        status=422 if form else 200,
        parts=PARTS,
        tongues=TONGUES,
        errors=form.errors if form else {},
        values=form.values if form else filled,
    )


ROUTES = [show, new, make]
