"""What systems ask by themselves, with a secret of their own and no cookie: tokens, the person, revoking (RFC 6749, 7009, 9700)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
import structlog
from litestar import Response, get, post

from infra.callers import place_of
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.permissions import public
from portal.features.oauth import queries
from portal.features.oauth.misses import Misses
from portal.features.oauth.problems import TokenRefused
from portal.features.oauth.signing import issuer, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.features.oauth.structs import Authorisation, System

log = structlog.get_logger()
LONGEST = 1000
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
# Wrong secrets, codes and tokens from one address within a minute; a system that works makes none.
misses = Misses(most=30, within_s=60)


@post("/oauth/token", guards=[public], status_code=200)
async def token(request: StaffRequest, db: Connection) -> Response[bytes]:
    """A code or a refresh token against new tokens."""
    place = place_of(request.scope["user"].address)
    try:
        if misses.full(place):
            raise TokenRefused("slow_down", 429)
        form = await _form(request)
        system = await _system(request, db, form)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return _said(await _by_code(request, db, system, form))
        if kind == "refresh_token":
            return _said(await _by_refresh(db, system, form))
        raise TokenRefused("unsupported_grant_type" if kind else "invalid_request")
    except TokenRefused as refused:
        if refused.error in {"invalid_client", "invalid_grant"}:
            misses.count(place)
        return _refusal(refused)


async def _by_code(request: StaffRequest, db: Connection, system: System, form: Mapping[str, str]) -> dict[str, Any]:
    settings, now = request.app.state.settings, datetime.now(UTC)
    given: dict[str, Any] = {}
    async with db.transaction():
        held = await queries.by_code(db, form.get("code", ""), now)
        if held is None or held.system_id != system.id:
            raise TokenRefused("invalid_grant")
        replayed = held.used_at is not None
        if replayed:
            await queries.end_authorisation(db, held.code_id)
        else:
            if held.ends_at <= now or held.redirect_uri != form.get("redirect_uri"):
                raise TokenRefused("invalid_grant")
            if not _fits(held.challenge, form.get("code_verifier", "")):
                raise TokenRefused("invalid_grant")
            await queries.use_code(db, held, now)
            given = await _tokens(db, held, now)
            given["id_token"] = await sign(db, settings, _id_claims(held, issuer(settings), now))
    if replayed:
        log.warning("oauth.code.replayed", system=system.client_id, staff=held.staff_id)
        raise TokenRefused("invalid_grant")
    return given


async def _by_refresh(db: Connection, system: System, form: Mapping[str, str]) -> dict[str, Any]:
    now, sent = datetime.now(UTC), form.get("refresh_token", "")
    given: dict[str, Any] = {}
    async with db.transaction():
        held = await queries.by_token(db, sent, "refresh", now)
        if held is None or held.system_id != system.id:
            raise TokenRefused("invalid_grant")
        replayed = held.used_at is not None
        if replayed:
            await queries.end_authorisation(db, held.code_id)
        else:
            if held.ends_at <= now:
                raise TokenRefused("invalid_grant")
            if not set(form.get("scope", "").split()) <= set(held.scopes):
                raise TokenRefused("invalid_scope")
            await queries.use_refresh(db, sent, now)
            given = await _tokens(db, held, now)
    if replayed:
        log.warning("oauth.refresh.replayed", system=system.client_id, staff=held.staff_id)
        raise TokenRefused("invalid_grant")
    return given


async def _tokens(db: Connection, held: Authorisation, now: datetime) -> dict[str, Any]:
    access, refresh, ends_at = await queries.make_tokens(db, held, now)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": max(1, int((ends_at - now).total_seconds())),
        "refresh_token": refresh,
        "scope": " ".join(held.scopes),
    }


def _id_claims(held: Authorisation, home: str, now: datetime) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": home,
        "sub": held.subject,
        "aud": held.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + queries.ACCESS_LIVES).timestamp()),
        "auth_time": int(held.auth_time.timestamp()),
        "sid": held.sid,
    }
    return claims | ({"nonce": held.nonce} if held.nonce else {})


@get("/oauth/userinfo", guards=[public])
async def userinfo(request: StaffRequest, db: Connection) -> Response[bytes]:
    """What the system may know of the person, as it is now."""
    return await _userinfo(request, db, "")


@post("/oauth/userinfo", guards=[public], status_code=200)
async def userinfo_by_form(request: StaffRequest, db: Connection) -> Response[bytes]:
    """The same; the token may come in the form."""
    form = await request.form()
    sent = form.get("access_token")
    return await _userinfo(request, db, sent if isinstance(sent, str) else "")


async def _userinfo(request: StaffRequest, db: Connection, sent: str) -> Response[bytes]:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if kind.lower() == "bearer" else sent
    now = datetime.now(UTC)
    held = await queries.by_token(db, bearer[:LONGEST], "access", now) if bearer else None
    if held is None or held.ends_at <= now:
        said = 'Bearer realm="El Umiti"' + (', error="invalid_token"' if bearer else "")
        return Response(
            orjson.dumps({"error": "invalid_token"}),
            status_code=401,
            media_type="application/json",
            headers={**NO_STORE, "www-authenticate": said},
        )
    person = await queries.person(db, held, now)
    claims: dict[str, Any] = {"sub": held.subject}
    if "profile" in held.scopes:
        claims |= {"name": person["full_name"], "locale": person["language"]}
    if "email" in held.scopes and person["email"]:
        claims |= {"email": person["email"], "email_verified": True}
    if "roles" in held.scopes:
        claims["roles"] = person["roles"]
    return _said(claims)


@post("/oauth/revoke", guards=[public], status_code=200)
async def revoke(request: StaffRequest, db: Connection) -> Response[bytes]:
    """A refresh token ends its whole authorisation, an access token itself; a token of nobody is no error (RFC 7009)."""
    place = place_of(request.scope["user"].address)
    try:
        if misses.full(place):
            raise TokenRefused("slow_down", 429)
        form = await _form(request)
        system = await _system(request, db, form)
        sent, now = form.get("token", ""), datetime.now(UTC)
        if not sent:
            raise TokenRefused("invalid_request")
        async with db.transaction():
            for kind in ("refresh", "access"):
                held = await queries.by_token(db, sent, kind, now)
                if held is None or held.system_id != system.id:
                    continue
                if kind == "refresh":
                    await queries.end_authorisation(db, held.code_id)
                else:
                    await db.execute("delete from oauth_token where token_hash = $1", queries.hash_of(sent))
    except TokenRefused as refused:
        if refused.error == "invalid_client":
            misses.count(place)
        return _refusal(refused)
    return Response(b"", headers=NO_STORE)


async def _form(request: StaffRequest) -> dict[str, str]:
    """The fields, each there once."""
    sent = await request.form()
    if any(len(sent.getall(name)) > 1 for name in sent):
        raise TokenRefused("invalid_request", description="a parameter is there twice")
    form = {name: value for name, value in sent.items() if isinstance(value, str)}
    if any(len(value) > LONGEST for value in form.values()):
        raise TokenRefused("invalid_request", description="a parameter is too long")
    return form


async def _system(request: StaffRequest, db: Connection, form: Mapping[str, str]) -> System:
    """The system that asks, having shown its secret; a public one shows none."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    kind, _, pair = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        if secret is not None:
            raise TokenRefused("invalid_request", description="one way to show the secret")
        try:
            name, _, word = base64.b64decode(pair, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise TokenRefused("invalid_client", 401) from error
        if client_id and client_id != unquote_plus(name):
            raise TokenRefused("invalid_client", 401)
        client_id, secret = unquote_plus(name), unquote_plus(word)
    system = await queries.system_by(db, client_id=client_id)
    if system is None or not system.is_on:
        raise TokenRefused("invalid_client", 401)
    right = (
        not secret
        if system.secret_hash is None
        else secret is not None and hmac.compare_digest(queries.hash_of(secret), system.secret_hash)
    )
    if not right:
        raise TokenRefused("invalid_client", 401)
    return system


def _fits(challenge: str, verifier: str) -> bool:
    """PKCE, S256."""
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(made, challenge.encode())


def _said(body: dict[str, Any]) -> Response[bytes]:
    return Response(orjson.dumps(body), status_code=200, media_type="application/json", headers=NO_STORE)


def _refusal(refused: TokenRefused) -> Response[bytes]:
    body = {"error": refused.error} | ({"error_description": refused.description} if refused.description else {})
    headers = dict(NO_STORE)
    if refused.status == 401:
        headers["www-authenticate"] = 'Basic realm="El Umiti"'
    if refused.status == 429:
        headers["retry-after"] = "60"
    return Response(orjson.dumps(body), status_code=refused.status, media_type="application/json", headers=headers)


ROUTES = [token, userinfo, userinfo_by_form, revoke]
