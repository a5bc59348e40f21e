"""E-mail and phone of staff. An e-mail is an account's only when a link sent there was opened by who is signed in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from infra.local import decode_key
from portal.core import post
from portal.core.accounts import identities, links
from portal.core.i18n import N_
from portal.core.problems import Problem

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

# What mail servers take without further agreement; a name in Kazakh letters needs SMTPUTF8 on the whole way.
EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
LONGEST_EMAIL = 254
PHONE_MARKS = re.compile(r"[\s()\-.]")
PHONE = re.compile(r"\+\d{10,15}")

# Anybody's address can be typed here, and its owner did not ask for our letters.
LETTERS, LETTERS_WITHIN = 5, timedelta(hours=1)

CONFIRM = post.register(
    post.Letter(
        kind="account.email",
        name=N_("Confirm an e-mail"),
        subject=N_("Confirm your e-mail for El Úmiti"),
        lines=(
            N_("Your login «{login}» is to get this e-mail address."),
            N_("Open the link below and sign in. It works once, for 24 hours; then all your sessions end."),
            N_("It was not you? Then do nothing: without the link nothing changes."),
        ),
        path="/account/email",
        button=N_("Confirm the e-mail"),
        purpose="email",
    )
)

LEFT = post.register(
    post.Letter(
        kind="account.email-left",
        name=N_("Word to an e-mail that was taken off"),
        subject=N_("This e-mail is no longer your login's"),
        lines=(
            N_("The e-mail of your login «{login}» was changed or taken off. Letters no longer come to this address."),
            N_("It was not you? Write to your super-admin at once."),
        ),
        path="/sign-in",
        button=N_("Sign in"),
    )
)


class EmailTaken(Problem):
    """Another login has it; only who reads that mailbox learns so."""

    code = "email-taken"
    status = 409
    title = N_("This e-mail belongs to another login.")
    advice = N_("Nothing was changed. Take it off the other login first, or give another address.")


class TooManyLetters(Problem):
    """Of one person."""

    code = "too-many-letters"
    status = 429
    title = N_("You have asked for several letters.")
    advice = N_("Look into the mailbox and its spam folder; in an hour you can ask once more.")


class LinkOver(Problem):
    """Used, too old, another person's, or none."""

    code = "link-over"
    status = 410
    title = N_("This link is over.")
    advice = N_("It was used, or it is too old. Ask for a new one; only the newest letter's link works.")


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """How a person is reached."""

    email: str | None
    email_proven_at: datetime | None
    phone: str
    phone_proven_at: datetime | None
    waiting: str | None


def as_email(text: str) -> str | None:
    """In lower case, or None where it is no address."""
    value = text.strip().lower()
    return value if len(value) <= LONGEST_EMAIL and EMAIL.fullmatch(value) else None


def as_phone(text: str) -> str | None:
    """As +77001234567; 8 700 … is Kazakhstan's own way to write it. None where it is no number."""
    value = PHONE_MARKS.sub("", text)
    if re.fullmatch(r"8\d{10}", value):
        value = "+7" + value[1:]
    return value if PHONE.fullmatch(value) else None


async def contacts_of(db: Connection, staff_id: int) -> Contacts:
    """A person's contacts."""
    row = await db.fetchrow("select email, email_proven_at, phone, phone_proven_at from staff where id = $1", staff_id)
    assert row is not None
    return Contacts(**row, waiting=await links.open_email(db, staff_id))


async def send_link(db: Connection, actor: Actor, settings: PortalSettings, email: str, now: datetime) -> None:
    """A letter to the new address; an older one that waits is void."""
    if await links.made_since(db, actor.staff_id, "email", now - LETTERS_WITHIN) >= LETTERS:
        raise TooManyLetters
    await db.execute(
        "update staff_link set ends_at = least(ends_at, now()) where staff_id = $1 and purpose = 'email' and used_at is null",
        actor.staff_id,
    )
    seed = await links.make(
        db, decode_key(settings.link_key), staff_id=actor.staff_id, purpose="email", email=email, at=now
    )
    await post.put(
        db,
        staff_id=actor.staff_id,
        address=email,
        kind=CONFIRM.kind,
        language=actor.language or "kk",
        filled={"seed": seed, "login": actor.login},
        ends_at=now + links.LIVES["email"],
    )


async def factors_go(db: Connection, actor: Actor) -> bool:
    """Whether a first e-mail takes second factors along: anybody who held the first password may have added one.

    Not where this session has shown its own: a stranger's would have kept the person out, and to take his away would
    let a thief of the password add one in its place.
    """
    return await db.fetchval(
        """
        select st.email is null and s.factor_at is null
        from staff_session s
        join staff st on st.id = s.staff_id
        where s.key_hash = $1
        """,
        actor.session,
    )


async def prove(db: Connection, actor: Actor, token: str, now: datetime) -> links.Link:
    """The link was opened by its person: the e-mail is his, and what was begun before it is proven ends (SAFETY P3).

    All sessions and open links go, what `factors_go` names, and with a first e-mail all linked accounts.
    """
    staff_id = actor.staff_id
    link = await links.find(db, "email", token)
    if link is None or link.staff_id != staff_id or not await links.use(db, "email", token, staff_id):
        raise LinkOver
    was = await db.fetchval("select email from staff where id = $1 for no key update", staff_id)
    go = await factors_go(db, actor)
    try:
        await db.execute("update staff set email = $2, email_proven_at = $3 where id = $1", staff_id, link.email, now)
    except asyncpg.UniqueViolationError as error:
        raise EmailTaken from error
    if go:
        await db.execute("delete from staff_key where staff_id = $1", staff_id)
        await db.execute("delete from staff_totp where staff_id = $1", staff_id)
    if was is None:
        await identities.forget_all(db, staff_id)
    await links.end_open(db, staff_id)
    await db.execute("delete from staff_session where staff_id = $1", staff_id)
    if was is not None and was != link.email:
        await _tell_the_old(db, actor, was)
    return link


async def remove_email(db: Connection, actor: Actor) -> str | None:
    """Take the e-mail off; what it was."""
    was = await db.fetchval("select email from staff where id = $1 for no key update", actor.staff_id)
    await db.execute("update staff set email = null, email_proven_at = null where id = $1", actor.staff_id)
    await links.end_open(db, actor.staff_id)
    if was is not None:
        await _tell_the_old(db, actor, was)
    return was


async def _tell_the_old(db: Connection, actor: Actor, address: str) -> None:
    """Whoever did it, the one who reads the old mailbox learns of it, and can act."""
    await post.put(
        db,
        staff_id=actor.staff_id,
        address=address,
        kind=LEFT.kind,
        language=actor.language or "kk",
        filled={"login": actor.login},
    )


async def set_phone(db: Connection, staff_id: int, phone: str) -> None:
    """Empty: none. Another number than the proven one is not proven."""
    await db.execute(
        """
        update staff set phone = $2, phone_proven_at = case when phone = $2 then phone_proven_at end where id = $1
        """,
        *(staff_id, phone),
    )
