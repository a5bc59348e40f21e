"""To a provider and back; what then opens: the linked login, or a page that links it (SAFETY P3).

Providers are asked between two uses of the database, never while a connection is held: a slow one must not stop others.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, get, post

from infra.callers import place_of
from portal.core import audit
from portal.core.accounts import StaffRequest, identities, places, sessions
from portal.core.accounts.identities import PENDING_COOKIE, FlowOver, IdentityTaken, PasswordNeeded, Pending
from portal.core.accounts.providers import Provider, provider_by
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, of
from portal.core.permissions import public
from portal.core.problems import NotThere
from portal.core.ui.addresses import inside
from portal.core.ui.pages import page, see_other
from portal.features.sign_on import flows, protocol
from portal.features.sign_on.problems import DeniedThere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.db import Pool
    from portal.core.front import Front
    from portal.features.sign_on.protocol import Vouched

LONGEST = 4000
REGISTER = "/register"


@get("/sign-in/with/{code:str}", guards=[public])
async def begin(request: StaffRequest, code: str) -> Response[str]:
    """To the provider."""
    actor, pool = request.scope["user"], request.app.state.pool
    target = inside(request.query_params.get("next"))
    if actor.signed_in:
        return see_other(target)
    async with pool.acquire() as db:
        provider = await provider_by(db, code=code)
    if provider is None or not provider.is_on:
        raise NotThere
    return see_other(await way_to(request, provider, target))


async def way_to(request: StaffRequest, provider: Provider, target: str, *, staff_id: int | None = None) -> str:
    """The provider's address with all that it needs; the way is remembered."""
    settings = request.app.state.settings
    found = await protocol.metadata_of(settings, provider)
    async with request.app.state.pool.acquire() as db:
        begun = await flows.begin(db, request.scope["user"], provider, target, staff_id=staff_id)
    return protocol.authorize_url(
        settings, provider, found, state=begun.state, nonce=begun.nonce, verifier=begun.verifier
    )


@post("/sign-in/answer/{code:str}", guards=[public], opt={"by_another_site": True})
async def answer_by_form(request: StaffRequest, code: str) -> Response[str]:
    """A provider that answers by a form of the browser (Apple): the browser opens the same as an address.

    A form of another site brings none of our cookies. The code is good once, and only with our verifier.
    """
    sent = Form(await request.form()).values
    kept = {name: value[:LONGEST] for name, value in sent.items() if name not in {"user", "id_token"}}
    return see_other(f"{protocol.ANSWER}/{quote(code, safe='')}?{urlencode(kept)}")


@get("/sign-in/answer/{code:str}", guards=[public])
async def answer(request: StaffRequest, code: str) -> Response[str]:
    """Back from the provider."""
    actor, pool, settings = request.scope["user"], request.app.state.pool, request.app.state.settings
    said = {name: value[:LONGEST] for name, value in request.query_params.items()}
    async with pool.acquire() as db:
        flow = await flows.take(db, actor, code, said.get("state", ""))
        provider = await provider_by(db, provider_id=flow.provider_id) if flow else None
    if flow is None or provider is None or not provider.is_on or flow.staff_id != (actor.staff_id or None):
        raise FlowOver
    if "error" in said or "code" not in said:
        raise DeniedThere(provider=of(provider.name))
    vouched = await protocol.redeem(settings, provider, said, nonce=flow.nonce, verifier=flow.verifier)
    if flow.staff_id is not None:
        return await _linked(request, pool, provider, vouched)
    return await _signed_in(request, pool, provider, vouched, flow.goes_to)


async def _linked(request: StaffRequest, pool: Pool, provider: Provider, vouched: Vouched) -> Response[str]:
    """The account page asked for it, with the password."""
    actor = request.scope["user"]
    waits = Pending(
        token_hash=b"",
        provider_id=provider.id,
        provider=provider.name,
        issuer=vouched.issuer,
        subject=vouched.subject,
        shown=vouched.email or vouched.name,
        email=vouched.email,
        email_verified=vouched.email_verified,
        full_name=vouched.name,
        goes_to="/account",
    )
    async with pool.acquire() as db:
        try:
            async with db.transaction():
                await identities.link(db, actor, waits)
        except (PasswordNeeded, IdentityTaken) as problem:
            await identities.refuse(db, actor, provider.name, problem.code)
            raise
    return see_other("/account?linked=1")


async def _signed_in(
    request: StaffRequest, pool: Pool, provider: Provider, vouched: Vouched, target: str
) -> Response[str]:
    """A session of the linked login; without one the page that links."""
    actor, now = request.scope["user"], datetime.now(UTC)
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            """
            select i.id, i.staff_id, s.disabled_at is not null as shut
            from account_identity i
            join staff s on s.id = i.staff_id
            where i.issuer = $1 and i.subject = $2
            for no key update of s
            """,
            *(vouched.issuer, vouched.subject),
        )
        if row is None:
            token = await identities.keep_pending(
                db,
                provider_id=provider.id,
                issuer=vouched.issuer,
                subject=vouched.subject,
                email=vouched.email,
                verified=vouched.email_verified,
                name=vouched.name,
                goes_to=target,
            )
            return _with_cookie(request, see_other("/sign-in/link"), token)
        owner = msgspec.structs.replace(actor, staff_id=row["staff_id"])
        privileged = await identities.is_privileged(db, owner.staff_id)
        if row["shut"] or privileged:
            await identities.refuse(db, owner, provider.name, "shut" if row["shut"] else "password-needed")
            key = None
        else:
            await db.execute("update account_identity set used_at = $2 where id = $1", row["id"], now)
            key = await _begin_session(db, request, owner.staff_id, provider, identity_id=row["id"])
    if key is None:
        # A login that is shut says no more than one that is not linked would.
        raise DeniedThere(provider=of(provider.name)) if row["shut"] else PasswordNeeded()
    return _with_session(request, see_other(target), key)


async def _begin_session(
    db: Connection, request: StaffRequest, staff_id: int, provider: Provider, *, identity_id: int
) -> str:
    address, agent, now = request.scope["user"].address, request.headers.get("user-agent", ""), datetime.now(UTC)
    await places.tell_of_new(db, staff_id, address, now)
    key = await sessions.begin(db, staff_id, address, agent, now, identity_id)
    await audit.record_for(
        db,
        staff_id=staff_id,
        acting_as="-",
        address=address,
        act="account.session.began",
        kind="staff",
        object_id=staff_id,
        after={"place": place_of(address), "agent": agent[:200], "provider": provider.name["en"]},
    )
    return key


@get("/sign-in/link", guards=[public])
async def link_page(request: StaffRequest, db: Connection) -> Response[str]:
    """For who is linked to no login yet."""
    return _link_page(request, await _waiting(request, db))


@post("/sign-in/link", guards=[public])
async def link(request: StaffRequest) -> Response[str]:
    """Link it to the login whose password is typed here, and sign in."""
    form, pool = Form(await request.form()), request.app.state.pool
    login, password = form.text("login", most=100), form.values.get("password", "")[:200]
    async with pool.acquire() as db:
        waits = await _waiting(request, db)
    visitor, agent, now = request.scope["user"], request.headers.get("user-agent", ""), datetime.now(UTC)
    refused = None
    # No connection is held while Argon2 waits for its turn.
    shown = await sessions.sign_in(pool, login, password)
    async with pool.acquire() as db, db.transaction():
        began = await sessions.enter(db, shown, visitor.address, agent)
        owner = msgspec.structs.replace(visitor, staff_id=began[0] if began else 0)
        if began:
            try:
                async with db.transaction():
                    await identities.link(db, owner, waits)
                    await places.tell_of_new(db, owner.staff_id, visitor.address, now)
            except (PasswordNeeded, IdentityTaken) as problem:
                refused = problem
                await sessions.end_session(db, owner.staff_id, sessions.key_hash(began[1]))
                await identities.refuse(db, owner, waits.provider, problem.code)
        if not refused:
            await audit.record_for(
                db,
                staff_id=owner.staff_id or None,
                acting_as="-",
                address=visitor.address,
                act="account.session.began" if began else "account.sign-in.missed",
                kind="staff",
                object_id=owner.staff_id or "-",
                after={"place": place_of(visitor.address), "agent": agent[:200]} if began else None,
            )
    if refused:
        raise refused
    if not began:
        form.errors.clear()
        form.miss(
            "login", N_("Login or password does not fit. After five misses it rests for five minutes where you sit.")
        )
        return _link_page(request, waits, form.errors, login)
    return _with_session(request, _with_cookie(request, see_other(waits.goes_to), ""), began[1])


async def _waiting(request: StaffRequest, db: Connection) -> Pending:
    waits = await identities.pending_identity(db, request.cookies.get(_front(request).named(PENDING_COOKIE), ""))
    if waits is None:
        raise FlowOver
    return waits


def _link_page(
    request: StaffRequest, waits: Pending, errors: Mapping[str, object] | None = None, login: str = ""
) -> Response[str]:
    return page(
        request,
        "sign_on/link.html",
        status=401 if errors else 200,
        waits=waits,
        errors=errors or {},
        login=login,
        register=REGISTER if any(route.path == REGISTER for route in request.app.routes) else "",
    )


def _with_cookie(request: StaffRequest, answer: Response[str], token: str) -> Response[str]:
    age_s = int(identities.PENDING_LIVES.total_seconds()) if token else 0
    return _keep(request, answer, PENDING_COOKIE, token, age_s)


def _with_session(request: StaffRequest, answer: Response[str], key: str) -> Response[str]:
    return _keep(request, answer, sessions.COOKIE, key, int(sessions.LONGEST.total_seconds()))


def _keep(request: StaffRequest, answer: Response[str], name: str, value: str, age_s: int) -> Response[str]:
    secure = request.app.state.settings.secure_cookies
    key = _front(request).named(name)
    answer.set_cookie(key=key, value=value, max_age=age_s, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


def _front(request: StaffRequest) -> Front:
    return request.app.state.front


ROUTES = [begin, answer, answer_by_form, link_page, link]
