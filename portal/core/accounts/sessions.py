"""Sessions in Postgres; the cookie's value is known to the browser only, the table holds its SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import msgspec

from portal.core.accounts import misses
from portal.core.accounts.passwords import verify_password
from portal.core.db import Connection, Pool
from portal.core.projects import PROJECT

COOKIE = "elumiti_session"
LONGEST = timedelta(hours=12)
IDLE = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its owner sees it."""

    key_hash: bytes
    started_at: datetime
    seen_at: datetime
    address: str
    agent: str


def key_hash(key: str) -> bytes:
    """What the table knows of a cookie."""
    return hashlib.sha256(key.encode()).digest()


class Shown(msgspec.Struct, frozen=True):
    """A login with the hash that a password was held against, and whether it fitted."""

    staff_id: int
    password_hash: str
    fits: bool


async def sign_in(pool: Pool, login: str, password: str) -> Shown | None:
    """Whether login and password fit, before anything is written; None: there is no such login. All take the same time.

    No connection is held while Argon2 waits for its turn: a thousand sign-ins would take all of them from who works.
    """
    row = await pool.fetchrow(
        "select id, password_hash from staff where login = $1 and disabled_at is null", login.strip().lower()
    )
    fits = await verify_password(row["password_hash"] if row else None, password)
    return Shown(row["id"], row["password_hash"], fits) if row else None


async def enter(db: Connection, shown: Shown | None, address: str, agent: str) -> tuple[int, str] | None:
    """A new session: staff id and cookie; None for every kind of miss.

    Where it rests after misses, see portal.core.accounts.misses. A password that was changed meanwhile opens nothing.
    """
    now = datetime.now(UTC)
    tries = await misses.lock_tries(db, shown.staff_id, shown.password_hash, address) if shown else None
    if shown is None or tries is None or tries.rests(now):
        return None
    if not shown.fits:
        await misses.missed(db, tries, now)
        return None
    await misses.fitted(db, tries, now)
    return shown.staff_id, await begin(db, shown.staff_id, address, agent, now)


async def begin(
    db: Connection, staff_id: int, address: str, agent: str, now: datetime, identity_id: int | None = None
) -> str:
    """A session of somebody who has shown his password, or whom a provider vouched for (`identity_id`); its cookie.

    It is in the first project where he has a role.
    """
    key = secrets.token_urlsafe(32)
    await db.execute("delete from staff_session where ends_at < $1", now)
    await db.execute(
        """
        insert into staff_session (key_hash, staff_id, csrf, started_at, seen_at, ends_at, address, agent, project,
                                   identity_id)
        select $1, $2, $3, $4, $4, $5, $6, $7, coalesce((
            select project
            from staff_grant
            where staff_id = $2 and project is not null and ends_at > $4
            order by project <> $8, id
            limit 1), $8), $9
        """,
        *(key_hash(key), staff_id, secrets.token_urlsafe(24), now, now + LONGEST, address, agent[:200], PROJECT),
        identity_id,
    )
    return key


async def show_factor(db: Connection, hashed: bytes, at: datetime) -> None:
    """The second factor was shown in this session."""
    await db.execute("update staff_session set factor_at = $2 where key_hash = $1", hashed, at)


async def enter_project(db: Connection, hashed: bytes, code: str) -> None:
    """The session goes on in another project; what it was seen as stays behind."""
    await db.execute(
        "update staff_session set project = $2, seen_as = null, seen_until = null where key_hash = $1", hashed, code
    )


async def raise_session(db: Connection, hashed: bytes, reason: str, ends_at: datetime) -> None:
    """What needs a raised session may be done in this one until `ends_at`."""
    await db.execute(
        "update staff_session set raised_until = $2, raised_reason = $3 where key_hash = $1", hashed, ends_at, reason
    )


async def lower_session(db: Connection, hashed: bytes) -> bool:
    """The raised session ends by hand; False if it was over."""
    done = await db.fetchval(
        """
        update staff_session set raised_until = null, seen_as = null, seen_until = null
        where key_hash = $1 and raised_until > now()
        returning staff_id
        """,
        hashed,
    )
    return done is not None


async def see_as(db: Connection, hashed: bytes, seen: dict[str, object] | None, ends_at: datetime | None) -> None:
    """Look at the house as another role until `ends_at`; None: as oneself again."""
    await db.execute(
        "update staff_session set seen_as = $2, seen_until = $3 where key_hash = $1", hashed, seen, ends_at
    )


async def end_session(db: Connection, staff_id: int, hashed: bytes) -> bool:
    """End one session of a person."""
    done = await db.fetchval(
        "delete from staff_session where key_hash = $1 and staff_id = $2 returning staff_id", hashed, staff_id
    )
    return done is not None


async def end_others(db: Connection, staff_id: int, hashed: bytes) -> int:
    """End all sessions of a person but one; how many."""
    rows = await db.fetch(
        "delete from staff_session where staff_id = $1 and key_hash <> $2 and ends_at > now() returning staff_id",
        *(staff_id, hashed),
    )
    return len(rows)


async def sessions_of(db: Connection, staff_id: int) -> list[SessionRow]:
    """A person's sessions, newest first."""
    rows = await db.fetch(
        """
        select key_hash, started_at, seen_at, address, agent
        from staff_session
        where staff_id = $1 and ends_at > now()
        order by started_at desc, key_hash
        """,
        staff_id,
    )
    return [SessionRow(**row) for row in rows]
