"""Systems that joined us: clients of a library that knows nothing of us, with a small server that hears of sign-outs."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from aiohttp import web
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from infra.parts.unused import unused_ports
from portal.features.oauth import tokens
from portal.features.oauth.queries import hash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Visitor

numbers = itertools.count(1)


class Party:
    """A system. `heard`: the logout tokens that reached it."""

    def __init__(self, house: House, *, public: bool = False, **more: object) -> None:
        self.house = house
        number = next(numbers)
        self.client_id, self.secret = f"system-{number}", None if public else secrets.token_urlsafe(32)
        self.redirect_uri = f"https://system-{number}.example/back"
        self.logout_uri = f"https://system-{number}.example/bye"
        self.port = unused_ports(1)[0]
        self.heard: list[str] = []
        self.says = 200
        self._runner: web.AppRunner | None = None
        columns = {
            "client_id": self.client_id,
            "name_kk": f"Жүйе {number}",
            "name_ru": f"Система {number}",
            "name_en": f"System {number}",
            "redirect_uris": [self.redirect_uri],
            "logout_uris": [self.logout_uri],
            "backchannel_uri": f"http://127.0.0.1:{self.port}/logout",
            "scopes": ["openid", "profile", "email", "roles"],
            "secret_hash": hash_of(self.secret) if self.secret else None,
            "is_own": True,
            **more,
        }
        holes = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        self.id = house.sql(
            f"insert into oauth_client ({', '.join(columns)}) values ({holes}) returning id",
            *columns.values(),
        )[0]["id"]
        self.verifier = generate_token(48)
        self.redirect_uri = columns["redirect_uris"][0]  # type: ignore[index]
        house.loop.run(self._listen())

    async def _listen(self) -> None:
        async def hear(request: web.Request) -> web.Response:
            self.heard.append(str((await request.post())["logout_token"]))
            return web.Response(status=self.says)

        app = web.Application()
        app.add_routes([web.post("/logout", hear)])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    def stop(self) -> None:
        if self._runner:
            self.house.loop.run(self._runner.cleanup())

    def way(self, **more: str | None) -> str:
        """Where it sends its people; `more` changes or (None) leaves out a parameter."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid profile email roles",
            "state": "of the system",
            "nonce": "drawn by the system",
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
            **more,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})

    def code(self, visitor: Visitor, **more: str | None) -> str:
        """A signed-in person passes without typing; the code."""
        answer = visitor.get(self.way(**more))
        assert answer.status_code == 303, answer.text
        return said_in(answer.headers["location"], self.redirect_uri)["code"]

    def client(self, **more: Any) -> AsyncOAuth2Client:
        """Authlib, as if over the network."""
        transport = httpx.ASGITransport(app=self.house.front, client=(f"10.8.0.{self.id % 250}", 1))  # type: ignore[arg-type]
        given = {"token_endpoint_auth_method": "client_secret_basic" if self.secret else "none", **more}
        return AsyncOAuth2Client(
            self.client_id, self.secret, redirect_uri=self.redirect_uri, transport=transport, **given
        )

    def redeem(self, code: str, **more: str) -> dict[str, Any]:
        """Tokens for a code, by the library; it raises what the provider says is wrong."""
        given = {"code_verifier": self.verifier, **more}

        async def go() -> dict[str, Any]:
            async with self.client() as client:
                return dict(await client.fetch_token(at("/oauth/token"), code=code, **given))

        return self.house.loop.run(go())

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        async def go() -> dict[str, Any]:
            async with self.client() as client:
                return dict(await client.refresh_token(at("/oauth/token"), refresh_token=refresh_token))

        return self.house.loop.run(go())

    def userinfo(self, access_token: str) -> httpx.Response:
        return self.house.visitor().get("/oauth/userinfo", headers={"authorization": f"Bearer {access_token}"})

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """By hand, as an attacker would."""
        secret = {"client_secret": self.secret} if self.secret else {}
        sent = {"client_id": self.client_id, **secret, **form}
        return self.house.visitor().ask("POST", path, data=sent, headers=headers)

    def claims(self, token: str, kind: str = "JWT") -> dict[str, Any]:
        """Of a token whose signature fits the keys that we publish."""
        keys = KeySet.import_key_set(self.house.visitor().get("/oauth/jwks").json())
        read = jwt.decode(token, keys, algorithms=["RS256"])
        assert read.header["typ"] == kind
        return dict(read.claims)


def at(path: str) -> str:
    """An address of the portal for the library."""
    return f"http://portal.test{path}"


def said_in(location: str, redirect_uri: str) -> dict[str, str]:
    """The parameters of an answer, which must have come to the system's address and nowhere else."""
    assert location.startswith(redirect_uri + "?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def make_party(house: House) -> Iterator[Callable[..., Party]]:
    """Join systems."""
    made: list[Party] = []

    def make(**more: object) -> Party:
        made.append(Party(house, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for party in made:
        party.stop()
    house.sql("delete from oauth_logout")
    tokens.misses._seen.clear()


@pytest.fixture
def party(make_party: Callable[..., Party]) -> Party:
    """The house's own system."""
    return make_party()
