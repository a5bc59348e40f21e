"""Telling other systems that something happened: a kind and an id, signed, never a word about a person (SAFETY P4).

The form is that of standardwebhooks.com: what is signed is `id.time.body`, so that a receiver refuses what is older than
five minutes. Events are written in the transaction that causes them; the worker delivers, at least once, in no order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog
from nacl.secret import SecretBox

from infra.local import decode_key
from portal.core import notices, outbound
from portal.core.i18n import N_

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.db import Connection, Pool

log = structlog.get_logger()

# What can be told; users by triggers on their tables (infra/migrations/0050_machines.sql), the rest by `tell`.
KINDS: dict[str, str] = {
    "user.changed": N_("Name, login or language of a login changed"),
    "user.closed": N_("A login was shut"),
    "user.opened": N_("A login was opened again"),
    "user.roles": N_("Roles of a login changed"),
    "sitting.published": N_("A sitting was published"),
    "results.published": N_("Results of a sitting were published"),
}
PING = "ping"
PAUSES = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600))
# Longer than a round can take: its events go out side by side, each within the limit of outbound.ask.
IN_HAND = timedelta(minutes=5)
AT_ONCE = 20
# Of one hook in a round: a receiver that lets us wait, with a thousand events due, holds up no other.
OF_ONE = 5
MOST_SAID = 200


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be delivered."""

    id: int
    webhook_id: int
    event_id: str
    kind: str
    object_id: str
    happened_at: datetime
    tries: int
    url: str
    project: str
    secret: bytes


def draw_secret() -> str:
    """What both sides sign with; shown once."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def seal(settings: PortalSettings, secret: str) -> bytes:
    """The secret as the table keeps it."""
    return bytes(_box(settings).encrypt(secret.encode()))


def sign(secret: str, event_id: str, moment: int, body: bytes) -> str:
    """The signature's header."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.digest(key, f"{event_id}.{moment}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(made).decode()


def _box(settings: PortalSettings) -> SecretBox:
    # A key of its own, derived: what seals second factors opens nothing here.
    derived = hashlib.blake2b(decode_key(settings.factor_key), digest_size=32, person=b"webhook").digest()
    return SecretBox(derived)


async def tell(db: Connection, project: str, kind: str, object_id: object) -> None:
    """An event, in the transaction that causes it; each hook of the project that wants this kind gets it."""
    if kind not in KINDS:
        msg = f"{kind!r} is not in portal/core/machines/hooks.py"
        raise ValueError(msg)
    await db.execute("select tell_hooks(array[$1], $2, $3)", project, kind, str(object_id))


async def ping(db: Connection, webhook_id: int) -> None:
    """A try that means nothing, for whoever sets a hook up."""
    await db.execute(
        "insert into webhook_delivery (webhook_id, event_id, kind, object_id) values ($1, gen_random_uuid(), $2, '-')",
        *(webhook_id, PING),
    )


async def deliver_due(pool: Pool, settings: PortalSettings) -> bool:
    """One round; True if there may be more at once."""
    async with pool.acquire() as db:
        rows = await _take(db)
    await asyncio.gather(*(_deliver(pool, settings, row) for row in rows))
    return bool(rows)


async def _deliver(pool: Pool, settings: PortalSettings, row: Due) -> None:
    state, said = await _try(row, settings)
    async with pool.acquire() as db:
        await _settle(db, row, state, said)
    log.info("hooks.event.tried", delivery=row.id, hook=row.webhook_id, kind=row.kind, tries=row.tries, state=state)


async def _take(db: Connection) -> list[Due]:
    """Events that are due; in our hand for some minutes, so that a worker that dies loses none."""
    rows = await db.fetch(
        """
        update webhook_delivery d
        set tries = d.tries + 1, next_at = now() + $2::interval
        from (
            select e.id
            from webhook_delivery e
            join (
                select q.id, row_number() over (partition by q.webhook_id order by q.next_at, q.id) as turn
                from webhook_delivery q
                join webhook h on h.id = q.webhook_id and h.off_at is null
                where q.state in ('queued', 'failed') and q.next_at <= now()) turns on turns.id = e.id
            where turns.turn <= $3 and e.state in ('queued', 'failed') and e.next_at <= now()
            order by turns.turn, e.next_at, e.id
            limit $1
            for no key update of e skip locked) due, webhook w
        where d.id = due.id and w.id = d.webhook_id
        returning d.id, d.webhook_id, d.event_id::text, d.kind, d.object_id, d.happened_at, d.tries, w.url, w.project,
                  w.secret
        """,
        *(AT_ONCE, IN_HAND, OF_ONE),
    )
    return sorted((Due(**row) for row in rows), key=lambda row: row.id)


async def _try(row: Due, settings: PortalSettings) -> tuple[str, str]:
    """(state, what the other side said); 2xx is taken, everything else is tried again."""
    body = msgspec.json.encode(
        {
            "type": row.kind,
            "timestamp": row.happened_at.astimezone(UTC).isoformat(),
            "data": {"id": row.object_id, "project": row.project},
        }
    )
    secret = _box(settings).decrypt(row.secret).decode()
    # The moment of this try, not of the event: a late try must not look like a replay.
    moment = int(datetime.now(UTC).timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "elumiti-webhooks/1",
        "webhook-id": row.event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": sign(secret, row.event_id, moment, body),
    }
    try:
        answer = await outbound.ask(
            "POST", row.url, loopback=outbound.may_loop(settings), body=body, headers=headers, most_bytes=2**16
        )
    except outbound.OutboundRefused as error:
        return "given_up", f"address refused: {error}"
    except outbound.OutboundFailed as error:
        return "failed", str(error)
    return ("sent" if 200 <= answer.status < 300 else "failed"), str(answer.status)


async def _settle(db: Connection, row: Due, state: str, said: str) -> None:
    pause = PAUSES[row.tries - 1] if state == "failed" and row.tries <= len(PAUSES) else None
    final = "given_up" if state == "failed" and pause is None else state
    async with db.transaction():
        await db.execute(
            """
            update webhook_delivery
            set state = $2, said = $3, next_at = now() + coalesce($4::interval, '0'),
                sent_at = case when $2 = 'sent' then now() end
            where id = $1
            """,
            *(row.id, final, said[:MOST_SAID], pause),
        )
        if final == "given_up":
            hook = await db.fetchrow("select name, made_by from webhook where id = $1", row.webhook_id)
            assert hook is not None, "no hook is ever deleted"
            # Once a day about one hook, however much it does not take.
            await notices.tell(
                db,
                hook["made_by"],
                "hook.given-up",
                about=f"{row.webhook_id}/{datetime.now(UTC):%Y-%m-%d}",
                link=f"/hooks/{row.webhook_id}",
                filled={"system": hook["name"]},
            )


async def tell_of_ended_roles(db: Connection) -> None:
    """Once a day: roles that came to their end since, of which no statement tells."""
    await db.execute(
        """
        select tell_hooks(array[g.project], 'user.roles', s.public_id::text)
        from staff_grant g
        join staff s on s.id = g.staff_id
        where g.project is not null and g.ends_at between now() - interval '1 day' and now() and not is_privileged(s.id)
        """
    )


async def erase_old(db: Connection) -> None:
    """What was delivered is of no use after a month."""
    await db.execute("delete from webhook_delivery where happened_at < now() - interval '30 days'")
