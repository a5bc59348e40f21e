"""Security keys (WebAuthn) of staff: added on the account page, asked for where a password's session is not enough.

A challenge is drawn when the button is pressed, belongs to one person and purpose, and is used once.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from portal.core.i18n import N_
from portal.core.problems import Problem

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

LOOPBACK = {"127.0.0.1", "[::1]", "::1"}
MOST_KEYS = 10


class KeyNotConfirmed(Problem):
    """No key answered, or not one of the person's."""

    code = "key-not-confirmed"
    status = 403
    title = N_("Your security key did not confirm this.")
    advice = N_(
        "Nothing was changed. Plug the key in, press the button again and touch the key. Keys are added on the page «Your account»."
    )


class StaffKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as its owner sees it."""

    id: int
    name: str
    made_at: datetime
    used_at: datetime | None


def origin(settings: PortalSettings) -> str:
    """Where keys work: the portal's own address. A browser takes no bare number for one, so the demo's is «localhost»."""
    parts = urlsplit(settings.portal_url)
    host = "localhost" if parts.hostname in LOOPBACK else parts.hostname or "localhost"
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _party(settings: PortalSettings) -> str:
    return urlsplit(origin(settings)).hostname or "localhost"


async def keys_of(db: Connection, staff_id: int) -> list[StaffKey]:
    """A person's keys."""
    rows = await db.fetch("select id, name, made_at, used_at from staff_key where staff_id = $1 order by id", staff_id)
    return [StaffKey(**row) for row in rows]


async def options(db: Connection, actor: Actor, settings: PortalSettings, purpose: str) -> str:
    """What the browser asks the key: to be added, or to confirm. JSON."""
    challenge = secrets.token_bytes(32)
    await db.execute("delete from key_challenge where staff_id = $1 and ends_at < now()", actor.staff_id)
    await db.execute(
        "insert into key_challenge (challenge, staff_id, purpose, ends_at) values ($1, $2, $3, now() + interval '5 minutes')",
        *(challenge, actor.staff_id, purpose),
    )
    rows = await db.fetch("select credential_id from staff_key where staff_id = $1 order by id", actor.staff_id)
    known = [PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in rows]
    if purpose == "register":
        return options_to_json(
            webauthn.generate_registration_options(
                rp_id=_party(settings),
                rp_name="El Úmiti",
                user_name=actor.login,
                user_id=f"staff-{actor.staff_id}".encode(),
                user_display_name=actor.full_name,
                challenge=challenge,
                exclude_credentials=known,
            )
        )
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=_party(settings),
            challenge=challenge,
            allow_credentials=known,
            user_verification=UserVerificationRequirement.DISCOURAGED,
        )
    )


async def add(db: Connection, actor: Actor, settings: PortalSettings, credential: str, name: str) -> int:
    """Keep a new key; its id."""
    challenge = await _challenge(db, actor, credential, "register")
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_party(settings),
            expected_origin=origin(settings),
        )
    except WebAuthnException as error:
        raise KeyNotConfirmed from error
    if len(await keys_of(db, actor.staff_id)) >= MOST_KEYS:
        raise KeyNotConfirmed
    key_id = await db.fetchval(
        """
        insert into staff_key (staff_id, credential_id, public_key, sign_count, name)
        values ($1, $2, $3, $4, $5)
        on conflict (credential_id) do nothing
        returning id
        """,
        *(actor.staff_id, made.credential_id, made.credential_public_key, made.sign_count, name),
    )
    if key_id is None:
        raise KeyNotConfirmed
    return key_id


async def confirm(db: Connection, actor: Actor, settings: PortalSettings, credential: str) -> int:
    """The person touched one of his keys just now; its id. Raises KeyNotConfirmed for everything else."""
    challenge = await _challenge(db, actor, credential, "confirm")
    row = await db.fetchrow(
        "select id, public_key, sign_count from staff_key where staff_id = $1 and credential_id = $2 for update",
        *(actor.staff_id, _credential_id(credential)),
    )
    if row is None:
        raise KeyNotConfirmed
    try:
        held = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_party(settings),
            expected_origin=origin(settings),
            credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
        )
    except WebAuthnException as error:
        raise KeyNotConfirmed from error
    await db.execute(
        "update staff_key set sign_count = $2, used_at = now() where id = $1", row["id"], held.new_sign_count
    )
    return row["id"]


async def remove(db: Connection, staff_id: int, key_id: int) -> bool:
    """Forget one of the person's keys."""
    done = await db.fetchval("delete from staff_key where staff_id = $1 and id = $2 returning id", staff_id, key_id)
    return done is not None


async def _challenge(db: Connection, actor: Actor, credential: str, purpose: str) -> bytes:
    """The challenge that was signed, if it was drawn for this person and purpose; it is used up."""
    try:
        data = base64url_to_bytes(json.loads(credential)["response"]["clientDataJSON"])
        challenge = parse_client_data_json(data).challenge
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise KeyNotConfirmed from error
    drawn = await db.fetchval(
        """
        delete from key_challenge
        where challenge = $1 and staff_id = $2 and purpose = $3 and ends_at > now()
        returning challenge
        """,
        *(challenge, actor.staff_id, purpose),
    )
    if drawn is None:
        raise KeyNotConfirmed
    return drawn


def _credential_id(credential: str) -> bytes:
    try:
        return base64url_to_bytes(json.loads(credential)["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise KeyNotConfirmed from error
