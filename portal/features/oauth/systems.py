"""The house's page of systems that sign their people in here; a secret is shown once, when it is drawn."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar import Response, get, post

from portal.core import audit, outbound
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other
from portal.features.oauth import queries
from portal.features.oauth.discovery import CONFIGURATION
from portal.features.oauth.signing import draw_key, issuer
from portal.features.oauth.structs import SCOPES, System

if TYPE_CHECKING:
    from infra.settings import PortalSettings

EDIT = "signon.edit"
MOST_URIS = 20
LONGEST_URI = 500
# An app of a phone returns to a scheme of its own, a host name turned round (RFC 8252 §7.1).
OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


@get("/sign-on/systems", guards=[allows(EDIT)])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """All of them; where somebody is signed in, and what they could not be told."""
    require_country(request.scope["user"], EDIT)
    counts = await db.fetch("select client_id, count(*) as logins from oauth_login group by client_id")
    untold = await db.fetch(
        """
        select distinct on (client_id) client_id, said
        from oauth_logout
        where state = 'given_up' or (state = 'queued' and tries > 1)
        order by client_id, id desc
        """
    )
    return page(
        request,
        "oauth/systems.html",
        systems=await queries.all_systems(db),
        logins={row["client_id"]: row["logins"] for row in counts},
        untold={row["client_id"]: row["said"] for row in untold},
        names={one.code: one.name for one in await projects(db)},
        keys=await db.fetch("select kid, made_at from oauth_key order by made_at desc, kid limit 5"),
        issuer=issuer(request.app.state.settings),
        configuration=issuer(request.app.state.settings) + CONFIGURATION,
    )


@get("/sign-on/systems/new", guards=[allows(EDIT)])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The form."""
    require_country(request.scope["user"], EDIT)
    return await _form_page(request, db, None, {f"scope:{scope}": "1" for scope in ("openid", "profile")})


@post("/sign-on/systems/new", guards=[allows(EDIT)])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """Its number and secret are drawn; the secret is shown on this answer and never again."""
    actor, form = request.scope["user"], Form(await request.form())
    require_country(actor, EDIT)
    wanted = await _read(form, db, request.app.state.settings)
    if form.errors:
        return await _form_page(request, db, None, form.values, form)
    client_id, secret = secrets.token_hex(12), "" if form.ticked("public") else secrets.token_urlsafe(32)
    async with db.transaction():
        system_id = await db.fetchval(
            """
            insert into oauth_client (name_kk, name_ru, name_en, project, redirect_uris, logout_uris, backchannel_uri,
                                      scopes, is_own, client_id, secret_hash, made_by)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            returning id
            """,
            *(*wanted, client_id, queries.hash_of(secret) if secret else None, actor.staff_id),
        )
        one = await _find(request, db, system_id)
        await audit.record(db, actor, "signon.client.made", kind="system", object_id=system_id, after=_fact(one))
    return await _form_page(request, db, one, _values(one), secret=secret)


@get("/sign-on/systems/{system_id:int}", guards=[allows(EDIT)])
async def edit(request: StaffRequest, db: Connection, system_id: int) -> Response[str]:
    """One of them."""
    one = await _find(request, db, system_id)
    return await _form_page(request, db, one, _values(one))


@post("/sign-on/systems/{system_id:int}", guards=[allows(EDIT)])
async def change(request: StaffRequest, db: Connection, system_id: int) -> Response[str]:
    """Everything but number and secret."""
    one, form = await _find(request, db, system_id), Form(await request.form())
    wanted = await _read(form, db, request.app.state.settings)
    if form.errors:
        return await _form_page(request, db, one, form.values, form)
    async with db.transaction():
        await db.execute(
            """
            update oauth_client
            set name_kk = $1, name_ru = $2, name_en = $3, project = $4, redirect_uris = $5, logout_uris = $6,
                backchannel_uri = $7, scopes = $8, is_own = $9
            where id = $10
            """,
            *(*wanted, system_id),
        )
        after = await _find(request, db, system_id)
        await audit.record(
            db,
            request.scope["user"],
            "signon.client.changed",
            kind="system",
            object_id=system_id,
            before=_fact(one),
            after=_fact(after),
        )
    return see_other("/sign-on/systems")


@post("/sign-on/systems/{system_id:int}/secret", guards=[allows(EDIT)])
async def draw_secret(request: StaffRequest, db: Connection, system_id: int) -> Response[str]:
    """A new secret; the old one ends at once."""
    one, secret = await _find(request, db, system_id), secrets.token_urlsafe(32)
    async with db.transaction():
        await db.execute(
            "update oauth_client set secret_hash = $2 where id = $1", *(system_id, queries.hash_of(secret))
        )
        await audit.record(db, request.scope["user"], "signon.secret.made", kind="system", object_id=system_id)
    return await _form_page(request, db, await _find(request, db, system_id), _values(one), secret=secret)


@post("/sign-on/systems/{system_id:int}/switch", guards=[allows(EDIT)])
async def switch(request: StaffRequest, db: Connection, system_id: int) -> Response[str]:
    """On, or off: then all its tokens are gone."""
    one = await _find(request, db, system_id)
    async with db.transaction():
        await db.execute("update oauth_client set is_on = not $2 where id = $1", system_id, one.is_on)
        if one.is_on:
            await db.execute("delete from oauth_login where client_id = $1", system_id)
        await audit.record(
            db,
            request.scope["user"],
            "signon.client.switched",
            kind="system",
            object_id=system_id,
            before={"on": one.is_on},
            after={"on": not one.is_on},
        )
    return see_other("/sign-on/systems")


@post("/sign-on/systems/key", guards=[allows(EDIT)])
async def new_key(request: StaffRequest, db: Connection) -> Response[str]:
    """It signs from now on; what the old one signed holds until it ends."""
    actor = request.scope["user"]
    require_country(actor, EDIT)
    async with db.transaction():
        kid = await draw_key(db, request.app.state.settings)
        await audit.record(db, actor, "signon.key.made", kind="system", object_id="-", after={"key": kid})
    return see_other("/sign-on/systems")


async def _read(form: Form, db: Connection, settings: PortalSettings) -> tuple[object, ...]:
    """What a form says, in the order of the statements above."""
    names = form.texts("name", most=60)
    project = form.choice("project", ["", *(one.code for one in await projects(db))], "")
    redirects = _uris(form, "redirect_uris", settings)
    if not redirects:
        form.miss("redirect_uris", N_("At least one address is needed."))
    back = form.text("backchannel_uri", required=False, most=LONGEST_URI)
    if back:
        try:
            outbound.require_askable(back, loopback=outbound.may_loop(settings))
        except outbound.OutboundRefused:
            form.miss("backchannel_uri", N_("A public address that begins with https:// is needed."))
    scopes = form.choices("scope", list(SCOPES))
    scopes = scopes if "openid" in scopes else ["openid", *scopes]
    logouts = _uris(form, "logout_uris", settings)
    return (
        *(names["kk"], names["ru"], names["en"], project or None, redirects, logouts, back, scopes),
        form.ticked("is_own"),
    )


def _uris(form: Form, name: str, settings: PortalSettings) -> list[str]:
    """One a line; each is compared letter by letter later, so a star or an anchor would never fit."""
    found = [line.strip() for line in form.values.get(name, "").splitlines() if line.strip()]
    if len(found) > MOST_URIS:
        form.miss(name, N_("At most {most} addresses; these are {seen}."), most=MOST_URIS, seen=len(found))
    for uri in found:
        if not may_return(uri, loopback=outbound.may_loop(settings)):
            form.miss(
                name, N_("«{seen}» is no whole address that begins with https:// and has no # and no *."), seen=uri
            )
    return list(dict.fromkeys(found))


def may_return(uri: str, *, loopback: bool) -> bool:
    """Whether a browser may be led back there: HTTPS, an app's own scheme, or this machine for a demo."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = uri.isascii() and uri.isprintable() and not {" ", "#", "*", "\\", '"', "<", ">"} & set(uri)
    if not plain or len(uri) > LONGEST_URI or parts.username is not None:
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme == "http":
        return loopback and host in {"127.0.0.1", "localhost", "::1"}
    return bool(OWN_SCHEME.fullmatch(parts.scheme)) and bool(parts.path or host)


def _fact(one: System) -> dict[str, object]:
    """For the trail: nothing of the secret."""
    return {
        "name": one.name,
        "client": one.client_id,
        "project": one.project,
        "redirect_uris": one.redirect_uris,
        "logout_uris": one.logout_uris,
        "backchannel_uri": one.backchannel_uri,
        "scopes": one.scopes,
        "own": one.is_own,
    }


def _values(one: System) -> dict[str, str]:
    return {
        **{f"name_{language}": text for language, text in one.name.items()},
        "project": one.project or "",
        "redirect_uris": "\n".join(one.redirect_uris),
        "logout_uris": "\n".join(one.logout_uris),
        "backchannel_uri": one.backchannel_uri,
        "is_own": "1" if one.is_own else "",
        **{f"scope:{scope}": "1" for scope in one.scopes},
    }


async def _find(request: StaffRequest, db: Connection, system_id: int) -> System:
    require_country(request.scope["user"], EDIT)
    one = await queries.system_by(db, system_id=system_id)
    if one is None:
        raise NotThere
    return one


async def _form_page(
    request: StaffRequest,
    db: Connection,
    one: System | None,
    values: dict[str, str],
    form: Form | None = None,
    *,
    secret: str = "",
) -> Response[str]:
    if form:
        values = {**values, **{f"scope:{scope}": "1" for scope in form.choices("scope", list(SCOPES))}}
    return page(
        request,
        "oauth/system.html",
        status=422 if form else 200,
        one=one,
        values=values,
        errors=form.errors if form else {},
        projects=await projects(db),
        scopes=SCOPES,
        secret=secret,
        issuer=issuer(request.app.state.settings),
    )


ROUTES = [show, new, make, edit, change, draw_secret, switch, new_key]
