"""Systems, authorisations and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from portal.features.oauth.structs import Authorisation, System

if TYPE_CHECKING:
    from portal.core.accounts import Actor
    from portal.core.db import Connection
    from portal.features.oauth.structs import Asked

CODE_LIVES = timedelta(seconds=60)
ACCESS_LIVES = timedelta(minutes=10)
SYSTEM = """
    select id, client_id, jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en) as name, project,
           redirect_uris, logout_uris, backchannel_uri, scopes, secret_hash, is_own, is_on
    from oauth_client
"""
# What holds: its session goes on, and opens doors still; its login is not shut; its system is on, and may know it still.
HELD = """
    select c.id as code_id, o.id as system_id, o.project, o.client_id, l.staff_id, su.subject, l.sid, c.nonce,
           array(select s from unnest(c.scopes) with ordinality x (s, n) where s = any(o.scopes) order by n) as scopes,
           c.redirect_uri, c.challenge, c.auth_time, ss.ends_at as session_ends_at,
    {own}
    join oauth_login l on l.id = c.login_id
    join oauth_client o on o.id = l.client_id and o.is_on
    join oauth_subject su on su.staff_id = l.staff_id and su.client_id = l.client_id
    join staff s on s.id = l.staff_id and s.disabled_at is null
    join staff_session ss on ss.key_hash = l.session and ss.ends_at > $2
        and (ss.identity_id is null or not is_privileged(s.id, $2))
"""
BY_CODE = HELD.format(own="c.ends_at, c.used_at from oauth_code c") + "where c.code_hash = $1 for no key update of c"
BY_TOKEN = HELD.format(own="t.ends_at, t.used_at from oauth_token t join oauth_code c on c.id = t.code_id") + (
    "where t.token_hash = $1 and t.kind = $3 for no key update of c, t"
)


def hash_of(secret: str) -> bytes:
    """What the tables know of a code, a token or a system's secret: all are drawn, of 256 bits."""
    return hashlib.sha256(secret.encode()).digest()


async def system_by(db: Connection, *, system_id: int | None = None, client_id: str | None = None) -> System | None:
    """One, on or off."""
    row = await db.fetchrow(SYSTEM + "where id = $1 or client_id = $2", system_id, client_id)
    return System(**row) if row else None


async def all_systems(db: Connection) -> list[System]:
    """In the order of their joining."""
    return [System(**row) for row in await db.fetch(SYSTEM + "order by id")]


async def auth_time(db: Connection, session: bytes) -> datetime:
    """When the person of a session last showed who he is."""
    return await db.fetchval("select coalesce(proven_at, started_at) from staff_session where key_hash = $1", session)


async def consented(db: Connection, staff_id: int, system: System, scopes: list[str]) -> bool:
    """Whether the system may know all this of him without asking."""
    return system.is_own or bool(
        await db.fetchval(
            "select 1 from oauth_consent where staff_id = $1 and client_id = $2 and scopes @> $3::text[]",
            *(staff_id, system.id, scopes),
        )
    )


async def consent(db: Connection, staff_id: int, system: System, scopes: list[str]) -> None:
    """He said yes; a yes from before stays."""
    await db.execute(
        """
        insert into oauth_consent (staff_id, client_id, scopes) values ($1, $2, $3)
        on conflict (staff_id, client_id) do update
        set scopes = array(select distinct unnest(oauth_consent.scopes || excluded.scopes) order by 1), given_at = now()
        """,
        *(staff_id, system.id, scopes),
    )


async def make_code(db: Connection, actor: Actor, asked: Asked, at: datetime) -> tuple[str, bool]:
    """A code for a system; and whether the session is new there."""
    await db.execute(
        "insert into oauth_subject (staff_id, client_id, subject) values ($1, $2, $3) on conflict do nothing",
        *(actor.staff_id, asked.system.id, secrets.token_urlsafe(18)),
    )
    login = await db.fetchval(
        """
        insert into oauth_login (session, client_id, staff_id, sid) values ($1, $2, $3, $4)
        on conflict (session, client_id) do nothing
        returning id
        """,
        *(actor.session, asked.system.id, actor.staff_id, secrets.token_urlsafe(18)),
    )
    code = secrets.token_urlsafe(32)
    await db.execute(
        """
        insert into oauth_code (code_hash, login_id, redirect_uri, scopes, nonce, challenge, auth_time, ends_at)
        select $1, l.id, $4, $5, $6, $7, coalesce(s.proven_at, s.started_at), $8
        from oauth_login l
        join staff_session s on s.key_hash = l.session
        where l.session = $2 and l.client_id = $3
        """,
        *(hash_of(code), actor.session, asked.system.id, asked.redirect_uri, asked.scopes, asked.nonce),
        *(asked.challenge, at + CODE_LIVES),
    )
    return code, login is not None


async def by_code(db: Connection, code: str, at: datetime) -> Authorisation | None:
    """The authorisation of a code, used or not, locked."""
    row = await db.fetchrow(BY_CODE, hash_of(code), at)
    return Authorisation(**row) if row else None


async def by_token(db: Connection, token: str, kind: str, at: datetime) -> Authorisation | None:
    """The authorisation of a token, used, over or not, locked."""
    row = await db.fetchrow(BY_TOKEN, hash_of(token), at, kind)
    return Authorisation(**row) if row else None


async def use_code(db: Connection, held: Authorisation, at: datetime) -> None:
    """It is good once."""
    await db.execute("update oauth_code set used_at = $2 where id = $1", held.code_id, at)


async def use_refresh(db: Connection, token: str, at: datetime) -> None:
    """It is good once."""
    await db.execute("update oauth_token set used_at = $2 where token_hash = $1", hash_of(token), at)


async def end_authorisation(db: Connection, code_id: int) -> None:
    """It and all its tokens are gone."""
    await db.execute("delete from oauth_code where id = $1", code_id)


async def make_tokens(db: Connection, held: Authorisation, at: datetime) -> tuple[str, str, datetime]:
    """An access and a refresh token, and when the first ends; neither outlives the session."""
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    ends_at = min(at + ACCESS_LIVES, held.session_ends_at)
    await db.execute("delete from oauth_token where code_id = $1 and ends_at < $2", held.code_id, at)
    await db.execute(
        """
        insert into oauth_token (token_hash, code_id, kind, ends_at)
        values ($1, $3, 'access', $4), ($2, $3, 'refresh', $5)
        """,
        *(hash_of(access), hash_of(refresh), held.code_id, ends_at, held.session_ends_at),
    )
    return access, refresh, ends_at


async def person(db: Connection, held: Authorisation, at: datetime) -> dict[str, Any]:
    """Name, language, proven e-mail and roles.

    Of a session without the second proof that a role wants there are no roles, as in the portal itself.
    """
    row = await db.fetchrow(
        """
        select s.full_name, s.language, s.email,
               array(
                   select distinct g.role
                   from staff_grant g
                   where g.staff_id = s.id and g.ends_at > $3 and g.asleep_at is null
                       and ($2::text is null or g.project is null or g.project = $2)
                       and (s.demo or not is_privileged(s.id, $3) or exists (
                           select from staff_session ss
                           join oauth_login l on l.session = ss.key_hash and l.sid = $4
                           where ss.factor_at is not null))
                   order by g.role) as roles
        from staff s
        where s.id = $1
        """,
        *(held.staff_id, held.project, at, held.sid),
    )
    assert row is not None
    return dict(row)
