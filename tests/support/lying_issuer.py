"""A small OpenID provider in the loop of the run that lies exactly as a test tells it to; else it is honest."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from infra.parts.unused import unused_ports

if TYPE_CHECKING:
    from tests.support.loop import Loop

CLIENT_SECRET = "a secret between the two"


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class LyingIssuer:
    """`claims`, `header`, `metadata` change what it says; `token` and `keys` replace the whole answer."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.port = loop, unused_ports(1)[0]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.key = ECKey.generate_key("P-256", parameters={"kid": "first", "alg": "ES256", "use": "sig"})
        self.published = [self.key]
        self.asked: list[str] = []
        self.honest()
        self._runner: web.AppRunner | None = None
        loop.run(self._start())

    def honest(self) -> None:
        """Forget all lies."""
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.header: dict[str, str] = {}
        self.signs_with: ECKey = self.key
        self.token: str | None = None
        self.keys: object = None
        self.status = 200
        self.codes: dict[str, dict[str, str]] = {}

    def authorize(self, way: str, *, subject: str, **claims: object) -> str:
        """What the provider does when its person says yes at `way`; the address it leads back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()}
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        self.claims = {"sub": subject, **claims}
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?code={code}&state={asked['state']}"

    async def _start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._discovery),
                web.get("/jwks", self._jwks),
                web.post("/token", self._token),
                web.get("/elsewhere", self._elsewhere),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    def stop(self) -> None:
        """Let the port go."""
        if self._runner:
            self.loop.run(self._runner.cleanup())

    async def _discovery(self, _request: web.Request) -> web.Response:
        self.asked.append("discovery")
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                **self.metadata,
            }
        )

    async def _elsewhere(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{self.issuer}/jwks")

    async def _jwks(self, _request: web.Request) -> web.Response:
        self.asked.append("jwks")
        return web.json_response(self.keys or KeySet(list(self.published)).as_dict(private=False))

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append("token")
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        whole = (
            asked is not None
            and _s256(str(form.get("code_verifier"))) == asked["code_challenge"]
            and asked["code_challenge_method"] == "S256"
            and form["redirect_uri"] == asked["redirect_uri"]
            and f"{form['client_id']}:{CLIENT_SECRET}".replace(" ", "+")
            == base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        )
        if asked is None or not whole:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": str(self.signs_with.kid), **self.header}
        token = self.token or jwt.encode(header, claims, self.signs_with, algorithms=["ES256"])
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token}, status=self.status)
