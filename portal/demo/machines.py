"""The demo's joined systems: one that keeps logins in step, one that is told of changes. Neither exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.machines.hooks import KINDS, draw_secret, seal

if TYPE_CHECKING:
    import asyncpg

    from infra.settings import PortalSettings

EVENTS = (
    ("sitting.published", "1", "sent", 1, "204", "3 days"),
    ("user.changed", "6f0c1d52-7a0e-4c4e-9a51-0c8f7b5d2e11", "sent", 1, "204", "2 days"),
    ("user.closed", "0b9f4f2c-1a77-4e3b-8a7d-55f2a6f1c9d0", "sent", 3, "204", "30 hours"),
    ("user.roles", "a41e7c88-3f0d-4d27-b0f6-3f7e3c0f6a54", "given_up", 9, "503", "28 hours"),
)


async def insert_machines(db: asyncpg.Connection[asyncpg.Record], settings: PortalSettings) -> None:
    """A system with a token that nobody has, and a hook with a day behind it. The hook is off: its address is nobody's."""
    maker = await db.fetchval("select id from staff where login = 'sysadmin'")
    await db.execute(
        """
        insert into machine_client (name, project, roles, token_hash, token_ends_at, used_at, made_by, made_at)
        values ('Күнделік', 'birge-oqy', '{birge-pupil,birge-teacher}', sha256(gen_random_uuid()::text::bytea),
                now() + interval '300 days', now() - interval '4 minutes', $1, now() - interval '65 days')
        """,
        maker,
    )
    hook = await db.fetchval(
        """
        insert into webhook (name, project, url, kinds, secret, made_by, made_at, off_at)
        values ('Білім порталы', 'myn-bala', 'https://portal.example.kz/elumiti', $1, $2, $3, now() - interval '40 days', now())
        returning id
        """,
        *(list(KINDS), seal(settings, draw_secret()), maker),
    )
    await db.executemany(
        """
        insert into webhook_delivery (webhook_id, event_id, kind, object_id, state, tries, said, happened_at, sent_at)
        values ($1, gen_random_uuid(), $2, $3, $4, $5, $6, now() - $7::text::interval,
                case when $4 = 'sent' then now() - $7::text::interval end)
        """,
        [(hook, *event) for event in EVENTS],
    )
