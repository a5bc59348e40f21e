"""OpenID Connect as a client: authorisation code with PKCE (S256), state and nonce; an ID token is believed only whole.

OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207 (the issuer in the answer), RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.core import outbound
from portal.core.accounts.sealing import unseal
from portal.core.i18n import of
from portal.features.sign_on.problems import NotVouched, ProviderAway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings import PortalSettings
    from portal.core.accounts.providers import Provider

log = structlog.get_logger()
ANSWER = "/sign-in/answer"
# With a key that only the provider has: «none» and all with a shared secret are not among them.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEPT_S = 3600.0
# A kid that we do not know makes us ask again, and a stranger's forged one not more often than this.
AGAIN_S = 30.0
# A provider that is away is left alone for a moment, however many press its button.
AWAY_S = 3.0
LEEWAY_S = 60
LONGEST_NAME = 200

# Documents of providers by address, with the time they were fetched. As many as there are rows of providers.
_kept: dict[str, tuple[float, dict[str, Any]]] = {}
_away: dict[str, float] = {}


class Metadata(msgspec.Struct, frozen=True):
    """What we need of a provider's configuration."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["client_secret_basic"])
    authorization_response_iss_parameter_supported: bool = False


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str


def redirect_uri(settings: PortalSettings, code: str) -> str:
    """Where this provider leads back to: of the settings, never of what a request says its host is.

    An address of its own, so that what one provider answers is never taken for another's (RFC 9700 §4.4.2).
    """
    return f"{settings.portal_url.rstrip('/')}{ANSWER}/{code}"


def browser_hash(csrf: str) -> bytes:
    """The browser that is on its way, by the secret of its forms."""
    return hashlib.sha256(csrf.encode()).digest()


def challenge_of(verifier: str) -> str:
    """PKCE, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def discovery_url(provider: Provider) -> str:
    """Where the configuration is."""
    return provider.discovery or provider.issuer.rstrip("/") + "/.well-known/openid-configuration"


async def metadata_of(settings: PortalSettings, provider: Provider, *, fresh: bool = False) -> Metadata:
    """The provider's configuration, kept for an hour; one that names another issuer is none."""
    document = await _document(settings, provider, discovery_url(provider), KEPT_S if not fresh else 0)
    try:
        found = msgspec.convert(document, Metadata)
    except msgspec.ValidationError as error:
        raise _unreadable(provider, "metadata", error) from error
    if found.issuer != provider.issuer:
        raise _unreadable(provider, "metadata", f"issuer {found.issuer[:100]!r}")
    for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        try:
            outbound.require_askable(url, loopback=outbound.may_loop(settings))
        except outbound.OutboundRefused as error:
            raise _unreadable(provider, "metadata", error) from error
    return found


def authorize_url(
    settings: PortalSettings, provider: Provider, found: Metadata, *, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser is sent."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(settings, provider.code),
        "scope": provider.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if provider.response_mode:
        asked["response_mode"] = provider.response_mode
    joint = "&" if urlsplit(found.authorization_endpoint).query else "?"
    return f"{found.authorization_endpoint}{joint}{urlencode(asked)}"


async def redeem(
    settings: PortalSettings, provider: Provider, answer: Mapping[str, str], *, nonce: str, verifier: str
) -> Vouched:
    """The person behind the code of an answer. ProviderAway or NotVouched for everything else."""
    found = await metadata_of(settings, provider)
    # Mix-up: a code of one provider is not carried to another (RFC 9207).
    said = answer.get("iss")
    if said != found.issuer and (said is not None or found.authorization_response_iss_parameter_supported):
        raise _not_vouched(provider, "issuer of the answer")
    form = {
        "grant_type": "authorization_code",
        "code": answer.get("code", ""),
        "redirect_uri": redirect_uri(settings, provider.code),
        "client_id": provider.client_id,
        "code_verifier": verifier,
        **{name: answer[name] for name in provider.echoed if name in answer},
    }
    headers = {"accept": "application/json"}
    if provider.client_secret is not None:
        secret = unseal(settings, provider.client_secret)
        if secret is None:
            raise _unreadable(provider, "secret", "sealed with another key")
        if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_secret"] = secret
    try:
        answered = await outbound.ask(
            "POST", found.token_endpoint, loopback=outbound.may_loop(settings), form=form, headers=headers
        )
        body = answered.json()
    except (outbound.OutboundFailed, outbound.OutboundRefused) as error:
        raise _unreadable(provider, "token", error) from error
    token = body.get("id_token")
    if answered.status != 200 or not isinstance(token, str):
        raise _not_vouched(provider, f"token endpoint said {answered.status} {str(body.get('error', ''))[:60]}")
    return _person(await _claims(settings, provider, found, token, nonce), provider)


async def _claims(
    settings: PortalSettings, provider: Provider, found: Metadata, token: str, nonce: str
) -> dict[str, Any]:
    """The claims of an ID token whose signature, issuer, audience, times and nonce are right."""
    claims = await _signed(settings, provider, found, token)
    now = time.time()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", provider.client_id if len(audiences) == 1 else None)
    ends, made, said = claims.get("exp"), claims.get("iat"), claims.get("nonce")
    checks = {
        "iss": claims.get("iss") == provider.issuer,
        "aud": provider.client_id in audiences,
        "azp": party == provider.client_id,
        "exp": isinstance(ends, (int, float)) and now < ends + LEEWAY_S,
        "iat": isinstance(made, (int, float)) and made < now + LEEWAY_S,
        "nonce": isinstance(said, str) and hmac.compare_digest(said.encode(), nonce.encode()),
        "sub": isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255 and claims["sub"].isprintable(),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise _not_vouched(provider, "claims " + ", ".join(wrong))
    return claims


async def _signed(settings: PortalSettings, provider: Provider, found: Metadata, token: str) -> dict[str, Any]:
    """The claims, once the signature fits one of the provider's keys; asked anew once for a key that we do not know."""
    for kept_s in (KEPT_S, AGAIN_S):
        document = await _document(settings, provider, found.jwks_uri, kept_s)
        try:
            keys = KeySet.import_key_set(document)  # type: ignore[arg-type]
            return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            why = type(error).__name__
    raise _not_vouched(provider, f"signature: {why}")


def _person(claims: Mapping[str, Any], provider: Provider) -> Vouched:
    def text(name: str) -> str:
        value = claims.get(name)
        plain = " ".join(value.split()) if isinstance(value, str) else ""
        return "".join(letter for letter in plain if letter.isprintable())[:LONGEST_NAME]

    return Vouched(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=text("email").lower(),
        # Apple says it as a text.
        email_verified=claims.get("email_verified") in (True, "true"),
        name=text("name"),
    )


async def _document(settings: PortalSettings, provider: Provider, url: str, kept_s: float) -> dict[str, Any]:
    now = time.monotonic()
    kept = _kept.get(url)
    if kept is not None and now - kept[0] < kept_s:
        return kept[1]
    if kept_s and now - _away.get(url, -AWAY_S) < AWAY_S:
        raise ProviderAway(provider=of(provider.name))
    try:
        answer = await outbound.ask(
            "GET", url, loopback=outbound.may_loop(settings), headers={"accept": "application/json"}
        )
        document = answer.json()
    except (outbound.OutboundFailed, outbound.OutboundRefused) as error:
        _away[url] = now
        raise _unreadable(provider, "document", error) from error
    if answer.status != 200:
        _away[url] = now
        raise _unreadable(provider, "document", f"status {answer.status}")
    _kept[url] = (now, document)
    return document


def _unreadable(provider: Provider, what: str, why: object) -> ProviderAway:
    log.warning("sign-on.provider.away", provider=provider.code, what=what, why=str(why)[:200])
    return ProviderAway(provider=of(provider.name))


def _not_vouched(provider: Provider, why: str) -> NotVouched:
    log.warning("sign-on.answer.refused", provider=provider.code, why=why)
    return NotVouched(provider=of(provider.name))
