"""Making staff and their passwords; callers own the transaction and the audit record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.accounts import misses
from portal.core.accounts.passwords import hash_password

if TYPE_CHECKING:
    from portal.core.db import Connection


async def create_staff(
    db: Connection,
    *,
    login: str,
    full_name: str,
    password: str,
    language: str = "kk",
    own_school_id: int | None = None,
    demo: bool = False,
) -> int:
    """A new login; asyncpg.UniqueViolationError if it is taken."""
    return await db.fetchval(
        """
        insert into staff (login, full_name, language, password_hash, own_school_id, demo)
        values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        *(login.strip().lower(), full_name, language, await hash_password(password), own_school_id, demo),
    )


async def set_password(db: Connection, staff_id: int, password: str) -> None:
    """A new password; all sessions of the person end."""
    await db.execute(
        "update staff set password_hash = $2, failed_sign_ins = 0, locked_until = null where id = $1",
        *(staff_id, await hash_password(password)),
    )
    await db.execute("delete from staff_session where staff_id = $1", staff_id)
    await misses.forget(db, staff_id)
