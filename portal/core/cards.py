"""What every tab of a person's card needs: the person, found within the territory or as oneself, and the tabs that open.

A tab is a route with a permission of its own, below `/persons/ID`; the same tab of the person himself lies below `/me`.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from litestar import Response

from infra.local import decode_key
from portal.core import readings
from portal.core.files import stored
from portal.core.files.links import is_ours, sign
from portal.core.i18n import N_, t
from portal.core.problems import NotThere
from portal.core.scope import acting, as_oneself

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor, StaffRequest
    from portal.core.db import Connection

OWN = "/me"
TABS = (
    ("", N_("Card"), "person.view"),
    ("/portfolio", N_("Portfolio"), "portfolio.view"),
    ("/attached", N_("Attached persons"), "tie.view"),
    ("/results", N_("Results"), "person.results"),
    ("/kpi", N_("KPI log"), "kpi.view"),
    ("/reviews", N_("Reviews"), "review.view"),
    ("/work", N_("Tests made and held"), "person.work"),
    ("/watched", N_("Proctoring"), None),
    ("/consents", N_("Consents"), "person.view"),
    ("/history", N_("History"), "person.view"),
)
NOT_OWN = frozenset({"/history"})
# A tab without a permission is of one's own card alone: of children in proctored sittings staff know numbers, not names.
# Of his own card a pupil or parent has no use for them: they are about work.
OWN_OF_STAFF = frozenset({"/kpi", "/work"})
# A page of pictures is looked at for a while; a copied address is soon worth nothing.
PICTURE_LIVES = timedelta(minutes=10)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the tabs of his card know him. `own`: he himself looks at it."""

    id: int
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    status: str
    photo_key: str | None
    own: bool

    @property
    def name(self) -> str:
        """As on a class list."""
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part)

    @property
    def initials(self) -> str:
        """For the picture of who has none."""
        return self.last_name[:1] + self.first_name[:1]

    @property
    def base(self) -> str:
        """Where his tabs lie."""
        return OWN if self.own else f"/persons/{self.id}"

    @property
    def closed(self) -> bool:
        """Nothing is added to a row that was merged into another."""
        return self.status == "merged"


@contextlib.asynccontextmanager
async def opened(db: Connection, actor: Actor, permission: str, person_id: int | None) -> AsyncIterator[Card]:
    """A transaction on one person's card: within the actor's territory, or (None) as oneself. Reading another is counted."""
    async with seen(db, actor, permission, person_id) as card:
        if not card.own:
            await readings.count(db, actor, "card")
        yield card


@contextlib.asynccontextmanager
async def seen(db: Connection, actor: Actor, permission: str, person_id: int | None) -> AsyncIterator[Card]:
    """The same without a count: for a change, and for a picture whose page was counted."""
    if person_id is None:
        async with as_oneself(db, actor) as own_id:
            yield await _find(db, own_id, own=True)
    else:
        async with acting(db, actor, permission):
            yield await _find(db, person_id, own=False)


async def _find(db: Connection, person_id: int, *, own: bool) -> Card:
    row = await db.fetchrow(
        """
        select id, last_name, first_name, middle_name, birth_date, status, photo_key
        from person
        where id = $1
        """,
        person_id,
    )
    if row is None:
        raise NotThere
    return Card(**row, own=own)


def tabs(actor: Actor, base: str) -> list[tuple[str, str]]:
    """The tabs that this person may open."""
    if base == OWN:
        left_out = NOT_OWN | {"/watched"} if actor.is_staff else NOT_OWN | OWN_OF_STAFF
        return [(base + path, t(text)) for path, text, _ in TABS if path not in left_out]
    return [(base + path, t(text)) for path, text, permission in TABS if permission and actor.may(permission)]


def context(request: StaffRequest, card: Card) -> dict[str, Any]:
    """For the head of each tab (`_card_head.html`)."""
    actor = request.scope["user"]
    photo = None
    if card.photo_key:
        photo = card.base + "/photo/large?" + picture_query(request, f"{card.photo_key}-480")
    return {"card": card, "card_tabs": tabs(actor, card.base), "photo": photo}


def picture_query(request: StaffRequest, key: str) -> str:
    """The end of a picture's address: for this reader, for some minutes; the page around it is what was counted."""
    settings: PortalSettings = request.app.state.settings
    # Rounded, so that the browser finds a picture again that it has.
    lives = int(PICTURE_LIVES.total_seconds())
    until = (int(datetime.now(UTC).timestamp()) // lives + 2) * lives
    signature = sign(decode_key(settings.link_key), "picture", key, request.scope["user"].staff_id, until)
    return urlencode({"until": until, "sign": signature})


async def picture(request: StaffRequest, key: str | None) -> Response[bytes]:
    """A stored picture for who has its address from a page of today; whether he may see it, the caller has asked."""
    asked = request.query_params
    until = asked.get("until", "")
    if key is None or not until.isascii() or not until.isdigit() or len(until) > 12:
        raise NotThere
    settings: PortalSettings = request.app.state.settings
    reader = request.scope["user"].staff_id
    ours = is_ours(decode_key(settings.link_key), "picture", key, reader, int(until), asked.get("sign", ""))
    if not ours or int(until) <= datetime.now(UTC).timestamp():
        raise NotThere
    body = await stored.fetch(settings.objects, key)
    if body is None:
        raise NotThere
    headers = {
        "cache-control": "private, max-age=600",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
    }
    return Response(body, media_type="image/webp", headers=headers)
