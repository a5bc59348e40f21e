"""Reading a system's request for a sign-in: first whose it is, then whether it is whole (OpenID Connect Core §3.1.2, RFC 7636)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from portal.features.oauth import queries
from portal.features.oauth.problems import Refused, UnknownSystem
from portal.features.oauth.structs import SCOPES, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.db import Connection
    from portal.features.oauth.structs import System

# What a request may say and we heed. `after`: the person came by a form of ours.
KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
KEPT += ("prompt", "max_age", "after")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
LONGEST = 1000


async def whose(db: Connection, said: Mapping[str, str], repeated: set[str]) -> System:
    """The system that asks, if it is on and the address is one of its own, letter by letter. UnknownSystem else."""
    system = await queries.system_by(db, client_id=said.get("client_id", ""))
    if system is None or not system.is_on or {"client_id", "redirect_uri"} & repeated:
        raise UnknownSystem
    if said.get("redirect_uri") not in system.redirect_uris:
        raise UnknownSystem
    return system


def read(said: Mapping[str, str], repeated: set[str], system: System) -> Asked:
    """The request, whole; Refused with the code that the standards have for what is wrong."""
    if repeated:
        raise Refused("invalid_request", f"{min(repeated)} is there twice")
    if any(len(said.get(name, "")) > LONGEST for name in KEPT):
        raise Refused("invalid_request", "a parameter is too long")
    for name in ("request", "request_uri"):
        if name in said:
            raise Refused(f"{name}_not_supported")
    if said.get("response_type") != "code":
        raise Refused("unsupported_response_type" if said.get("response_type") else "invalid_request")
    if said.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "response_mode query alone")
    scopes = said.get("scope", "").split()
    if "openid" not in scopes:
        raise Refused("invalid_scope", "openid is needed")
    challenge = said.get("code_challenge", "")
    if said.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "PKCE with S256 is needed")
    prompt = frozenset(said.get("prompt", "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise Refused("invalid_request", "prompt")
    age = said.get("max_age", "")
    if age and not (age.isascii() and age.isdigit() and len(age) < 10):
        raise Refused("invalid_request", "max_age")
    return Asked(
        system=system,
        redirect_uri=said["redirect_uri"],
        state=said.get("state", ""),
        nonce=said.get("nonce", ""),
        # What the system may not know, it is not told, whatever it asks for.
        scopes=[scope for scope in SCOPES if scope in scopes and scope in system.scopes],
        challenge=challenge,
        prompt=prompt,
        max_age=int(age) if age else None,
    )


def again(said: Mapping[str, str], *, without: frozenset[str] = frozenset()) -> str:
    """The request's own address, to come back to after a form of ours; `without` those prompts that were heeded."""
    kept = {name: said[name] for name in KEPT if name in said}
    kept["prompt"] = " ".join(word for word in said.get("prompt", "").split() if word not in without)
    return "/oauth/authorize?" + urlencode({name: value for name, value in {**kept, "after": "form"}.items() if value})


def back(redirect_uri: str, said: Mapping[str, str]) -> str:
    """The system's address with our answer."""
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return redirect_uri + joint + urlencode({name: value for name, value in said.items() if value})
