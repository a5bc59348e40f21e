"""From the account page: link an account of another site. The password is typed just before, for a session left open links none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post

from portal.core.accounts import StaffRequest, identities, present
from portal.core.accounts.identities import PasswordNeeded
from portal.core.accounts.passwords import verify_password
from portal.core.accounts.providers import Provider, provider_by
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import of
from portal.core.permissions import allows
from portal.core.problems import NotThere
from portal.core.ui.pages import onward, page, see_other
from portal.features.sign_on.routes import way_to

if TYPE_CHECKING:
    from collections.abc import Mapping


@get("/account/linked/{code:str}", guards=[allows("own.account")])
async def ask(request: StaffRequest, db: Connection, code: str) -> Response[str]:
    """The password, and what will happen."""
    return _page(request, await _provider(request, db, code), {})


@post("/account/linked/{code:str}", guards=[allows("own.account")])
async def go(request: StaffRequest, code: str) -> Response[str]:
    """To the provider."""
    actor, form = request.scope["user"], Form(await request.form())
    async with request.app.state.pool.acquire() as db:
        provider = await _provider(request, db, code)
        stored = await present.stored_of(db, actor)
    # No connection is held while Argon2 waits for its turn.
    right = await verify_password(stored, form.values.get("present", "")[: present.LONGEST])
    async with request.app.state.pool.acquire() as db:
        right = await present.settle(db, actor, stored, right=right)
    if not right:
        form.miss("present", present.NOT_PRESENT)
        return _page(request, provider, form.errors)
    way = await way_to(request, provider, "/account", staff_id=actor.staff_id)
    return onward(request, way, of(provider.name))


@post("/account/linked/{identity_id:int}/remove", guards=[allows("own.account")])
async def remove(request: StaffRequest, db: Connection, identity_id: int) -> Response[str]:
    """Take one off. A session that it opened ends with it, also this one."""
    async with db.transaction():
        await identities.unlink(db, request.scope["user"], identity_id)
    return see_other("/account")


async def _provider(request: StaffRequest, db: Connection, code: str) -> Provider:
    provider = await provider_by(db, code=code)
    if provider is None or not provider.is_on:
        raise NotThere
    actor = request.scope["user"]
    if await identities.is_privileged(db, actor.staff_id):
        await identities.refuse(db, actor, provider.name, PasswordNeeded.code)
        raise PasswordNeeded
    return provider


def _page(request: StaffRequest, provider: Provider, errors: Mapping[str, object]) -> Response[str]:
    return page(request, "sign_on/ask.html", status=422 if errors else 200, provider=provider, errors=errors)


ROUTES = [ask, go, remove]
