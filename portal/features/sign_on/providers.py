"""The house's page of providers: added, tried, switched on and off. An issuer stays as it was: links are made by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from litestar import Response, get, post

from portal.core import audit, outbound
from portal.core.accounts import StaffRequest
from portal.core.accounts.providers import Provider, all_providers, provider_by
from portal.core.accounts.sealing import seal
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_, Text
from portal.core.permissions import allows, require_country
from portal.core.problems import NotThere, Problem
from portal.core.projects import projects
from portal.core.ui.pages import page, see_other
from portal.features.sign_on import protocol

if TYPE_CHECKING:
    from infra.settings import PortalSettings

EDIT = "signon.edit"
# What is the same for everybody who joins them; the rest comes from their pages for developers.
KNOWN: dict[str, dict[str, str]] = {
    "google": {
        "code": "google",
        "name_kk": "Google",
        "name_ru": "Google",
        "name_en": "Google",
        "issuer": "https://accounts.google.com",
        "scopes": "openid email profile",
    },
    "apple": {
        "code": "apple",
        "name_kk": "Apple",
        "name_ru": "Apple",
        "name_en": "Apple",
        "issuer": "https://appleid.apple.com",
        "scopes": "openid email name",
        "form_post": "1",
    },
}


@get("/sign-on/providers", guards=[allows(EDIT)])
async def show(request: StaffRequest, db: Connection) -> Response[str]:
    """All of them, with how many logins each opens."""
    require_country(request.scope["user"], EDIT)
    rows = await db.fetch("select provider_id, count(*) as links from account_identity group by provider_id")
    return page(
        request,
        "sign_on/providers.html",
        providers=await all_providers(db),
        known=KNOWN,
        links={row["provider_id"]: row["links"] for row in rows},
        names={one.code: one.name for one in await projects(db)},
    )


@get("/sign-on/providers/new", guards=[allows(EDIT)])
async def new(request: StaffRequest, db: Connection) -> Response[str]:
    """The form, filled with what is known of a provider (`?like=google`)."""
    require_country(request.scope["user"], EDIT)
    return await _form_page(request, db, None, KNOWN.get(request.query_params.get("like", ""), {"scopes": "openid"}))


@post("/sign-on/providers/new", guards=[allows(EDIT)])
async def make(request: StaffRequest, db: Connection) -> Response[str]:
    """Switched off at first: it is tried before anybody sees it."""
    actor, settings = request.scope["user"], request.app.state.settings
    require_country(actor, EDIT)
    form = Form(await request.form())
    code, issuer = form.text("code", most=40), form.text("issuer", most=300)
    if code and not (2 <= len(code) <= 40 and code.isascii() and code.replace("-", "").isalnum() and code.islower()):
        form.miss("code", N_("Two to forty small Latin letters, figures and hyphens are needed."))
    _require_askable(form, "issuer", issuer, settings)
    wanted = await _read(form, db, settings)
    if not form.errors:
        try:
            async with db.transaction():
                provider_id = await db.fetchval(
                    """
                    insert into signon_provider (name_kk, name_ru, name_en, discovery, client_id, scopes, response_mode,
                                                 echoed, projects, place, client_secret, code, issuer)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                    returning id
                    """,
                    *(*wanted, _sealed(form, settings), code, issuer),
                )
                fact: dict[str, object] = {"code": code, "issuer": issuer}
                await audit.record(
                    db, actor, "signon.provider.made", kind="provider", object_id=provider_id, after=fact
                )
            return see_other(f"/sign-on/providers/{provider_id}")
        except asyncpg.UniqueViolationError:
            form.miss("issuer", N_("There is one with this code or this issuer already."))
    return await _form_page(request, db, None, form.values, form)


@get("/sign-on/providers/{provider_id:int}", guards=[allows(EDIT)])
async def edit(request: StaffRequest, db: Connection, provider_id: int) -> Response[str]:
    """One of them."""
    one = await _find(request, db, provider_id)
    return await _form_page(request, db, one, _values(one))


@post("/sign-on/providers/{provider_id:int}", guards=[allows(EDIT)])
async def change(request: StaffRequest, db: Connection, provider_id: int) -> Response[str]:
    """Everything but code and issuer; an empty secret stays as it is."""
    actor, settings = request.scope["user"], request.app.state.settings
    one, form = await _find(request, db, provider_id), Form(await request.form())
    wanted = await _read(form, db, settings)
    if form.errors:
        return await _form_page(request, db, one, {**form.values, "code": one.code, "issuer": one.issuer}, form)
    async with db.transaction():
        await db.execute(
            """
            update signon_provider
            set name_kk = $1, name_ru = $2, name_en = $3, discovery = $4, client_id = $5, scopes = $6,
                response_mode = $7, echoed = $8, projects = $9, place = $10,
                client_secret = case when $12 then null else coalesce($11, client_secret) end
            where id = $13
            """,
            *(*wanted, _sealed(form, settings), form.ticked("no_secret"), provider_id),
        )
        after = await _find(request, db, provider_id)
        await audit.record(
            db,
            actor,
            "signon.provider.changed",
            kind="provider",
            object_id=provider_id,
            before=_fact(one),
            after=_fact(after) | {"new_secret": bool(form.values.get("client_secret"))},
        )
    return see_other("/sign-on/providers")


@post("/sign-on/providers/{provider_id:int}/switch", guards=[allows(EDIT)])
async def switch(request: StaffRequest, db: Connection, provider_id: int) -> Response[str]:
    """On, or off: then the sessions that it opened end too."""
    one = await _find(request, db, provider_id)
    async with db.transaction():
        await db.execute("update signon_provider set is_on = not $2 where id = $1", provider_id, one.is_on)
        if one.is_on:
            await db.execute(
                "delete from staff_session where identity_id in (select id from account_identity where provider_id = $1)",
                provider_id,
            )
        await audit.record(
            db,
            request.scope["user"],
            "signon.provider.switched",
            kind="provider",
            object_id=provider_id,
            before={"on": one.is_on},
            after={"on": not one.is_on},
        )
    return see_other("/sign-on/providers")


@post("/sign-on/providers/{provider_id:int}/try", guards=[allows(EDIT)])
async def try_it(request: StaffRequest, provider_id: int) -> Response[str]:
    """Fetch its configuration now, and say what came."""
    async with request.app.state.pool.acquire() as db:
        one = await _find(request, db, provider_id)
    found = said = None
    try:
        found = await protocol.metadata_of(request.app.state.settings, one, fresh=True)
    except Problem as problem:
        said = problem.said()[0]
    async with request.app.state.pool.acquire() as db:
        return await _form_page(request, db, one, _values(one), found=found, said=said)


async def _read(form: Form, db: Connection, settings: PortalSettings) -> tuple[object, ...]:
    """What a form says, in the order of the statements above."""
    names = form.texts("name", most=60)
    discovery = form.text("discovery", required=False, most=300)
    if discovery:
        _require_askable(form, "discovery", discovery, settings)
    scopes = form.text("scopes", most=200).split()
    if "openid" not in scopes:
        form.miss("scopes", N_("«openid» must be among them."))
    codes = [one.code for one in await projects(db)]
    return (
        *(names["kk"], names["ru"], names["en"], discovery, form.text("client_id", most=300), " ".join(scopes)),
        "form_post" if form.ticked("form_post") else "",
        form.text("echoed", required=False, most=200).split(),
        form.choices("project", codes),
        form.integer("place", least=0, most=1000, default=0),
    )


def _require_askable(form: Form, name: str, url: str, settings: PortalSettings) -> None:
    try:
        outbound.require_askable(url, loopback=outbound.may_loop(settings))
    except outbound.OutboundRefused:
        form.miss(name, N_("A public address that begins with https:// is needed."))


def _sealed(form: Form, settings: PortalSettings) -> bytes | None:
    secret = form.values.get("client_secret", "").strip()
    return seal(settings, secret) if secret else None


def _fact(one: Provider) -> dict[str, object]:
    """For the trail: no secret, sealed or not."""
    return {
        "name": one.name,
        "discovery": one.discovery,
        "client_id": one.client_id,
        "scopes": one.scopes,
        "projects": one.projects,
    }


def _values(one: Provider) -> dict[str, str]:
    return {
        "code": one.code,
        "issuer": one.issuer,
        "discovery": one.discovery,
        "client_id": one.client_id,
        "scopes": one.scopes,
        "form_post": "1" if one.response_mode == "form_post" else "",
        "echoed": " ".join(one.echoed),
        "place": str(one.place),
        **{f"name_{language}": text for language, text in one.name.items()},
        **{f"project:{code}": "1" for code in one.projects},
    }


async def _find(request: StaffRequest, db: Connection, provider_id: int) -> Provider:
    require_country(request.scope["user"], EDIT)
    one = await provider_by(db, provider_id=provider_id)
    if one is None:
        raise NotThere
    return one


async def _form_page(
    request: StaffRequest,
    db: Connection,
    one: Provider | None,
    values: dict[str, str],
    form: Form | None = None,
    *,
    found: protocol.Metadata | None = None,
    said: str | Text | None = None,
) -> Response[str]:
    codes = [project.code for project in await projects(db)]
    if form:
        values = {**values, **{f"project:{code}": "1" for code in form.choices("project", codes)}}
    return page(
        request,
        "sign_on/provider.html",
        status=422 if form else 200,
        one=one,
        values=values,
        errors=form.errors if form else {},
        projects=await projects(db),
        redirect_uri=protocol.redirect_uri(request.app.state.settings, one.code if one else "…"),
        found=found,
        said=said,
    )


ROUTES = [show, new, make, edit, change, switch, try_it]
