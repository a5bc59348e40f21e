"""Making staff and giving roles; callers own the transaction and the audit record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.accounts import misses
from portal.core.accounts.passwords import hash_password
from portal.core.accounts.structs import PROJECT

if TYPE_CHECKING:
    from datetime import datetime

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


async def give_role(
    db: Connection,
    *,
    staff_id: int,
    role: str,
    ends_at: datetime,
    region_code: str | None = None,
    school_id: int | None = None,
    given_by: int | None = None,
) -> int:
    """A role until `ends_at` within a territory."""
    return await db.fetchval(
        """
        insert into staff_grant (staff_id, role, project, region_code, school_id, given_by, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning id
        """,
        *(staff_id, role, PROJECT, region_code, school_id, given_by, ends_at),
    )


async def end_grant(db: Connection, grant_id: int, at: datetime) -> bool:
    """Take a role away; False if it had ended before."""
    done = await db.fetchval(
        "update staff_grant set ends_at = $2 where id = $1 and ends_at > $2 returning id", grant_id, at
    )
    return done is not None


async def set_password(db: Connection, staff_id: int, password: str) -> None:
    """A new password; all sessions of the person end."""
    await db.execute(
        "update staff set password_hash = $2, failed_sign_ins = 0, locked_until = null where id = $1",
        *(staff_id, await hash_password(password)),
    )
    await db.execute("delete from staff_session where staff_id = $1", staff_id)
    await misses.forget(db, staff_id)
