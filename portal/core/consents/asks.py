"""Links to legal representatives: to agree, or to withdraw. A link signs nobody in and shows a first name alone (SAFETY P6).

To agree takes six digits besides, sent to the phone that the link went to. To withdraw takes the link alone: what stops
something needs less than what begins it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core import post
from portal.core.i18n import N_
from portal.core.post.tokens import token_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.db import Connection

LIVES = {"give": timedelta(days=14), "withdraw": timedelta(hours=24)}
PURPOSE = "consent"
# Of one child: a child that clicks does not ring a stranger's phone all day.
ASKS, ASKS_WITHIN = 3, timedelta(days=1)
# To one phone or mailbox, whoever names it: a large family, and no crowd of made-up children.
TO_ONE = 6
# Who agrees for himself names his own number, at most two a day (one slip of the hand): nobody rings a row of strangers.
OWN_NUMBERS = 2
# With one link: what a parent needs whose SMS came late, and no more.
CODES = 4

ASKED = post.register(
    post.Letter(
        kind="consent.asked",
        name=N_("Link to a consent"),
        subject=N_("Your consent is asked for"),
        lines=(
            N_("A child wants to register at El Úmiti and has named you as parent or guardian."),
            N_("Read what it is about and decide, each purpose apart. The link works for 14 days."),
            N_("It is not your child? Then do nothing: without you there is no registration."),
        ),
        path="/consent",
        button=N_("Read and decide"),
        purpose=PURPOSE,
    )
)
ASKED_SMS = post.register(
    post.Letter(
        kind="consent.asked-sms",
        name=N_("Link to a consent, by SMS"),
        subject=N_("Your consent is asked for"),
        lines=(N_("El Úmiti: a child registers and names you as parent. Read and decide:"),),
        path="/consent",
        purpose=PURPOSE,
    )
)
WITHDRAW_SMS = post.register(
    post.Letter(
        kind="consent.withdraw-sms",
        name=N_("Link to withdraw a consent, by SMS"),
        subject=N_("Withdraw a consent"),
        lines=(N_("El Úmiti: here you withdraw consents (24 hours):"),),
        path="/consent/withdraw",
        purpose=PURPOSE,
    )
)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A link that holds."""

    id: int
    kind: str
    registration_id: int | None
    person_id: int | None
    first_name: str
    given_by: str
    relation: str
    channel: str
    address: str
    language: str
    chosen: list[str]
    version: str
    proof_id: int | None
    ends_at: datetime


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def make(
    db: Connection,
    key: bytes,
    *,
    kind: str,
    registration_id: int | None,
    person_id: int | None,
    first_name: str,
    given_by: str,
    relation: str,
    channel: str,
    address: str,
    language: str,
    send: bool = True,
) -> str:
    """A new link, sent unless told otherwise; its token. An older one to the same end is void."""
    await db.execute(
        """
        update consent_ask set ends_at = least(ends_at, now())
        where done_at is null and kind = $1 and (registration_id = $2 or person_id = $3)
        """,
        *(kind, registration_id, person_id),
    )
    seed = secrets.token_urlsafe(24)
    token = token_of(key, PURPOSE, seed)
    await db.execute(
        """
        insert into consent_ask (kind, registration_id, person_id, first_name, given_by, relation, channel, address, language,
                                 token_hash, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + $11::interval)
        """,
        *(kind, registration_id, person_id, first_name, given_by, relation, channel, address, language, _hash(token)),
        LIVES[kind],
    )
    if send:
        letter = WITHDRAW_SMS if kind == "withdraw" else ASKED_SMS if channel == "sms" else ASKED
        await post.put(
            db,
            staff_id=None,
            address=address,
            kind=letter.kind,
            language=language,
            # Whose phone it is, the child typed: its name is on the page alone.
            filled={"seed": seed},
            channel=channel,
        )
    return token


async def find(db: Connection, kind: str, token: str) -> Ask | None:
    """The link, if it still holds."""
    row = await db.fetchrow(
        f"""
        select {", ".join(Ask.__struct_fields__)}
        from consent_ask
        where token_hash = $1 and kind = $2 and done_at is null and ends_at > now()
        """,
        *(_hash(token), kind),
    )
    return Ask(**row) if row else None


async def count_code(db: Connection, ask_id: int) -> bool:
    """One more code with this link; False: no more."""
    found = await db.fetchval(
        "update consent_ask set codes = codes + 1 where id = $1 and codes < $2 returning codes", *(ask_id, CODES)
    )
    return found is not None


async def choose(
    db: Connection, ask_id: int, chosen: Sequence[str], version: str, language: str, proof_id: int
) -> None:
    """What was ticked under which text, until the code signs it."""
    await db.execute(
        "update consent_ask set chosen = $2, version = $3, language = $4, proof_id = $5 where id = $1",
        *(ask_id, list(chosen), version, language, proof_id),
    )


async def done(db: Connection, ask_id: int, person_id: int | None) -> bool:
    """Use it up; False: another was first."""
    found = await db.fetchval(
        """
        update consent_ask set done_at = now(), person_id = coalesce($2, person_id)
        where id = $1 and done_at is null and ends_at > now()
        returning id
        """,
        *(ask_id, person_id),
    )
    return found is not None


async def newest(db: Connection, registration_id: int) -> Ask | None:
    """The link that a registration waits for."""
    row = await db.fetchrow(
        f"""
        select {", ".join(Ask.__struct_fields__)}
        from consent_ask
        where registration_id = $1 and kind = 'give' and done_at is null and ends_at > now()
        order by id desc
        limit 1
        """,
        registration_id,
    )
    return Ask(**row) if row else None


async def made_lately(db: Connection, registration_id: int) -> int:
    """How many links went out for one child of late."""
    return await db.fetchval(
        "select count(*) from consent_ask where registration_id = $1 and made_at > now() - $2::interval",
        *(registration_id, ASKS_WITHIN),
    )


async def other_numbers(db: Connection, registration_id: int, address: str) -> int:
    """How many other numbers were named for one registration of late."""
    return await db.fetchval(
        """
        select count(distinct address) from consent_ask
        where registration_id = $1 and address <> $2 and made_at > now() - $3::interval
        """,
        *(registration_id, address, ASKS_WITHIN),
    )


async def sent_lately(db: Connection, channel: str, address: str) -> int:
    """How many links went to one parent of late, of whichever children."""
    return await db.fetchval(
        """
        select count(*) from consent_ask
        where address = $2 and made_at > now() - $3::interval and channel = $1 and kind = 'give' and relation <> 'self'
        """,
        *(channel, address, ASKS_WITHIN),
    )


async def send_withdrawals(db: Connection, key: bytes, channel: str, address: str, language: str) -> None:
    """To a phone that signed consents: a link for each child whose consents it signed. To another: nothing."""
    rows = await db.fetch(
        """
        select distinct on (person_id) person_id, first_name, given_by, relation
        from consent_ask
        where channel = $1 and address = $2 and kind = 'give' and done_at is not null and person_id is not null
        order by person_id, id desc
        """,
        *(channel, address),
    )
    for row in rows:
        await make(
            db, key, kind="withdraw", registration_id=None, channel=channel, address=address, language=language, **row
        )


async def erase_old(db: Connection) -> None:
    """Links that led to nothing. Those that were signed stay: by their phone the consent is withdrawn."""
    await db.execute(
        "delete from consent_ask where ends_at < now() - interval '7 days' and (done_at is null or kind = 'withdraw')"
    )
