"""The portal's front door, around everything: security headers, language, session, the limit of requests.

It stands outside of Litestar because Litestar's own middleware is not run for an address that leads nowhere, and the
page that says so needs the person's language and his menu too.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
import structlog
from litestar.datastructures import MutableScopeHeaders

from infra.callers import caller
from portal.core.accounts.acting import actor_of
from portal.core.accounts.csrf import SEED_COOKIE, draw_seed, token_for_seed
from portal.core.accounts.sessions import COOKIE
from portal.core.accounts.structs import ANONYMOUS
from portal.core.i18n import LANGUAGES, Language, speak
from portal.core.projects import enter

if TYPE_CHECKING:
    from collections.abc import Collection

    from litestar import Litestar
    from litestar.types import Message, Receive, Scope, Send

log = structlog.get_logger()
LANGUAGE_COOKIE = "elumiti_language"
LOOK_COOKIE = "elumiti_look"
LOOKS = ("auto", "light", "dark")
HEADERS = {
    # Nothing inline, nothing from elsewhere: what a page needs is a file of ours (SAFETY D6, J7).
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# Who came by HTTPS once never asks in the clear again: a year. Only with secure cookies, since a demo has no certificate.
HTTPS_ALONE = "max-age=31536000"
# A school or a ministry may sit behind one address; a loop asks far more often.
BURST = 1200
A_SECOND = 40.0
MOST_ADDRESSES = 20_000
# Asked by every open page each minute: a desk that its person left must not stay signed in by that.
NOBODY_ASKS = frozenset({"/notices/bell"})


class Front:
    """An ASGI application around another. granian serves this one."""

    def __init__(
        self, inner: Litestar, *, csrf_key: bytes, secure: bool, trusted_proxies: Collection[str] = ()
    ) -> None:
        self.inner = inner
        self._csrf_key = csrf_key
        self._secure = secure
        # The browser takes a name with this prefix from this very host alone: a neighbour's page on another name of our
        # domain can't plant a session here.
        self._prefix = "__Host-" if secure else ""
        self._trusted_proxies = trusted_proxies
        self._limits: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        began = time.perf_counter()
        cookies = self._ours(_cookies(scope))
        address = caller(scope["client"][0] if scope["client"] else "", _forwarded(scope), self._trusted_proxies)
        path = scope["path"]
        plain = path.startswith("/static/") or path in {"/health", "/ready", "/metrics"}
        seed = cookies.get(SEED_COOKIE) or draw_seed()
        key = cookies.get(COOKIE)
        touch = path not in NOBODY_ASKS
        known = await actor_of(self.inner.state.pool, key, address, touch=touch) if key and not plain else None
        actor = known or msgspec.structs.replace(ANONYMOUS, csrf=token_for_seed(self._csrf_key, seed), address=address)
        scope["user"] = msgspec.structs.replace(actor, limited=not plain and not self._passes(address))
        look = cookies.get(LOOK_COOKIE)
        scope.setdefault("state", {})["look"] = look if look in LOOKS else "auto"
        speak(_language(scope, cookies, actor.language))
        enter(actor.project)
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._secure:
                    headers.setdefault("strict-transport-security", HTTPS_ALONE)
                if not plain:
                    headers.setdefault("cache-control", "no-store")
                    if not actor.signed_in and SEED_COOKIE not in cookies:
                        headers.add("set-cookie", self.cookie(SEED_COOKIE, seed))
            await send(message)

        structlog.contextvars.bind_contextvars(request=secrets.token_hex(6))
        try:
            await self.inner(scope, receive, send_with_headers)
        finally:
            structlog.contextvars.clear_contextvars()
            if not plain:
                took = round(1000 * (time.perf_counter() - began), 1)
                log.info(
                    "portal.request.done",
                    method=scope["method"],
                    path=path,
                    status=status,
                    ms=took,
                    staff=actor.staff_id,
                )

    def cookie(self, name: str, value: str, *, age_s: int | None = None) -> str:
        """A Set-Cookie value of ours."""
        parts = [f"{self.named(name)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if age_s is not None:
            parts.append(f"Max-Age={age_s}")
        if self._secure:
            parts.append("Secure")
        return "; ".join(parts)

    def named(self, name: str) -> str:
        """What the browser calls a cookie of ours."""
        return f"{self._prefix}{name}"

    def _ours(self, cookies: dict[str, str]) -> dict[str, str]:
        """Cookies by our own names; one without the prefix is not ours where there is one."""
        at = len(self._prefix)
        return {name[at:]: value for name, value in cookies.items() if name.startswith(self._prefix)}

    def _passes(self, address: str) -> bool:
        """A bucket an address: a whole school may sit behind one, so it is generous; it guards against loops."""
        now = time.monotonic()
        if len(self._limits) > MOST_ADDRESSES:
            self._limits.clear()
        left, since = self._limits.get(address, (float(BURST), now))
        left = min(float(BURST), left + A_SECOND * (now - since))
        self._limits[address] = (max(0.0, left - 1), now)
        return left >= 1


def _forwarded(scope: Any) -> str | None:
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return said[-1].decode("latin-1") if said else None


def _cookies(scope: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            # By hand: a stranger's cookie of this host (another port, a parent domain) that the library cannot read
            # must neither be an error nor take ours with it. Of two with one name the first: it has the longer path.
            for pair in value.decode("latin-1").split(";"):
                key, equals, text = pair.strip().partition("=")
                if equals:
                    found.setdefault(key, text.strip('"'))
    return found


def _language(scope: Any, cookies: dict[str, str], own: Language | None) -> Language:
    """What the address asks for, what the visitor chose, what the person set, what his browser speaks; Kazakh else."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
    for wish in (asked, cookies.get(LANGUAGE_COOKIE), own):
        for language in LANGUAGES:
            if wish == language:
                return language
    accepted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"").decode("latin-1")
    for wish in accepted.split(","):
        for language in LANGUAGES:
            if wish.strip().lower().startswith(language) and language != "en":
                return language
    return "kk"
