"""Accounts elsewhere that open a login here. Linked by issuer and subject alone, never by an equal e-mail or phone.

Who comes from a provider and is linked to nobody waits in `pending_identity` until he signs in or registers (P3).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core import audit, notices
from portal.core.i18n import N_
from portal.core.problems import NotThere, Problem

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

PENDING_COOKIE = "elumiti_identity"
PENDING_LIVES = timedelta(minutes=15)


class FlowOver(Problem):
    """Used, too old, another browser's, or none."""

    code = "sign-on-over"
    status = 410
    title = N_("This sign-in is over.")
    advice = N_("It was used, it took too long, or it began in another browser. Begin again on the sign-in page.")
    way = ("/sign-in", N_("To the sign-in page"))
    way_returns = False


class PasswordNeeded(Problem):
    """A privileged login; SAFETY P3."""

    code = "password-needed"
    status = 403
    title = N_("Your role needs the password and the second proof.")
    advice = N_("With your role nobody signs in through another site, and none can be linked. Nothing was changed.")
    way = ("/sign-in", N_("Sign in with the password"))
    way_returns = False


class IdentityTaken(Problem):
    """The account elsewhere opens another login."""

    code = "identity-taken"
    status = 409
    title = N_("That account already opens another login.")
    advice = N_("Nothing was changed. Take it off there first, or choose another account.")


class LastWayIn(Problem):
    """No password, and no other account elsewhere."""

    code = "last-way-in"
    status = 409
    title = N_("This is your only way in.")
    advice = N_("Nothing was changed. Set a password or link another account first.")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A linked account, as its owner sees it."""

    id: int
    provider: dict[str, str]
    shown: str
    linked_at: datetime
    used_at: datetime | None


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a provider vouches for and whom we do not know. `email` and `full_name` fill a form and prove nothing."""

    token_hash: bytes
    provider_id: int
    provider: dict[str, str]
    issuer: str
    subject: str
    shown: str
    email: str
    email_verified: bool
    full_name: str
    goes_to: str


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def keep_pending(
    db: Connection, *, provider_id: int, issuer: str, subject: str, email: str, verified: bool, name: str, goes_to: str
) -> str:
    """Let him wait; the token is for a cookie of his browser and for nothing else."""
    token = secrets.token_urlsafe(32)
    await db.execute("delete from pending_identity where ends_at < now()")
    await db.execute(
        """
        insert into pending_identity (token_hash, provider_id, issuer, subject, shown, email, email_verified,
                                      full_name, goes_to, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10::interval)
        """,
        *(_hash(token), provider_id, issuer, subject, email or name, email, verified, name, goes_to, PENDING_LIVES),
    )
    return token


async def pending_identity(db: Connection, token: str) -> Pending | None:
    """Who waits, by the value of his cookie; None: nobody, or too long."""
    row = await db.fetchrow(
        """
        select w.token_hash, w.provider_id, w.issuer, w.subject, w.shown, w.email, w.email_verified, w.full_name,
               w.goes_to, jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) as provider
        from pending_identity w
        join signon_provider p on p.id = w.provider_id and p.is_on
        where w.token_hash = $1 and w.ends_at > now()
        """,
        _hash(token),
    )
    return Pending(**row) if row else None


async def is_privileged(db: Connection, staff_id: int) -> bool:
    """Whether the login has, in any project, a role that wants more than a password: no provider opens it."""
    return await db.fetchval("select is_privileged($1, $2)", staff_id, datetime.now(UTC))


async def refuse(db: Connection, actor: Actor, provider: dict[str, str], why: str) -> None:
    """Put on record that a provider did not open a login, or was not linked to it."""
    await audit.record(
        db,
        actor,
        "account.identity.refused",
        kind="staff",
        object_id=actor.staff_id or "-",
        after={"provider": provider["en"], "why": why},
    )


async def link(db: Connection, actor: Actor, pending: Pending) -> int:
    """The account elsewhere opens the actor's login from now on; its number. He is told.

    The caller owns the transaction, and has just seen the actor's password or made his login. A pending one is taken
    once. Raises PasswordNeeded for a privileged login, IdentityTaken for an account that opens another one.
    """
    # In turn with an unlinking. A role that is given at this moment is looked for again whenever the link opens the door.
    await db.fetchval("select id from staff where id = $1 for no key update", actor.staff_id)
    if await is_privileged(db, actor.staff_id):
        raise PasswordNeeded
    if pending.token_hash:
        taken = await db.fetchval(
            "delete from pending_identity where token_hash = $1 and ends_at > now() returning provider_id",
            pending.token_hash,
        )
        if taken is None:
            raise FlowOver
    identity_id = await db.fetchval(
        """
        insert into account_identity (staff_id, provider_id, issuer, subject, shown)
        values ($1, $2, $3, $4, $5)
        on conflict (issuer, subject) do nothing
        returning id
        """,
        *(actor.staff_id, pending.provider_id, pending.issuer, pending.subject, pending.shown),
    )
    if identity_id is None:
        raise IdentityTaken
    await _tell(db, actor, "identity.linked", identity_id, pending.provider)
    return identity_id


async def unlink(db: Connection, actor: Actor, identity_id: int) -> None:
    """It opens nothing any more, and the sessions that it opened end; never the last way in."""
    has_password = await db.fetchval(
        "select password_hash <> '' from staff where id = $1 for no key update", actor.staff_id
    )
    own = await identities_of(db, actor.staff_id)
    gone = next((one for one in own if one.id == identity_id), None)
    if gone is None:
        raise NotThere
    if not has_password and len(own) == 1:
        raise LastWayIn
    await db.execute("delete from account_identity where id = $1", identity_id)
    await _tell(db, actor, "identity.unlinked", identity_id, gone.provider)


async def identities_of(db: Connection, staff_id: int) -> list[Identity]:
    """A person's linked accounts, oldest first."""
    rows = await db.fetch(
        """
        select i.id, i.shown, i.linked_at, i.used_at,
               jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) as provider
        from account_identity i
        join signon_provider p on p.id = i.provider_id
        where i.staff_id = $1
        order by i.id
        """,
        staff_id,
    )
    return [Identity(**row) for row in rows]


async def forget_all(db: Connection, staff_id: int) -> None:
    """None opens the login any more: whoever linked them may have been a stranger (pre-hijacking)."""
    await db.execute("delete from account_identity where staff_id = $1", staff_id)


async def _tell(db: Connection, actor: Actor, kind: str, identity_id: int, provider: dict[str, str]) -> None:
    fact: dict[str, object] = {"identity": identity_id, "provider": provider["en"]}
    linked = kind == "identity.linked"
    await audit.record(
        db,
        actor,
        f"account.{kind}",
        kind="staff",
        object_id=actor.staff_id,
        before=None if linked else fact,
        after=fact if linked else None,
    )
    await notices.tell(
        db,
        actor.staff_id,
        kind,
        about=identity_id,
        link="/account",
        filled={"provider": provider, "moment": {"moment": datetime.now(UTC).isoformat()}},
    )
