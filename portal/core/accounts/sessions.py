"""Sessions in Postgres; the cookie's value is known to the browser only, the table holds its SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import msgspec

from portal.core.accounts import misses
from portal.core.accounts.passwords import verify_password
from portal.core.accounts.structs import PROJECT, Actor, Grant, Waiver
from portal.core.db import Connection, Pool

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


async def sign_in(db: Connection, login: str, password: str, address: str, agent: str) -> tuple[int, str] | None:
    """A new session: staff id and cookie. None for every kind of miss, and all kinds take the same time.

    Where it rests after misses, see portal.core.accounts.misses.
    """
    now = datetime.now(UTC)
    row = await db.fetchrow(
        "select id, password_hash from staff where login = $1 and disabled_at is null", login.strip().lower()
    )
    fits = await verify_password(row["password_hash"] if row else None, password)
    tries = await misses.lock_tries(db, row["id"], row["password_hash"], address) if row else None
    if row is None or tries is None or tries.rests(now):
        return None
    if not fits:
        await misses.missed(db, tries, now)
        return None
    await misses.fitted(db, tries, now)
    key = secrets.token_urlsafe(32)
    await db.execute("delete from staff_session where ends_at < $1", now)
    await db.execute(
        """
        insert into staff_session (key_hash, staff_id, csrf, started_at, seen_at, ends_at, address, agent)
        values ($1, $2, $3, $4, $4, $5, $6, $7)
        """,
        *(key_hash(key), row["id"], secrets.token_urlsafe(24), now, now + LONGEST, address, agent[:200]),
    )
    return row["id"], key


async def actor_of(pool: Pool, key: str, address: str, *, touch: bool = True) -> Actor | None:
    """The person behind a cookie, with his roles of now: a role taken away ends with the next request.

    Without `touch` the session does not live on by this request: it is the page's own, not the person's.
    """
    now = datetime.now(UTC)
    hashed = key_hash(key)
    row = await pool.fetchrow(
        """
        select s.staff_id, s.csrf, s.seen_at, st.login, st.full_name, st.language, st.own_school_id,
               coalesce((
                   select jsonb_agg(jsonb_build_object(
                       'role', g.role, 'region', g.region_code, 'school', g.school_id,
                       'permissions', (
                           select coalesce(jsonb_agg(rp.permission), '[]'::jsonb)
                           from role_permission rp where rp.role = g.role)))
                   from staff_grant g
                   where g.staff_id = st.id and g.project = $3 and g.ends_at > $2), '[]'::jsonb) as grants,
               (
                   select jsonb_build_object('id', w.id, 'reason', w.reason, 'ends_at', w.ends_at,
                                             'asked_by', w.asked_by, 'agreed_by', w.agreed_by,
                                             'asked_by_name', a.full_name, 'agreed_by_name', b.full_name)
                   from waiver w
                   join staff a on a.id = w.asked_by
                   join staff b on b.id = w.agreed_by
                   where w.project = $3 and w.ends_at > $2
                   order by w.id desc
                   limit 1) as waiver,
               (
                   select count(*)
                   from (select from notice n where n.staff_id = st.id and n.read_at is null limit 100) unread) as unread
        from staff_session s
        join staff st on st.id = s.staff_id
        where s.key_hash = $1 and s.ends_at > $2 and s.seen_at > $2 - $4::interval and st.disabled_at is null
        """,
        *(hashed, now, PROJECT, IDLE),
    )
    if row is None:
        return None
    if touch and row["seen_at"] < now - SEEN_EVERY:
        await pool.execute("update staff_session set seen_at = $2 where key_hash = $1", hashed, now)
    return Actor(
        staff_id=row["staff_id"],
        login=row["login"],
        full_name=row["full_name"],
        language=row["language"],
        own_school_id=row["own_school_id"],
        grants=msgspec.convert(row["grants"], tuple[Grant, ...]),
        csrf=row["csrf"],
        session=hashed,
        address=address,
        unread=row["unread"],
        waiver=msgspec.convert(row["waiver"], Waiver | None),
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
