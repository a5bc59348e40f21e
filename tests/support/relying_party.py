"""A system of somebody else's: Starlette with Authlib's client, on a port of its own. It knows of us what discovery says."""

from __future__ import annotations

import html
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import uvicorn
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.parts.unused import unused_ports

if TYPE_CHECKING:
    from starlette.requests import Request

PAGE = "<!doctype html><html lang=kk><meta charset=utf-8><title>{name}</title><h1>{name}</h1><main>{said}</main>"


class RelyingParty:
    """Signs its people in at `issuer`; `ended` are the sessions that it was told are over."""

    def __init__(self, name: str, issuer: str) -> None:
        self.name, self.issuer = name, issuer
        self.port = unused_ports(1)[0]
        self.home = f"http://127.0.0.1:{self.port}"
        self.back, self.bye, self.told_at = f"{self.home}/back", f"{self.home}/bye", f"{self.home}/logout"
        self.ended: set[str] = set()
        self._oauth: Any = OAuth()

    def start(self, client_id: str, secret: str) -> None:
        """With what joining gave it."""
        self._oauth.register(
            "house",
            client_id=client_id,
            client_secret=secret,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile roles", "code_challenge_method": "S256"},
        )
        app = Starlette(
            routes=[
                Route("/", self._home),
                Route("/login", self._login),
                Route("/back", self._back),
                Route("/bye", self._bye),
                Route("/logout", self._told, methods=["POST"]),
            ],
            # Cookies know no ports: its own name, beside the house's.
            middleware=[Middleware(SessionMiddleware, secret_key=client_id, session_cookie=f"rp{self.port}")],
        )
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the port go."""
        self._server.should_exit = True
        self._thread.join(10)

    def _page(self, said: str) -> HTMLResponse:
        return HTMLResponse(PAGE.format(name=html.escape(self.name), said=said))

    async def _home(self, request: Request) -> Response:
        person = request.session.get("person")
        if not person or person["sid"] in self.ended:
            return self._page("<a id=in href=/login>Кіру</a>")
        out = f"{self.issuer}/oauth/logout?id_token_hint={person['token']}&post_logout_redirect_uri={self.bye}"
        return self._page(f"<p id=who>{html.escape(person['name'])}</p><a id=out href='{out}'>Шығу</a>")

    async def _login(self, request: Request) -> Response:
        return await self._oauth.house.authorize_redirect(request, self.back)

    async def _back(self, request: Request) -> Response:
        if "error" in request.query_params:
            return self._page(f"<p id=error>{html.escape(request.query_params['error'])}</p>")
        # Checks state, nonce, signature, issuer, audience and times.
        token = await self._oauth.house.authorize_access_token(request)
        person = await self._oauth.house.userinfo(token=token)
        request.session["person"] = {
            "name": person["name"],
            "sid": token["userinfo"]["sid"],
            "token": token["id_token"],
        }
        return RedirectResponse("/", 303)

    async def _bye(self, _request: Request) -> Response:
        return self._page("<p id=bye>Сау болыңыз</p>")

    async def _told(self, request: Request) -> Response:
        token = parse_qs((await request.body()).decode())["logout_token"][0]
        keys = KeySet.import_key_set(await self._oauth.house.fetch_jwk_set(force=True))
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        self.ended.add(claims["sid"])
        return Response(status_code=200)
