"""Systems with a token: who is asking, and when one must stop until a person agrees (SAFETY P4)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from portal.core import audit, notices
from portal.core.i18n import N_
from portal.core.permissions.guards import Public
from portal.core.problems import Problem

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers.base import BaseRouteHandler

    from portal.core.db import Connection

# A token is renewed each year: by then somebody has to know where it lies.
TOKEN_LIVES = timedelta(days=365)
HOUR = timedelta(hours=1)
USED_EVERY = timedelta(minutes=5)


class NoToken(Problem):
    """A machine without a token, or with one that is over."""

    code = "token-rejected"
    status = 401
    title = N_("This token is not known.")
    advice = N_("Send «Authorization: Bearer …» with the token of this system; a new one is made on its page.")


class MachineStopped(Problem):
    """SAFETY P4: a person has to agree first."""

    code = "machine-stopped"
    status = 403
    title = N_("This system is stopped.")
    advice = N_("It changed more persons in an hour than it may, or somebody stopped it. A person lets it go on.")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A system that asks. `roles`: those that it may give."""

    id: int
    name: str
    project: str
    roles: tuple[str, ...]
    made_by: int
    stopped: bool
    address: str = ""

    @property
    def acting_as(self) -> str:
        """For the trail."""
        return f"machine: {self.name}"


class ByToken(Public):
    """Lets pass who brings the token of a system; no session of a person counts here."""

    async def __call__(self, connection: ASGIConnection, _handler: BaseRouteHandler) -> None:
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise NoToken
        now = datetime.now(UTC)
        row = await connection.app.state.pool.fetchrow(
            """
            select id, name, project, roles, made_by, stopped_at is not null as stopped, used_at
            from machine_client
            where token_hash = $1 and token_ends_at > $2
            """,
            *(hash_token(token.strip()), now),
        )
        if row is None:
            raise NoToken
        if row["used_at"] is None or row["used_at"] < now - USED_EVERY:
            await connection.app.state.pool.execute(
                "update machine_client set used_at = $2 where id = $1", row["id"], now
            )
        known = {name: row[name] for name in ("id", "name", "project", "made_by", "stopped")}
        client = Client(**known, roles=tuple(row["roles"]), address=connection.scope["user"].address)
        if client.stopped:
            raise MachineStopped
        connection.state.machine = client


by_token = ByToken()


def draw_token() -> str:
    """A new bearer token: 256 random bits, with a name that scanners of leaked secrets can know."""
    return f"elumiti_{secrets.token_urlsafe(32)}"


def hash_token(token: str) -> bytes:
    """What is kept of a token; of so many random bits a plain hash tells nothing."""
    return hashlib.sha256(token.encode()).digest()


async def one_at_a_time(db: Connection, client: Client) -> None:
    """Writes of one system take turns, so that its measure counts each; who was stopped meanwhile writes no more."""
    stopped = await db.fetchval(
        "select stopped_at is not null from machine_client where id = $1 for no key update", client.id
    )
    if stopped is not False:
        raise MachineStopped


async def count_change(db: Connection, client: Client, staff_id: int, base: int) -> None:
    """Another person changed or closed, of `base` that it sees; beyond one in a hundred in an hour it stops.

    Whom it made itself within that hour does not count: a first filling is no attack.
    """
    await db.execute("insert into machine_change (client_id, staff_id) values ($1, $2)", client.id, staff_id)
    changed = await db.fetchval(
        """
        select count(distinct c.staff_id)
        from machine_change c
        where c.client_id = $1 and c.at > now() - $2::interval
            and not exists (
                select from machine_user m
                where m.staff_id = c.staff_id and m.client_id = $1 and m.made_at > now() - $2::interval)
        """,
        *(client.id, HOUR),
    )
    if changed > max(1, base // 100):
        raise MachineStopped


async def stop(db: Connection, client: Client) -> None:
    """After the change was refused and rolled back: it stays stopped, on record, and those who can free it are told."""
    async with db.transaction():
        done = await db.fetchval(
            """
            update machine_client set stopped_at = now(), stopped_why = 'measure'
            where id = $1 and stopped_at is null
            returning stopped_at
            """,
            client.id,
        )
        if done is None:
            return
        await audit.record_for(
            db,
            staff_id=None,
            acting_as=client.acting_as,
            address=client.address,
            act="machine.measure.met",
            kind="machine",
            object_id=client.id,
        )
        for row in await db.fetch(KEEPERS):
            await notices.tell(
                db,
                row["id"],
                "machine.stopped",
                about=f"{client.id}/{done.isoformat()}",
                link=f"/machines/{client.id}",
                filled={"system": client.name},
            )


KEEPERS = """
    select distinct s.id
    from staff s
    join staff_grant g on g.staff_id = s.id and g.ends_at > now() and g.asleep_at is null
    join role_permission rp on rp.role = g.role and rp.permission = 'machine.edit'
    where s.disabled_at is null and num_nonnulls(g.region_code, g.district_id, g.school_id) = 0
    order by s.id
    limit 100
"""


async def erase_old(db: Connection) -> None:
    """Changes that no measure counts any longer."""
    await db.execute("delete from machine_change where at < now() - interval '1 day'")
