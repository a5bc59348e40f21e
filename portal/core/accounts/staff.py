"""Making staff and their passwords; callers own the transaction and the audit record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import post
from portal.core.accounts import identities, links, misses
from portal.core.accounts.passwords import NONE, hash_password
from portal.core.i18n import N_

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.db import Connection

CHANGED = post.register(
    post.Letter(
        kind="account.changed",
        name=N_("Word of a new password"),
        subject=N_("Your password was changed"),
        lines=(
            N_("The password of your login «{login}» was changed. All sessions have ended."),
            N_("It was not you? Write to your super-admin at once."),
        ),
        path="/sign-in",
        button=N_("Sign in"),
    )
)

# What hangs on a login and is its holder's alone. Letters go before the notices that they name.
FORGOTTEN = (
    *("staff_session", "staff_key", "staff_totp", "staff_link", "notice_wish", "sign_in_address", "saved_view", "post"),
    "notice",
)


async def create_staff(
    db: Connection,
    *,
    login: str,
    full_name: str,
    password: str | None,
    language: str = "kk",
    own_school_id: int | None = None,
    demo: bool = False,
    registered_at: datetime | None = None,
) -> int:
    """A new login, without a password if None; asyncpg.UniqueViolationError if it is taken.

    `registered_at`: its holder made it himself.
    """
    stored = NONE if password is None else await hash_password(password)
    return await db.fetchval(
        """
        insert into staff (login, full_name, language, password_hash, own_school_id, demo, registered_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning id
        """,
        *(login.strip().lower(), full_name, language, stored, own_school_id, demo, registered_at),
    )


async def set_password(db: Connection, staff_id: int, password: str) -> None:
    """A new password: sessions, open links and linked accounts of the person end, and his mailbox is told, whoever set it."""
    await db.execute(
        "update staff set password_hash = $2, failed_sign_ins = 0, locked_until = null where id = $1",
        *(staff_id, await hash_password(password)),
    )
    await db.execute("delete from staff_session where staff_id = $1", staff_id)
    await identities.forget_all(db, staff_id)
    await misses.forget(db, staff_id)
    await links.end_open(db, staff_id)
    person = await db.fetchrow(
        "select login, email, language from staff where id = $1 and email is not null and disabled_at is null", staff_id
    )
    if person is not None:
        await post.put(
            db,
            staff_id=staff_id,
            address=person["email"],
            kind=CHANGED.kind,
            language=person["language"],
            filled={"login": person["login"]},
        )


async def forget_login(db: Connection, staff_id: int) -> None:
    """A login that its holder registered is over: nothing is left but the number, which the audit trail names."""
    await db.execute(
        """
        update staff
        set login = 'erased-' || id, full_name = '—', password_hash = '', disabled_at = coalesce(disabled_at, now()),
            email = null, email_proven_at = null, phone = '', phone_proven_at = null
        where id = $1
        """,
        staff_id,
    )
    for table in FORGOTTEN:
        await db.execute(f"delete from {table} where staff_id = $1", staff_id)
    await db.execute("update staff_grant set ends_at = least(ends_at, now()) where staff_id = $1", staff_id)
