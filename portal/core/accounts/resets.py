"""A forgotten password (SAFETY P3): the page writes one row whoever asks; the worker looks whether there is such a login.

So the page's answer and its work are the same for a login that exists and for one that does not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.callers import place_of
from infra.local import decode_key
from portal.core import audit, post
from portal.core.accounts import links
from portal.core.accounts.contacts import as_phone
from portal.core.i18n import N_
from portal.core.problems import Problem

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

# At one address; a school or a ministry may sit behind it.
ASKS, ASKS_WITHIN = 5, timedelta(minutes=15)
# To one mailbox.
LETTERS, LETTERS_WITHIN = 3, timedelta(hours=1)

FORGOTTEN = post.register(
    post.Letter(
        kind="account.reset",
        name=N_("New password"),
        subject=N_("A new password for El Úmiti"),
        lines=(
            N_("Somebody, we hope you, wants a new password for your login «{login}»."),
            N_("The link below works once, for 30 minutes. When you have set the password, all your sessions end."),
            N_("It was not you? Then do nothing: without the link nothing changes."),
        ),
        path="/forgotten/new",
        button=N_("Set a new password"),
        purpose="password",
    )
)

FORGOTTEN_SMS = post.register(
    post.Letter(
        kind="account.reset-sms",
        name=N_("New password, by SMS"),
        subject=N_("A new password for El Úmiti"),
        lines=(N_("El Úmiti: set a new password for the login {login} here (once, 30 minutes):"),),
        path="/forgotten/new",
        purpose="password",
    )
)


class TooManyAsks(Problem):
    """From one address."""

    code = "too-many-resets"
    status = 429
    title = N_("Somebody at your address has asked for several new passwords.")
    advice = N_("Wait a quarter of an hour and ask once more, or ask your super-admin.")


async def ask(db: Connection, typed: str, address: str) -> None:
    """Write down that somebody forgot a password. The count is of the address, so it tells nothing of logins."""
    place = place_of(address)
    lately = await db.fetchval(
        "select count(*) from reset_ask where address = $1 and at > now() - $2::interval", place, ASKS_WITHIN
    )
    if lately >= ASKS:
        raise TooManyAsks
    await db.execute("insert into reset_ask (typed, address) values ($1, $2)", typed.strip().lower(), place)


async def answer_asks(pool: Pool, settings: PortalSettings) -> bool:
    """Answer one ask, if there is one; True if there may be more."""
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            """
            with due as (
                select id, typed, address
                from reset_ask
                where done_at is null
                order by id
                limit 1
                for no key update skip locked)
            update reset_ask r set typed = '', done_at = now()
            from due
            where r.id = due.id
            returning due.typed, due.address
            """
        )
        if row is None:
            return False
        await _answer(db, settings, row["typed"], row["address"], datetime.now(UTC))
    return True


async def _answer(db: Connection, settings: PortalSettings, typed: str, address: str, now: datetime) -> None:
    person = await db.fetchrow(
        """
        select id, login, coalesce(email, phone) as address, email is null as by_sms, language
        from staff
        where disabled_at is null and (email is not null or phone_proven_at is not null)
            and (login = $1 or email = $1 or (phone = $2 and phone_proven_at is not null))
        order by email is not distinct from $1 desc, login = $1 desc, id
        limit 1
        for no key update
        """,
        *(typed, as_phone(typed) or "-"),
    )
    if person is None:
        return
    if await links.made_since(db, person["id"], "password", now - LETTERS_WITHIN) >= LETTERS:
        return
    seed = await links.make(
        db, decode_key(settings.link_key), staff_id=person["id"], purpose="password", email=person["address"], at=now
    )
    await post.put(
        db,
        staff_id=person["id"],
        address=person["address"],
        kind=(FORGOTTEN_SMS if person["by_sms"] else FORGOTTEN).kind,
        channel="sms" if person["by_sms"] else "mail",
        language=person["language"],
        filled={"seed": seed, "login": person["login"]},
        ends_at=now + links.LIVES["password"],
    )
    # By nobody known: who asks has not shown that he is the owner.
    await audit.record_for(
        db,
        staff_id=None,
        acting_as="-",
        address=address,
        act="account.reset.asked",
        kind="staff",
        object_id=person["id"],
    )
