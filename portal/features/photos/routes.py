"""The photo on a card: given by the person himself or by staff, cut square on the server, removed at once."""

from __future__ import annotations

from litestar import Response, get, post

from infra.drawing import PDF, PHOTO, UnreadableError, draw, media_of
from portal.core import audit, cards
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.files import stored
from portal.core.files.uploads import sent_file
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import page, see_other
from portal.features.photos.problems import NotAPhoto

SIZES = {"large": "-480", "small": "-96"}
MOST_MB = 8
BODY = (MOST_MB + 1) * 2**20


@get("/persons/{person_id:int}/photo", guards=[allows("person.edit")])
async def show(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """The photo and the form for another."""
    return await _page(request, db, person_id)


@get("/me/photo", guards=[allows("own.account")])
async def show_own(request: StaffRequest, db: Connection) -> Response[str]:
    """The own photo."""
    return await _page(request, db, None)


@post("/persons/{person_id:int}/photo", guards=[allows("person.edit")], request_max_body_size=BODY)
async def take(request: StaffRequest, db: Connection, person_id: int) -> Response[str]:
    """Another photo, or none."""
    return await _take(request, db, person_id)


@post("/me/photo", guards=[allows("own.account")], request_max_body_size=BODY)
async def take_own(request: StaffRequest, db: Connection) -> Response[str]:
    """The same for oneself."""
    return await _take(request, db, None)


@get("/persons/{person_id:int}/photo/{size:str}", guards=[allows("person.view")])
async def picture(request: StaffRequest, db: Connection, person_id: int, size: str) -> Response[bytes]:
    """The picture, for who sees the card; that it was opened was counted with the page around it."""
    async with cards.seen(db, request.scope["user"], "person.view", person_id) as card:
        key = _key(card, size)
    return await cards.picture(request, key)


@get("/me/photo/{size:str}", guards=[allows("own.account")])
async def own_picture(request: StaffRequest, db: Connection, size: str) -> Response[bytes]:
    """The own picture."""
    async with cards.seen(db, request.scope["user"], "own.account", None) as card:
        key = _key(card, size)
    return await cards.picture(request, key)


async def _page(request: StaffRequest, db: Connection, person_id: int | None) -> Response[str]:
    async with cards.opened(db, request.scope["user"], "person.edit", person_id) as card:
        pass
    return page(request, "photos/show.html", most_mb=MOST_MB, **cards.context(request, card))


async def _take(request: StaffRequest, db: Connection, person_id: int | None) -> Response[str]:
    actor, settings = request.scope["user"], request.app.state.settings
    # Whose it is, before anything is drawn or kept.
    async with cards.seen(db, actor, "person.edit", person_id) as card:
        if card.closed:
            raise NotThere
    key = None
    if (await request.form()).get("do") != "remove":
        _, body = await sent_file(request)
        if len(body) > MOST_MB * 2**20 or media_of(body) in {None, PDF}:
            raise NotAPhoto
        try:
            drawn = await draw(PHOTO, body)
        except UnreadableError as error:
            raise NotAPhoto from error
        key = await stored.put(db, settings.objects, "photo", drawn, list(SIZES.values()))
    async with cards.seen(db, actor, "person.edit", person_id) as card:
        old = await db.fetchval("select set_photo($1, $2)", card.id, key)
        await stored.let_go(db, [old + ending for ending in SIZES.values()] if old else [])
        await stored.hold(db, [key + ending for ending in SIZES.values()] if key else [])
        act = "person.photo.set" if key else "person.photo.removed"
        await audit.record(db, actor, act, kind="person", object_id=card.id)
    return see_other(f"{card.base}/photo")


def _key(card: cards.Card, size: str) -> str | None:
    return card.photo_key + SIZES[size] if card.photo_key and size in SIZES else None


ROUTES = [show, show_own, take, take_own, picture, own_picture]
