"""What systems read about us: addresses, abilities, keys."""

from __future__ import annotations

import orjson
from litestar import Response, get

from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.i18n import LANGUAGES
from portal.core.permissions import public
from portal.features.oauth.signing import ALGORITHM, issuer, published
from portal.features.oauth.structs import SCOPES

CONFIGURATION = "/.well-known/openid-configuration"
KEPT = {"cache-control": "public, max-age=300"}


@get(CONFIGURATION, guards=[public])
async def configuration(request: StaffRequest) -> Response[bytes]:
    """OpenID Connect Discovery 1.0."""
    home = issuer(request.app.state.settings)
    said = {
        "issuer": home,
        "authorization_endpoint": f"{home}/oauth/authorize",
        "token_endpoint": f"{home}/oauth/token",
        "userinfo_endpoint": f"{home}/oauth/userinfo",
        "jwks_uri": f"{home}/oauth/jwks",
        "revocation_endpoint": f"{home}/oauth/revoke",
        "end_session_endpoint": f"{home}/oauth/logout",
        "scopes_supported": list(SCOPES),
        "claims_supported": ["sub", "sid", "auth_time", "name", "locale", "email", "email_verified", "roles"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent"],
        "ui_locales_supported": list(LANGUAGES),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return Response(orjson.dumps(said), media_type="application/json", headers=KEPT)


@get("/oauth/jwks", guards=[public])
async def keys(db: Connection) -> Response[bytes]:
    """Public halves."""
    return Response(orjson.dumps({"keys": await published(db)}), media_type="application/json", headers=KEPT)


ROUTES = [configuration, keys]
