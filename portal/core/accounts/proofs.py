"""Proving that an e-mail or a phone is one's own, before there is an account (SAFETY P3).

The page writes one row, whether we know the address or not; the worker sends a link or a code to a new address, and to a
known one the word that it has an account. So the page's answer and its work tell nobody who is registered.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from infra.callers import place_of
from infra.local import decode_key
from portal.core import post
from portal.core.consents import asks
from portal.core.i18n import N_
from portal.core.post.tokens import code_of, token_of
from portal.core.problems import Problem

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

# At one address: thirty children of one lesson sit behind it, and each mistypes once.
ASKS, ASKS_WITHIN = 60, timedelta(minutes=15)
# To one mailbox or phone, each purpose apart: a stranger's clicks at one page use up nothing of another, least of all the
# code by which a parent signs, which takes the link besides.
SENT, SENT_WITHIN = 3, timedelta(hours=1)
SENT_A_DAY, DAY = 8, timedelta(days=1)
TRIES = 5
# A code that signs for a child has fewer than one that proves a number.
TRIES_TO_SIGN = 3
LIVES = {"mail": timedelta(hours=24), "sms": timedelta(minutes=10)}
# From the right code, or the opened link, to the form that is sent.
FORM_LIVES = timedelta(hours=1)
KEPT = timedelta(days=7)

LINK = post.register(
    post.Letter(
        kind="register.link",
        name=N_("Link to register"),
        subject=N_("Register at El Úmiti"),
        lines=(
            N_("Somebody, we hope you, wants to register at El Úmiti with this address."),
            N_("The link below works once, for 24 hours."),
            N_("It was not you? Then do nothing: there is no account."),
        ),
        path="/register/new",
        button=N_("Go on registering"),
        purpose="register",
    )
)
KNOWN = post.register(
    post.Letter(
        kind="register.known",
        name=N_("Word that there is an account"),
        subject=N_("You have an account at El Úmiti already"),
        lines=(
            N_(
                "Somebody, we hope you, wanted to register with this address. There is an account: your login is «{login}»."
            ),
            N_("Forgotten the password? Set a new one by the link below."),
        ),
        path="/forgotten",
        button=N_("Set a new password"),
    )
)
CODE = post.register(
    post.Letter(
        kind="register.code",
        name=N_("Code by SMS"),
        subject=N_("Code by SMS"),
        lines=(N_("El Úmiti: your code is {code}. It works for 10 minutes. Tell it to nobody."),),
        code="register",
    )
)
KNOWN_SMS = post.register(
    post.Letter(
        kind="register.known-sms",
        name=N_("Word that there is an account, by SMS"),
        subject=N_("You have an account at El Úmiti already"),
        lines=(N_("El Úmiti: there is an account with this phone. Login: {login}. Forgotten the password?"),),
        path="/forgotten",
    )
)
SIGN = post.register(
    post.Letter(
        kind="consent.code",
        name=N_("Code that signs a consent"),
        subject=N_("Code that signs a consent"),
        lines=(
            N_("El Úmiti: the code that signs your consent is {code}. It works for 10 minutes. Tell it to nobody."),
        ),
        code="sign",
    )
)


class TooManyProofs(Problem):
    """From one address."""

    code = "too-many-proofs"
    status = 429
    title = N_("Very many codes and letters were asked for from your address.")
    advice = N_("Wait a quarter of an hour and try again. What you have received still works.")


class Outcome(StrEnum):
    """What came of a typed code."""

    FITS = "fits"
    WRONG = "wrong"
    OVER = "over"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """An address that was proven, and waits for the form."""

    id: int
    channel: str
    address: str


def hashed(token: str) -> bytes:
    """As the table has it."""
    return hashlib.sha256(token.encode()).digest()


async def ask(
    db: Connection, *, purpose: str, channel: str, address: str, caller: str, language: str
) -> tuple[int, str]:
    """Write down that somebody says so: number and, for an SMS, the handle by which this browser types the code."""
    place = place_of(caller)
    lately = await db.fetchval(
        "select count(*) from proof where place = $1 and asked_at > now() - $2::interval", place, ASKS_WITHIN
    )
    if lately >= ASKS:
        raise TooManyProofs
    handle = secrets.token_urlsafe(24)
    number = await db.fetchval(
        """
        insert into proof (purpose, channel, address, place, language, token_hash, ends_at)
        values ($1, $2, $3, $4, $5, $6, now() + $7::interval)
        returning id
        """,
        *(purpose, channel, address, place, language, hashed(handle) if channel == "sms" else None, LIVES[channel]),
    )
    return number, handle


async def answer_proofs(pool: Pool, settings: PortalSettings) -> bool:
    """Answer one, if there is one; True if there may be more. A round of the worker."""
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            """
            update proof p set answered_at = now()
            from (select id from proof where answered_at is null order by id limit 1 for no key update skip locked) due
            where p.id = due.id
            returning p.id, p.purpose, p.channel, p.address, p.language, p.ends_at
            """
        )
        if row is None:
            return False
        sent = await db.fetchrow(
            """
            select count(*) filter (where asked_at > now() - $5::interval) as lately, count(*) as today
            from proof
            where address = $1 and channel = $2 and purpose = $3 and id <> $4 and answered_at is not null
                and asked_at > now() - $6::interval
            """,
            *(row["address"], row["channel"], row["purpose"], row["id"], SENT_WITHIN, DAY),
        )
        assert sent is not None
        if row["ends_at"] <= datetime.now(UTC) or sent["lately"] >= SENT or sent["today"] >= SENT_A_DAY:
            return True
        if row["purpose"] == "withdraw":
            await asks.send_withdrawals(
                db, decode_key(settings.link_key), row["channel"], row["address"], row["language"]
            )
        elif row["purpose"] == "sign":
            await _send_new(db, row["id"], row["channel"], row["address"], row["language"], row["ends_at"], SIGN)
        elif not await _tell_known(db, row["channel"], row["address"]):
            letter = CODE if row["channel"] == "sms" else LINK
            seed = await _send_new(
                db, row["id"], row["channel"], row["address"], row["language"], row["ends_at"], letter
            )
            if row["channel"] == "mail":
                token = token_of(decode_key(settings.link_key), "register", seed)
                await db.execute("update proof set token_hash = $2 where id = $1", row["id"], hashed(token))
    return True


async def _send_new(
    db: Connection, proof_id: int, channel: str, address: str, language: str, ends_at: datetime, letter: post.Letter
) -> str:
    seed = secrets.token_urlsafe(24)
    await db.execute("update proof set seed = $2 where id = $1", proof_id, seed)
    await post.put(
        db,
        staff_id=None,
        address=address,
        kind=letter.kind,
        language=language,
        filled={"seed": seed},
        channel=channel,
        ends_at=ends_at,
    )
    return seed


async def _tell_known(db: Connection, channel: str, address: str) -> bool:
    """Whether there is an account with it; its owner learns that somebody asked."""
    column = "email = $1" if channel == "mail" else "phone = $1 and phone_proven_at is not null"
    person = await db.fetchrow(
        f"select id, login, language, disabled_at from staff where {column} order by id", address
    )
    if person is None:
        return False
    # Of a shut login nobody is told; it takes no new account beside it either.
    if person["disabled_at"] is None:
        await post.put(
            db,
            staff_id=person["id"],
            address=address,
            kind=(KNOWN_SMS if channel == "sms" else KNOWN).kind,
            language=person["language"],
            filled={"login": person["login"]},
            channel=channel,
            ends_at=datetime.now(UTC) + SENT_WITHIN,
        )
    return True


async def try_code(db: Connection, key: bytes, proof_id: int, purpose: str, typed: str) -> Outcome:
    """Judge a code; each try counts, also of an address that nothing was sent to."""
    row = await db.fetchrow(
        """
        update proof set tries = tries + 1
        where id = $1 and purpose = $2 and channel = 'sms' and tries < $3 and ends_at > now() and proven_at is null
        returning seed
        """,
        *(proof_id, purpose, TRIES_TO_SIGN if purpose == "sign" else TRIES),
    )
    if row is None:
        return Outcome.OVER
    # Of an address that is known already there is no seed: the same work, and nothing fits.
    right = code_of(key, purpose, row["seed"])
    digits = "".join(letter for letter in typed if letter.isdigit())
    if not hmac.compare_digest(right.encode(), digits.encode()) or not row["seed"]:
        return Outcome.WRONG
    await db.execute(
        "update proof set proven_at = now(), tries = 0, ends_at = now() + $2::interval where id = $1",
        proof_id,
        FORM_LIVES,
    )
    return Outcome.FITS


async def by_handle(db: Connection, handle: str) -> int | None:
    """The number of an SMS that this browser asked for; also one that is over, so that the page can say so."""
    return await db.fetchval(
        "select id from proof where token_hash = $1 and purpose = 'register' and channel = 'sms'", hashed(handle)
    )


async def find(db: Connection, token: str) -> Proof | None:
    """A proven address that no account was made with yet. Who has the link of a letter reads the mailbox."""
    row = await db.fetchrow(
        """
        select id, channel, address from proof
        where token_hash = $1 and purpose = 'register' and used_at is null and ends_at > now() and seed <> ''
            and (channel = 'mail' or proven_at is not null)
        """,
        hashed(token),
    )
    return Proof(**row) if row else None


async def use(db: Connection, proof_id: int) -> bool:
    """Use it up, and with it all others of the same address; False: another was first."""
    address = await db.fetchval(
        "update proof set used_at = now() where id = $1 and used_at is null and ends_at > now() returning address",
        proof_id,
    )
    if address is None:
        return False
    await db.execute(
        "update proof set ends_at = least(ends_at, now()) where address = $1 and purpose = 'register' and used_at is null",
        address,
    )
    return True


async def login_missed(db: Connection, proof_id: int) -> bool:
    """One more login that was taken; False: too many, so that a link is no way to learn which logins there are."""
    tries = await db.fetchval("update proof set tries = tries + 1 where id = $1 returning tries", proof_id)
    return tries <= 4 * TRIES


async def erase_old(db: Connection) -> None:
    """What was proven long ago is in the account or nowhere."""
    await db.execute("delete from proof where ends_at < now() - $1::interval", KEPT)
