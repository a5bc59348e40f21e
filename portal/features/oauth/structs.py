"""Systems, what they ask for, and what they get to know."""

from __future__ import annotations

from datetime import datetime

import msgspec

from portal.core.i18n import N_

# What a system may be let know, in the words of the page that asks.
SCOPES: dict[str, str] = {
    "openid": N_("A number for you that is of this system alone"),
    "profile": N_("Your name and the language of your pages"),
    "email": N_("Your confirmed e-mail"),
    "roles": N_("Your roles in its project"),
}


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A system that joined. `secret_hash` None: a public client."""

    id: int
    client_id: str
    name: dict[str, str]
    project: str | None
    redirect_uris: list[str]
    logout_uris: list[str]
    backchannel_uri: str
    scopes: list[str]
    secret_hash: bytes | None
    is_own: bool
    is_on: bool


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a sign-in, its address being the system's own."""

    system: System
    redirect_uri: str
    state: str
    nonce: str
    scopes: list[str]
    challenge: str
    prompt: frozenset[str]
    max_age: int | None


class Authorisation(msgspec.Struct, frozen=True, kw_only=True):
    """A code or a token of a person at a system, whose session goes on."""

    code_id: int
    system_id: int
    project: str | None
    client_id: str
    staff_id: int
    subject: str
    sid: str
    scopes: list[str]
    nonce: str
    redirect_uri: str
    challenge: str
    auth_time: datetime
    session_ends_at: datetime
    ends_at: datetime
    used_at: datetime | None
