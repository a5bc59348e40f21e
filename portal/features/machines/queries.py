"""All SQL of joined systems and webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

STATES = ("queued", "sent", "failed", "given_up")


class ClientRow(msgspec.Struct, frozen=True, kw_only=True):
    """A joined system. `logins`: how many it made and did not delete; `changed`: whom it changed within the hour."""

    id: int
    name: str
    project: str
    project_name: dict[str, str]
    roles: list[str]
    token_ends_at: datetime | None
    used_at: datetime | None
    made_at: datetime
    made_by: str
    stopped_at: datetime | None
    stopped_why: str
    logins: int
    changed: int


class HookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, and how it goes."""

    id: int
    name: str
    project: str
    project_name: dict[str, str]
    url: str
    kinds: list[str]
    made_at: datetime
    made_by: str
    off_at: datetime | None
    waiting: int
    given_up: int
    sent_at: datetime | None


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event and how its delivery went."""

    id: int
    event_id: str
    kind: str
    object_id: str
    happened_at: datetime
    state: str
    tries: int
    next_at: datetime
    sent_at: datetime | None
    said: str


async def clients(db: Connection, client_id: int | None = None) -> list[ClientRow]:
    """All systems, or one."""
    rows = await db.fetch(
        """
        select c.id, c.name, c.project, jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) as project_name,
               c.roles, c.token_ends_at, c.used_at, c.made_at, s.full_name as made_by, c.stopped_at, c.stopped_why,
               (select count(*) from machine_user m where m.client_id = c.id and m.gone_at is null) as logins,
               (
                   select count(distinct x.staff_id)
                   from machine_change x
                   where x.client_id = c.id and x.at > now() - interval '1 hour') as changed
        from machine_client c
        join project p on p.code = c.project
        join staff s on s.id = c.made_by
        where $1::int is null or c.id = $1
        order by kk(c.name), c.id
        """,
        client_id,
    )
    return [ClientRow(**row) for row in rows]


async def insert_client(
    db: Connection, *, name: str, project: str, roles: list[str], token_hash: bytes, ends_at: datetime, made_by: int
) -> int:
    """A new system with its first token."""
    return await db.fetchval(
        """
        insert into machine_client (name, project, roles, token_hash, token_ends_at, made_by)
        values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        *(name, project, roles, token_hash, ends_at, made_by),
    )


async def set_token(db: Connection, client_id: int, token_hash: bytes, ends_at: datetime) -> None:
    """Another token; the old one opens nothing from now on."""
    await db.execute(
        "update machine_client set token_hash = $2, token_ends_at = $3 where id = $1", client_id, token_hash, ends_at
    )


async def stop_client(db: Connection, client_id: int) -> bool:
    """Stop it by a person's hand; False if it was stopped."""
    done = await db.fetchval(
        """
        update machine_client set stopped_at = now(), stopped_why = 'person'
        where id = $1 and stopped_at is null
        returning id
        """,
        client_id,
    )
    return done is not None


async def free_client(db: Connection, client_id: int) -> bool:
    """Let it go on, with its measure begun anew; False if it was not stopped."""
    done = await db.fetchval(
        "update machine_client set stopped_at = null, stopped_why = '' where id = $1 and stopped_at is not null returning id",
        client_id,
    )
    await db.execute("delete from machine_change where client_id = $1", client_id)
    return done is not None


async def hooks(db: Connection, hook_id: int | None = None) -> list[HookRow]:
    """All hooks, or one."""
    rows = await db.fetch(
        """
        select w.id, w.name, w.project, jsonb_build_object('kk', p.name_kk, 'ru', p.name_ru, 'en', p.name_en) as project_name,
               w.url, w.kinds, w.made_at, s.full_name as made_by, w.off_at,
               (select count(*) from webhook_delivery d where d.webhook_id = w.id and d.state in ('queued', 'failed')) as waiting,
               (select count(*) from webhook_delivery d where d.webhook_id = w.id and d.state = 'given_up') as given_up,
               (select max(sent_at) from webhook_delivery d where d.webhook_id = w.id) as sent_at
        from webhook w
        join project p on p.code = w.project
        join staff s on s.id = w.made_by
        where $1::int is null or w.id = $1
        order by kk(w.name), w.id
        """,
        hook_id,
    )
    return [HookRow(**row) for row in rows]


async def insert_hook(
    db: Connection, *, name: str, project: str, url: str, kinds: list[str], secret: bytes, made_by: int
) -> int:
    """A new hook."""
    return await db.fetchval(
        """
        insert into webhook (name, project, url, kinds, secret, made_by) values ($1, $2, $3, $4, $5, $6)
        returning id
        """,
        *(name, project, url, kinds, secret, made_by),
    )


async def switch_hook(db: Connection, hook_id: int) -> bool:
    """Off, or on again; True: it is on now. What waits goes out then."""
    on: bool = await db.fetchval(
        """
        update webhook set off_at = case when off_at is null then now() end
        where id = $1
        returning off_at is null
        """,
        hook_id,
    )
    return on


async def deliveries(
    db: Connection, hook_id: int, state: str, *, limit: int, offset: int
) -> tuple[list[DeliveryRow], int]:
    """A page of a hook's events, newest first."""
    total = await db.fetchval(
        "select count(*) from webhook_delivery where webhook_id = $1 and ($2 = '' or state = $2)", hook_id, state
    )
    rows = await db.fetch(
        """
        select id, event_id::text, kind, object_id, happened_at, state, tries, next_at, sent_at, said
        from webhook_delivery
        where webhook_id = $1 and ($2 = '' or state = $2)
        order by id desc
        limit $3 offset $4
        """,
        *(hook_id, state, limit, offset),
    )
    return [DeliveryRow(**row) for row in rows], total


async def send_again(db: Connection, hook_id: int, delivery_id: int) -> bool:
    """Due at once, with all its tries before it."""
    done = await db.fetchval(
        """
        update webhook_delivery set state = 'queued', tries = 0, next_at = now()
        where id = $1 and webhook_id = $2 and state in ('failed', 'given_up')
        returning id
        """,
        *(delivery_id, hook_id),
    )
    return done is not None


async def givable(db: Connection) -> dict[str, dict[str, dict[str, str]]]:
    """Project → role → name: those that a system may be allowed to give, privileged ones left out."""
    rows = await db.fetch(
        """
        select r.project, r.code, jsonb_build_object('kk', r.name_kk, 'ru', r.name_ru, 'en', r.name_en) as name
        from role r
        where r.project is not null and exists (
            select from role_permission rp where rp.role = r.code and rp.permission = 'account.password-alone')
        order by r.project, r.place, r.code
        """
    )
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["project"], {})[row["code"]] = row["name"]
    return found
