"""The own card. Its other tabs belong to their features: photo, portfolio, attached persons, results, reviews."""

from __future__ import annotations

from litestar import Response, get

from portal.core import cards
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.iin import keys_of, mask
from portal.core.permissions import allows
from portal.core.persons import LANGUAGE_NAMES, ROLE_NAMES, SEXES
from portal.core.ui.pages import page
from portal.features.me import queries


@get("/me", guards=[allows("own.account")])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """What the registry holds of me; the IIN is masked for me too, for a shoulder may be behind me."""
    async with cards.opened(db, request.scope["user"], "own.account", None) as card:
        data = await queries.data(db, card.id)
        memberships = await queries.memberships(db, card.id)
    masked = None
    if data.sealed and data.blind:
        digits = keys_of(request.app.state.settings).open(data.sealed, data.blind)
        masked = mask(digits) if digits else None
    return page(
        request,
        "me/card.html",
        data=data,
        memberships=memberships,
        masked=masked,
        sexes=SEXES,
        language_names=LANGUAGE_NAMES,
        role_of=ROLE_NAMES,
        **cards.context(request, card),
    )


ROUTES = [show]
