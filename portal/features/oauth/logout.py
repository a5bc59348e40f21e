"""Signing out everywhere, asked by a system (OpenID Connect RP-Initiated Logout 1.0).

An ID token of ours that names the person of this session is his system's word, and he is not asked; without one a page
asks, for any site can send a browser here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, sessions
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import of
from portal.core.permissions import public
from portal.core.ui.pages import onward, page, see_other
from portal.features.oauth import asking, queries
from portal.features.oauth.signing import read_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.features.oauth.structs import System

KEPT = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
LONGEST = 4000


@post("/oauth/logout", guards=[public])
async def by_form(request: StaffRequest) -> Response[str]:
    """The same by a form of the system's: the browser opens it as an address, for such a form brings no cookie of ours."""
    form = Form(await request.form()).values
    kept = {name: form[name][:LONGEST] for name in KEPT if name in form}
    return see_other("/oauth/logout?" + urlencode(kept))


@get("/oauth/logout", guards=[public])
async def logout(request: StaffRequest, db: Connection) -> Response[str]:
    """Out at once, by a page that asks, or on if he is out already."""
    said = {name: request.query_params[name][:LONGEST] for name in KEPT if name in request.query_params}
    system, vouched = await _read(request, db, said)
    if request.scope["user"].signed_in:
        if not vouched:
            return page(request, "oauth/logout.html", system=system, kept=said)
        await _end(request, db)
    return _on(request, system, said, by_form=False)


@post("/oauth/logout/confirm", guards=[public])
async def confirm(request: StaffRequest, db: Connection) -> Response[str]:
    """He said so himself."""
    form = Form(await request.form()).values
    said = {name: form[name][:LONGEST] for name in KEPT if name in form}
    system, _ = await _read(request, db, said)
    if request.scope["user"].signed_in:
        await _end(request, db)
    return _on(request, system, said, by_form=True)


async def _read(request: StaffRequest, db: Connection, said: Mapping[str, str]) -> tuple[System | None, bool]:
    """The system that asks, if any; and whether its ID token is of the person who sits here."""
    hint = said.get("id_token_hint", "")
    claims = await read_hint(db, request.app.state.settings, hint) if hint else None
    client_id = str(claims["aud"]) if claims else said.get("client_id", "")
    if claims and said.get("client_id", client_id) != client_id:
        return None, False
    system = await queries.system_by(db, client_id=client_id) if client_id else None
    if system is None or not system.is_on:
        return None, False
    if claims is None:
        return system, False
    his = await db.fetchval(
        "select 1 from oauth_subject where staff_id = $1 and client_id = $2 and subject = $3",
        *(request.scope["user"].staff_id, system.id, str(claims["sub"])),
    )
    return system, his is not None


async def _end(request: StaffRequest, db: Connection) -> None:
    actor = request.scope["user"]
    async with db.transaction():
        await sessions.end_session(db, actor.staff_id, actor.session)
        await audit.record(db, actor, "account.session.ended", kind="staff", object_id=actor.staff_id)


def _on(request: StaffRequest, system: System | None, said: Mapping[str, str], *, by_form: bool) -> Response[str]:
    """To an address that is the system's own, letter by letter; else to our sign-in page."""
    wished = said.get("post_logout_redirect_uri", "")
    if system is None or wished not in system.logout_uris:
        answer = see_other("/sign-in?said=out")
    else:
        address = asking.back(wished, {"state": said.get("state", "")}) if said.get("state") else wished
        answer = onward(request, address, of(system.name)) if by_form else see_other(address)
    answer.headers["set-cookie"] = request.app.state.front.cookie(sessions.COOKIE, "", age_s=0)
    return answer


ROUTES = [by_form, logout, confirm]
