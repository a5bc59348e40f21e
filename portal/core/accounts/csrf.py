"""A form's token: the session's own for staff; before sign-in a keyed hash of a random cookie. Also: who may send one now."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portal.core.problems import FormExpired, OnlyLooking, TooFast

if TYPE_CHECKING:
    from litestar import Request

SEED_COOKIE = "elumiti_seed"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Asked by other machines, or sent by a browser on another site's word. No cookie counts there: a machine brings its own
# secret, and the browser is led on to an address that it opens itself.
WITHOUT_COOKIE = frozenset({"/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/oauth/logout"})
# What a person who sees the house as another role may still send.
WHILE_LOOKING = frozenset({"/see-as/end", "/raise/end", "/sign-out"})


def draw_seed() -> str:
    """The value of the cookie that a visitor without a session gets."""
    return secrets.token_urlsafe(24)


def token_for_seed(key: bytes, seed: str) -> str:
    """The token that fits a visitor's cookie."""
    return hmac.digest(key, b"csrf:" + seed.encode(), "sha256").hex()


async def require_token(request: Request) -> None:
    """Before every request: not too many of them; and every unsafe request carries the token (form field `csrf` or header) and comes from our own origin."""
    if request.scope["user"].limited:
        raise TooFast
    # A machine with a token of its own brings no cookie, so nobody can make a browser send its request.
    opt = request.scope["route_handler"].opt
    without = opt.get("by_token") or opt.get("by_another_site") or request.url.path in WITHOUT_COOKIE
    if request.method in SAFE or without:
        return
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise FormExpired
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormExpired
    sent = request.headers.get("x-csrf-token") or (await request.form()).get("csrf")
    expected: str = request.scope["user"].csrf
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise FormExpired
    if request.scope["user"].seen_as is not None and request.url.path not in WHILE_LOOKING:
        raise OnlyLooking
