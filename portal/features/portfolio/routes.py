"""The portfolio of a person: added by himself or by staff, seen, confirmed against the original, removed with a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from infra.drawing import media_of
from infra.local import decode_key
from portal.core import audit, cards
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import stored
from portal.core.files.links import Source, path_of, register
from portal.core.files.rows import parse_day
from portal.core.files.uploads import sent_file
from portal.core.forms import Form
from portal.core.i18n import N_, number
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.listing import picked
from portal.core.ui.pages import page, see_other
from portal.features.portfolio import queries
from portal.features.portfolio.checking import PAGE, THUMB
from portal.features.portfolio.problems import NotADocument, PortfolioFull
from portal.features.portfolio.structs import KINDS, LANGUAGES, STATES, TONES, Document, NewDocument

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor

MOST_MB, MOST_DOCUMENTS = 10, 60
BODY = (MOST_MB + 1) * 2**20
EARLIEST = date(1940, 1, 1)
VIEW = "portfolio.view"


@get("/persons/{person_id:int}/portfolio", guards=[allows("portfolio.view")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """All documents of a person."""
    return await _page(request, db, person_id, None)


@get("/me/portfolio", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """The own documents."""
    return await _page(request, db, None, None)


@post("/persons/{person_id:int}/portfolio", guards=[allows("person.edit")], request_max_body_size=BODY)
async def add(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """A new document."""
    return await _add(request, db, person_id)


@post("/me/portfolio", guards=[allows("own.account")], request_max_body_size=BODY)
async def add_own(request: StaffRequest, db: Connection) -> Response[str]:
    """A new document of one's own."""
    return await _add(request, db, None)


@get("/persons/{person_id:int}/portfolio/{document_id:int}", guards=[allows("portfolio.view")])
async def open_one(request: StaffRequest, db: Connection, person_id: int, document_id: int) -> Response[str]:
    """One document to look at: counted, and on record."""
    return await _open(request, db, person_id, document_id)


@get("/me/portfolio/{document_id:int}", guards=[allows("own.account")])
async def open_own(request: StaffRequest, db: Connection, document_id: int) -> Response[str]:
    """One's own document."""
    return await _open(request, db, None, document_id)


@get("/persons/{person_id:int}/portfolio/{document_id:int}/picture/{size:str}", guards=[allows("portfolio.view")])
async def picture(
    request: StaffRequest, db: Connection, person_id: int, document_id: int, size: str
) -> Response[bytes]:
    """The preview."""
    return await _picture(request, db, person_id, document_id, size)


@get("/me/portfolio/{document_id:int}/picture/{size:str}", guards=[allows("own.account")])
async def own_picture(request: StaffRequest, db: Connection, document_id: int, size: str) -> Response[bytes]:
    """The preview of one's own."""
    return await _picture(request, db, None, document_id, size)


@post("/persons/{person_id:int}/portfolio/{document_id:int}/confirm", guards=[allows("portfolio.confirm")])
async def confirm(request: StaffRequest, db: Connection, person_id: int, document_id: int) -> Response[str]:
    """«I have seen the original»; nobody says so of his own."""
    actor = request.scope["user"]
    if actor.person_id == person_id:
        raise NotThere
    async with cards.seen(db, actor, "portfolio.confirm", person_id) as card:
        document = await queries.find(db, card.id, document_id, lock=True)
        if not document.opens:
            raise NotThere
        if await queries.confirm(db, document.id, actor.staff_id):
            await _record(db, actor, "portfolio.document.confirmed", document)
    return see_other(f"/persons/{person_id}/portfolio/{document_id}")


@post("/persons/{person_id:int}/portfolio/{document_id:int}/remove", guards=[allows("person.edit")])
async def remove(request: StaffRequest, db: Connection, person_id: int, document_id: int) -> Response[str]:
    """Take a document out, with a reason."""
    return await _remove(request, db, person_id, document_id)


@post("/me/portfolio/{document_id:int}/remove", guards=[allows("own.account")])
async def remove_own(request: StaffRequest, db: Connection, document_id: int) -> Response[str]:
    """Take one's own out."""
    return await _remove(request, db, None, document_id)


async def may_take(db: Connection, actor: Actor, key: str) -> str | None:
    """The file's name, for the holder or for who may see portfolios where he is; counted like every opening."""
    if actor.person_id is not None:
        async with cards.seen(db, actor, VIEW, None):
            found = await queries.by_key(db, key)
            if found is not None:
                return _name(await queries.find(db, *found))
    if not actor.may(VIEW):
        return None
    person_id = await db.fetchval("select person_of_document($1)", key)
    if person_id is None:
        return None
    try:
        async with cards.opened(db, actor, VIEW, person_id):
            found = await queries.by_key(db, key)
            return _name(await queries.find(db, *found)) if found else None
    except NotThere:
        return None


FILES = register(
    Source(
        code="portfolio",
        bucket=stored.BUCKET,
        permission="own.account",
        media="application/octet-stream",
        name_for=may_take,
        act="portfolio.file.taken",
        about="document",
    )
)


def _name(document: Document) -> str | None:
    return document.file_name if document.opens else None


async def _page(request: StaffRequest, db: Connection, person_id: int | None, form: Form | None) -> Response[str]:
    actor = request.scope["user"]
    kind, sort = picked(request, "kind", KINDS), picked(request, "sort", queries.SORTS, "-added")
    async with cards.opened(db, actor, VIEW, person_id) as card:
        rows = await queries.documents(db, card.id, kind=kind, sort=sort)
    return page(
        request,
        "portfolio/list.html",
        status=422 if form else 200,
        rows=[(row, _picture_path(request, card, row, "thumb")) for row in rows],
        kind=kind,
        sort=sort,
        may_add=(card.own or actor.may("person.edit")) and not card.closed,
        errors=form.errors if form else {},
        values=form.values if form else {},
        most_mb=MOST_MB,
        **_words(),
        **cards.context(request, card),
    )


async def _add(request: StaffRequest, db: Connection, person_id: int | None) -> Response[str]:
    actor, settings = request.scope["user"], request.app.state.settings
    form = Form(await request.form())
    read = read_form(form, datetime.now(UTC).date())
    async with cards.seen(db, actor, "person.edit", person_id) as card:
        if card.closed:
            raise NotThere
    if form.errors:
        return await _page(request, db, person_id, form)
    _, body = await sent_file(request)
    media = media_of(body)
    if media is None or len(body) > MOST_MB * 2**20:
        raise NotADocument
    key = await stored.put(db, settings.objects, "document", [body], [""])
    async with cards.seen(db, actor, "person.edit", person_id) as card:
        if await queries.count(db, card.id) >= MOST_DOCUMENTS:
            raise PortfolioFull(most=number(MOST_DOCUMENTS))
        document_id = await queries.insert(db, card.id, read, media, len(body), key, actor.staff_id)
        await stored.hold(db, [key])
        fact: dict[str, object] = {"document": document_id, **msgspec.to_builtins(read)}
        await audit.record(db, actor, "portfolio.document.added", kind="person", object_id=card.id, after=fact)
    return see_other(f"{card.base}/portfolio")


def read_form(form: Form, today: date) -> NewDocument:
    """A document from the form; what is wrong is noted there."""
    text = form.text("issued_on", required=False)
    issued = parse_day(text) if text else None
    if text and (issued is None or not EARLIEST <= issued <= today):
        form.miss("issued_on", N_("A day like 25.05.2024 is needed, not later than today."))
    return NewDocument(
        kind=form.choice("kind", list(KINDS)),
        title=form.text("title", most=200),
        issuer=form.text("issuer", required=False, most=200),
        issued_on=issued,
        language=form.choice("language", list(LANGUAGES), "kk"),
    )


async def _open(request: StaffRequest, db: Connection, person_id: int | None, document_id: int) -> Response[str]:
    actor, settings = request.scope["user"], request.app.state.settings
    async with cards.opened(db, actor, VIEW, person_id) as card:
        document = await queries.find(db, card.id, document_id)
        if not card.own:
            await _record(db, actor, "portfolio.document.opened", document)
    link = None
    if document.opens and document.object_key:
        now = datetime.now(UTC)
        link = path_of(decode_key(settings.link_key), FILES, document.object_key, actor.staff_id, now)
    return page(
        request,
        "portfolio/show.html",
        document=document,
        picture=_picture_path(request, card, document, "page"),
        near=picked(request, "zoom", ["2"]) == "2",
        link=link,
        may_confirm=not card.own and actor.may("portfolio.confirm") and actor.person_id != card.id and document.opens,
        may_remove=card.own or actor.may("person.edit"),
        **_words(),
        **cards.context(request, card),
    )


async def _picture(
    request: StaffRequest, db: Connection, person_id: int | None, document_id: int, size: str
) -> Response[bytes]:
    endings = {"page": PAGE, "thumb": THUMB}
    async with cards.seen(db, request.scope["user"], VIEW, person_id) as card:
        document = await queries.find(db, card.id, document_id)
    shown = document.opens and document.preview_key is not None and size in endings
    return await cards.picture(request, f"{document.preview_key}{endings[size]}" if shown else None)


async def _remove(request: StaffRequest, db: Connection, person_id: int | None, document_id: int) -> Response[str]:
    actor = request.scope["user"]
    form = Form(await request.form())
    reason = form.text("reason", most=200)
    if form.errors:
        return await _page(request, db, person_id, form)
    async with cards.seen(db, actor, "person.edit", person_id) as card:
        document = await queries.find(db, card.id, document_id, lock=True)
        await queries.remove(db, document.id)
        previews = [f"{document.preview_key}{ending}" for ending in (PAGE, THUMB)] if document.preview_key else []
        await stored.let_go(db, [document.object_key, *previews])
        await _record(db, actor, "portfolio.document.removed", document, reason)
    return see_other(f"{card.base}/portfolio")


def _picture_path(request: StaffRequest, card: cards.Card, document: Document, size: str) -> str | None:
    if not document.opens or not document.preview_key:
        return None
    key = document.preview_key + {"page": PAGE, "thumb": THUMB}[size]
    return f"{card.base}/portfolio/{document.id}/picture/{size}?{cards.picture_query(request, key)}"


async def _record(db: Connection, actor: Actor, act: str, document: Document, reason: str = "") -> None:
    fact: dict[str, object] = {"document": document.id, "kind": document.kind, "title": document.title}
    await audit.record(db, actor, act, kind="person", object_id=document.person_id, after=fact, reason=reason)


def _words() -> dict[str, Any]:
    return {"kinds": KINDS, "document_languages": LANGUAGES, "states": STATES, "tones": TONES}


ROUTES = [
    *[show, show_own, add, add_own, open_one, open_own, picture, own_picture],
    *[confirm, remove, remove_own],
]
