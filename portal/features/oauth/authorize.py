"""Signing a person in at a system: once signed in here, he passes without typing (single sign-on)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from litestar import Response, get, post

from portal.core import audit
from portal.core.accounts import StaffRequest, present
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import of
from portal.core.permissions import allows, public
from portal.core.problems import NotSignedIn, NotThere
from portal.core.ui.addresses import inside
from portal.core.ui.pages import onward, page, see_other
from portal.features.oauth import asking, queries
from portal.features.oauth.asking import KEPT
from portal.features.oauth.problems import Refused
from portal.features.oauth.signing import issuer
from portal.features.oauth.structs import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.features.oauth.structs import Asked, System

HERE = "/oauth/authorize"
# They are asked by a page of ours; what they wanted has happened when the person comes back from it.
BY_A_PAGE = frozenset({"login", "select_account"})


@get(HERE, guards=[public])
async def authorize(request: StaffRequest, db: Connection) -> Response[str]:
    """A system sends its person here."""
    said = dict(request.query_params.items())
    repeated = {name for name in said if len(request.query_params.getall(name)) > 1}
    system = await asking.whose(db, said, repeated)
    try:
        asked = asking.read(said, repeated, system)
        return await _decide(request, db, asked, said)
    except Refused as refused:
        return _answer(request, system, said, {"error": refused.error, "error_description": refused.description})


async def _decide(request: StaffRequest, db: Connection, asked: Asked, said: Mapping[str, str]) -> Response[str]:
    """To the sign-in, to the page that asks, or on with a code."""
    actor, silent = request.scope["user"], "none" in asked.prompt
    if not actor.signed_in or actor.wants_factor:
        if silent:
            raise Refused("login_required")
        door = "/second-factor" if actor.wants_factor else "/sign-in"
        return see_other(f"{door}?next={quote(asking.again(said, without=BY_A_PAGE), safe='')}")
    if BY_A_PAGE & asked.prompt or await _too_old(db, actor.session, asked):
        if silent:
            raise Refused("login_required")
        return see_other(f"/oauth/again?next={quote(asking.again(said, without=BY_A_PAGE), safe='')}")
    if _asks(asked) or not await queries.consented(db, actor.staff_id, asked.system, asked.scopes):
        if silent:
            raise Refused("consent_required")
        return page(
            request,
            "oauth/consent.html",
            asked=asked,
            scopes=SCOPES,
            kept={name: said[name] for name in KEPT if name in said},
        )
    return await _let_in(request, db, asked, said)


def _asks(asked: Asked) -> bool:
    """Whether he is asked whatever he said before: any app of a phone can claim a scheme for itself (RFC 8252 §8.6)."""
    return "consent" in asked.prompt or urlsplit(asked.redirect_uri).scheme not in {"https", "http"}


async def _too_old(db: Connection, session: bytes, asked: Asked) -> bool:
    """Whether the system wants him to show more lately who he is."""
    if asked.max_age is None:
        return False
    return await queries.auth_time(db, session) < datetime.now(UTC) - timedelta(seconds=asked.max_age)


@post(HERE, guards=[allows("own.account")])
async def decide(request: StaffRequest, db: Connection) -> Response[str]:
    """The person's own yes or no; everything is looked at anew."""
    actor, form = request.scope["user"], Form(await request.form())
    said = {name: form.values[name] for name in KEPT if name in form.values} | {"after": "form"}
    system = await asking.whose(db, said, set())
    try:
        asked = asking.read(said, set(), system)
        if await _too_old(db, actor.session, asked):
            return see_other(f"/oauth/again?next={quote(asking.again(said), safe='')}")
        if form.values.get("answer") != "yes":
            raise Refused("access_denied")
        async with db.transaction():
            await queries.consent(db, actor.staff_id, system, asked.scopes)
            fact: dict[str, object] = {"name": system.name["en"], "scopes": asked.scopes}
            await audit.record(db, actor, "account.system.allowed", kind="system", object_id=system.id, after=fact)
        return await _let_in(request, db, asked, said)
    except Refused as refused:
        return _answer(request, system, said, {"error": refused.error, "error_description": refused.description})


async def _let_in(request: StaffRequest, db: Connection, asked: Asked, said: Mapping[str, str]) -> Response[str]:
    """On with a code."""
    actor = request.scope["user"]
    async with db.transaction():
        # The session may have ended since it was read; then there is nothing to hang a code on.
        if not await db.fetchval("select 1 from staff_session where key_hash = $1 for key share", actor.session):
            raise NotSignedIn
        code, fresh = await queries.make_code(db, actor, asked, datetime.now(UTC))
        if fresh:
            fact: dict[str, object] = {"name": asked.system.name["en"]}
            await audit.record(
                db, actor, "account.system.entered", kind="system", object_id=asked.system.id, after=fact
            )
    return _answer(request, asked.system, said, {"code": code})


def _answer(request: StaffRequest, system: System, said: Mapping[str, str], answer: dict[str, str]) -> Response[str]:
    """Back to the system, with who says so (RFC 9207)."""
    answer = {**answer, "state": said.get("state", ""), "iss": issuer(request.app.state.settings)}
    address = asking.back(said["redirect_uri"], answer)
    return onward(request, address, of(system.name)) if "after" in said else see_other(address)


@get("/oauth/again", guards=[allows("own.account")])
async def ask_again(request: StaffRequest) -> Response[str]:
    """A system wants to know that it is still he."""
    return _again_page(request, request.query_params.get("next"), {})


@post("/oauth/again", guards=[allows("own.account")])
async def show_again(request: StaffRequest, db: Connection) -> Response[str]:
    """The password once more."""
    actor, form = request.scope["user"], Form(await request.form())
    if not await present.fits(db, actor, form.values.get("present", "")):
        form.miss("present", present.NOT_PRESENT)
        return _again_page(request, form.values.get("next"), form.errors)
    async with db.transaction():
        await db.execute("update staff_session set proven_at = now() where key_hash = $1", actor.session)
        await audit.record(db, actor, "account.password.shown", kind="staff", object_id=actor.staff_id)
    return see_other(inside(form.values.get("next")))


def _again_page(request: StaffRequest, target: str | None, errors: Mapping[str, object]) -> Response[str]:
    return page(request, "oauth/again.html", status=422 if errors else 200, next=inside(target), errors=errors)


@post("/oauth/consent/{system_id:int}/forget", guards=[allows("own.account")])
async def forget(request: StaffRequest, db: Connection, system_id: int) -> Response[str]:
    """Take the word to a system back: its tokens end, and it asks again."""
    actor = request.scope["user"]
    async with db.transaction():
        done = await db.fetchval(
            "delete from oauth_consent where staff_id = $1 and client_id = $2 returning client_id",
            *(actor.staff_id, system_id),
        )
        if done is None:
            raise NotThere
        await db.execute("delete from oauth_login where staff_id = $1 and client_id = $2", *(actor.staff_id, system_id))
        await audit.record(db, actor, "account.system.forgotten", kind="system", object_id=system_id)
    return see_other("/account")


ROUTES = [authorize, decide, ask_again, show_again, forget]
