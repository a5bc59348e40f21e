"""Telling systems that a session ended (OpenID Connect Back-Channel Logout 1.0). Rows come from a trigger, however it ended."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from portal.core import outbound
from portal.features.oauth.signing import issuer, sign

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Pool

log = structlog.get_logger()
AT_ONCE = 20
# Longer than a try can take; a worker that dies with a row in hand loses nothing.
IN_HAND = timedelta(minutes=1)
PAUSES = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 1800, 3600))
TOKEN_LIVES = timedelta(minutes=2)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
KEPT = timedelta(days=30)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A system that has yet to hear of it."""

    id: int
    tries: int
    subject: str
    sid: str
    client_id: str
    backchannel_uri: str


async def send_logouts(pool: Pool, settings: PortalSettings) -> bool:
    """One round; True if there may be more at once."""
    async with pool.acquire() as db:
        rows = await db.fetch(
            """
            update oauth_logout o
            set tries = o.tries + 1, next_at = now() + $2::interval
            from (
                select l.id, c.client_id as name, c.backchannel_uri
                from oauth_logout l
                join oauth_client c on c.id = l.client_id
                where l.state = 'queued' and l.next_at <= now()
                order by l.next_at, l.id
                limit $1
                for no key update of l skip locked) due
            where o.id = due.id
            returning o.id, o.tries, o.subject, o.sid, due.name as client_id, due.backchannel_uri
            """,
            *(AT_ONCE, IN_HAND),
        )
    # Together: a system that lets us wait holds up neither the others nor the letters.
    await asyncio.gather(*(_tell(pool, settings, Row(**row)) for row in rows))
    return len(rows) == AT_ONCE


async def _tell(pool: Pool, settings: PortalSettings, row: Row) -> None:
    now = datetime.now(UTC)
    claims = {
        "iss": issuer(settings),
        "aud": row.client_id,
        "sub": row.subject,
        "sid": row.sid,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIVES).timestamp()),
        "jti": secrets.token_urlsafe(16),
        "events": {EVENT: {}},
    }
    async with pool.acquire() as db:
        token = await sign(db, settings, claims, "logout+jwt")
    lasting = False
    try:
        answer = await outbound.ask(
            "POST", row.backchannel_uri, loopback=outbound.may_loop(settings), form={"logout_token": token}
        )
        said = "" if answer.status in {200, 204} else f"status {answer.status}"
        lasting = 300 <= answer.status < 500 and answer.status not in {408, 425, 429}
    except outbound.OutboundRefused as error:
        said, lasting = str(error), True
    except outbound.OutboundFailed as error:
        said = str(error)
    over = lasting or row.tries > len(PAUSES)
    state = "queued" if said and not over else "given_up" if said else "sent"
    async with pool.acquire() as db:
        await db.execute(
            "update oauth_logout set state = $2, said = $3, next_at = now() + $4::interval where id = $1",
            *(row.id, state, said[:200], PAUSES[min(row.tries, len(PAUSES)) - 1]),
        )
    log.info("oauth.logout.tried", logout=row.id, system=row.client_id, tries=row.tries, state=state)


async def erase_old(pool: Pool) -> None:
    """Who was told, and who could not be."""
    async with pool.acquire() as db:
        await db.execute("delete from oauth_logout where state <> 'queued' and made_at < now() - $1::interval", KEPT)
