"""Sign-in, sign-out, language, own sessions and password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from litestar import Response, get, post

from infra.callers import place_of
from portal.core import audit
from portal.core.accounts import StaffRequest, identities, keys, places, present, sessions, set_password
from portal.core.accounts.contacts import contacts_of
from portal.core.accounts.grant_rows import grants_of
from portal.core.accounts.providers import all_providers
from portal.core.accounts.second_factor import has_app
from portal.core.accounts.strength import require_strong
from portal.core.accounts.systems import allowed_systems
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.front import LANGUAGE_COOKIE, LOOK_COOKIE, LOOKS
from portal.core.i18n import LANGUAGES, N_
from portal.core.permissions import allows, public
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.addresses import inside
from portal.core.ui.pages import page, see_other
from portal.features.account import queries, raised, second_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.front import Front

A_YEAR_S = 365 * 86400


@get("/sign-in", guards=[public])
async def sign_in_page(request: StaffRequest, db: Connection) -> Response[str]:
    """The form, and the other sites that open the door."""
    if request.scope["user"].signed_in:
        return see_other("/")
    return await _sign_in_page(request, db, inside(request.query_params.get("next")))


@post("/sign-in", guards=[public])
async def sign_in(request: StaffRequest) -> Response[str]:
    """A session, or one sentence for every kind of miss (nobody learns which logins exist)."""
    form = Form(await request.form())
    login, target = form.text("login", most=100), inside(form.values.get("next"))
    password = form.values.get("password", "")[:200]
    address = request.scope["user"].address
    pool = request.app.state.pool
    shown = await sessions.sign_in(pool, login, password)
    async with pool.acquire() as db:
        async with db.transaction():
            agent = request.headers.get("user-agent", "")
            began = await sessions.enter(db, shown, address, agent)
            fact: dict[str, object] | None = {"place": place_of(address), "agent": agent[:200]} if began else None
            if began:
                await places.tell_of_new(db, began[0], address, datetime.now(UTC))
            await audit.record_for(
                db,
                staff_id=began[0] if began else None,
                acting_as="-",
                address=address,
                act="account.session.began" if began else "account.sign-in.missed",
                kind="staff",
                # Not the login that was typed: a person in a hurry types his password there.
                object_id=began[0] if began else "-",
                after=fact,
            )
        if began is None:
            form.errors.clear()
            form.miss(
                "login",
                N_("Login or password does not fit. After five misses it rests for five minutes where you sit."),
            )
            return await _sign_in_page(request, db, target, status=401, errors=form.errors, login=login)
    answer = see_other(target)
    front: Front = request.app.state.front
    answer.headers["set-cookie"] = front.cookie(sessions.COOKIE, began[1], age_s=int(sessions.LONGEST.total_seconds()))
    return answer


async def _sign_in_page(
    request: StaffRequest,
    db: Connection,
    target: str,
    *,
    status: int = 200,
    errors: Mapping[str, object] | None = None,
    login: str = "",
) -> Response[str]:
    return page(
        request,
        "account/sign_in.html",
        status=status,
        errors=errors or {},
        login=login,
        next=target,
        mail_on=bool(request.app.state.settings.mail_url or request.app.state.settings.sms_url),
        said=request.query_params.get("said", ""),
        providers=await all_providers(db, on_only=True),
        names={one.code: one.name for one in await projects(db)},
    )


@post("/sign-out", guards=[public])
async def sign_out(request: StaffRequest, db: Connection) -> Response[str]:
    """The session is gone on the server, the cookie in the browser."""
    actor = request.scope["user"]
    if actor.signed_in:
        async with db.transaction():
            await sessions.end_session(db, actor.staff_id, actor.session)
            await audit.record(db, actor, "account.session.ended", kind="staff", object_id=actor.staff_id)
    answer = see_other("/sign-in")
    answer.headers["set-cookie"] = request.app.state.front.cookie(sessions.COOKIE, "", age_s=0)
    return answer


@post("/account/sessions/end-others", guards=[allows("own.account")])
async def end_other_sessions(request: StaffRequest, db: Connection) -> Response[str]:
    """End all of the own sessions but this one."""
    actor = request.scope["user"]
    async with db.transaction():
        fact: dict[str, object] = {"sessions": await sessions.end_others(db, actor.staff_id, actor.session)}
        await audit.record(db, actor, "account.sessions.revoked", kind="staff", object_id=actor.staff_id, before=fact)
    return see_other("/account")


@get("/language/{code:str}", guards=[public])
async def choose_language(request: StaffRequest, db: Connection, code: str) -> Response[str]:
    """Remembered in a cookie, and for staff in the account."""
    if code not in LANGUAGES:
        raise NotThere
    actor = request.scope["user"]
    if actor.signed_in:
        await queries.set_language(db, actor.staff_id, code)
    answer = see_other(inside(request.query_params.get("next")))
    answer.headers["set-cookie"] = request.app.state.front.cookie(LANGUAGE_COOKIE, code, age_s=A_YEAR_S)
    return answer


@get("/look/{code:str}", guards=[public])
async def choose_look(request: StaffRequest, code: str) -> Response[str]:
    """Light, dark, or as the device has it; remembered in a cookie of this browser."""
    if code not in LOOKS:
        raise NotThere
    answer = see_other(inside(request.query_params.get("next")))
    answer.headers["set-cookie"] = request.app.state.front.cookie(LOOK_COOKIE, code, age_s=A_YEAR_S)
    return answer


@post("/project", guards=[allows("own.account")])
async def choose_project(request: StaffRequest, db: Connection) -> Response[str]:
    """Go on in another project where the person has a role."""
    actor = request.scope["user"]
    wished = Form(await request.form()).values.get("project", "")
    if wished not in {one.code for one in actor.projects}:
        raise NotThere
    await sessions.enter_project(db, actor.session, wished)
    return see_other("/")


@get("/account", guards=[allows("own.account")])
async def account(request: StaffRequest, db: Connection) -> Response[str]:
    """Roles, sessions, password."""
    return await account_page(request, db, {})


@post("/account/password", guards=[allows("own.account")])
async def change_password(request: StaffRequest, db: Connection) -> Response[str]:
    """A new password; all sessions end, also this one."""
    actor = request.scope["user"]
    form = Form(await request.form())
    old, new = form.values.get("old", ""), form.values.get("new", "")
    require_strong(form, "new", new, actor.login, actor.full_name)
    if not await present.fits(db, actor, old):
        form.miss("old", present.NOT_PRESENT)
    if form.errors:
        return await account_page(request, db, form.errors, status=422)
    async with db.transaction():
        await set_password(db, actor.staff_id, new)
        await audit.record(db, actor, "account.password.changed", kind="staff", object_id=actor.staff_id)
    return see_other("/sign-in")


@post("/account/sessions/end", guards=[allows("own.account")])
async def end_session(request: StaffRequest, db: Connection) -> Response[str]:
    """End one of the own sessions."""
    actor = request.scope["user"]
    form = Form(await request.form())
    try:
        hashed = bytes.fromhex(form.values.get("session", ""))
    except ValueError as error:
        raise NotThere from error
    async with db.transaction():
        if not await sessions.end_session(db, actor.staff_id, hashed):
            raise NotThere
        await audit.record(db, actor, "account.session.revoked", kind="staff", object_id=actor.staff_id)
    return see_other("/account")


async def account_page(
    request: StaffRequest, db: Connection, errors: Mapping[str, object], status: int = 200
) -> Response[str]:
    """The page, with what is wrong in one of its forms."""
    actor = request.scope["user"]
    home = keys.origin(request.app.state.settings)
    return page(
        request,
        "account/account.html",
        status=status,
        errors=errors,
        grants=await grants_of(db, actor.staff_id),
        keys=await keys.keys_of(db, actor.staff_id),
        has_app=await has_app(db, actor.staff_id),
        key_page="" if str(request.base_url).rstrip("/") == home else f"{home}/account",
        sessions=await sessions.sessions_of(db, actor.staff_id),
        contacts=await contacts_of(db, actor.staff_id),
        mail_on=bool(request.app.state.settings.mail_url),
        asked="asked" in request.query_params,
        linked="linked" in request.query_params,
        identities=await identities.identities_of(db, actor.staff_id),
        providers=await all_providers(db, on_only=True),
        privileged=await identities.is_privileged(db, actor.staff_id),
        systems=await allowed_systems(db, actor.staff_id),
    )


@post("/account/keys/options", guards=[allows("own.account", before_factor=True)])
async def key_options(request: StaffRequest, db: Connection) -> Response[bytes]:
    """What the browser asks the key just now (a program's answer: the page's script reads it)."""
    purpose = Form(await request.form()).choice("purpose", ["register", "confirm"], "confirm")
    made = await keys.options(db, request.scope["user"], request.app.state.settings, purpose)
    return Response(made.encode(), media_type="application/json", status_code=200)


@post("/account/keys", guards=[allows("own.account")])
async def add_key(request: StaffRequest, db: Connection) -> Response[str]:
    """Add a security key; the present password is asked too, so that a session left open adds none."""
    actor = request.scope["user"]
    form = Form(await request.form())
    name, credential = form.text("name", most=60), form.values.get("credential", "")
    if not await present.fits(db, actor, form.values.get("present", "")):
        form.miss("present", present.NOT_PRESENT)
    if form.errors:
        return await account_page(request, db, form.errors, status=422)
    async with db.transaction():
        key_id = await keys.add(db, actor, request.app.state.settings, credential, name)
        fact: dict[str, object] = {"key": key_id, "name": name}
        await audit.record(db, actor, "account.key.added", kind="staff", object_id=actor.staff_id, after=fact)
    return see_other("/account")


@post("/account/keys/{key_id:int}/remove", guards=[allows("own.account")])
async def remove_key(request: StaffRequest, db: Connection, key_id: int) -> Response[str]:
    """Forget a security key."""
    actor = request.scope["user"]
    async with db.transaction():
        if not await keys.remove(db, actor.staff_id, key_id):
            raise NotThere
        fact: dict[str, object] = {"key": key_id}
        await audit.record(db, actor, "account.key.removed", kind="staff", object_id=actor.staff_id, before=fact)
    return see_other("/account")


ROUTES = [
    sign_in_page,
    sign_in,
    sign_out,
    choose_language,
    choose_look,
    account,
    change_password,
    end_session,
    end_other_sessions,
    key_options,
    add_key,
    remove_key,
    choose_project,
    *raised.ROUTES,
    *second_factor.ROUTES,
]
