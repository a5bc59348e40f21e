"""The territory of whoever acts, told to Postgres at the head of a transaction: its row security shows nothing else (SAFETY P2).

This is the one place that tells it. A query without any filter, in a handler that forgot its own, sees the rows of this
territory; a transaction in which nothing was told sees none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from portal.core.problems import NotThere
from portal.core.readings import ReadingStopped, alarm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from portal.core.accounts.structs import Actor, Scope
    from portal.core.db import Connection

TELL = """
    select set_config('elumiti.country', $1, true), set_config('elumiti.regions', $2::text[]::text, true),
           set_config('elumiti.schools', $3::int[]::text, true), set_config('elumiti.members', $4::bigint[]::text, true)
"""


@contextlib.asynccontextmanager
async def acting(db: Connection, actor: Actor, permission: str) -> AsyncIterator[Scope]:
    """A transaction within the territory in which this person holds a permission."""
    try:
        async with within(db, actor.scope(permission)) as scope:
            yield scope
    except ReadingStopped:
        # The transaction is rolled back, its count too; what stays is the alarm.
        await alarm(db, actor)
        raise


@contextlib.asynccontextmanager
async def as_oneself(db: Connection, actor: Actor) -> AsyncIterator[int]:
    """A transaction that sees the actor's own row of the registry and what hangs on it; 404 for a login without one."""
    if actor.person_id is None:
        raise NotThere
    async with db.transaction():
        await db.execute("select set_config('elumiti.person', $1, true)", str(actor.person_id))
        yield actor.person_id


@contextlib.asynccontextmanager
async def as_login(db: Connection, actor: Actor) -> AsyncIterator[int]:
    """A transaction that sees what is the login's own and in no territory yet: its registration."""
    async with db.transaction():
        await db.execute("select set_config('elumiti.login', $1, true)", str(actor.staff_id))
        yield actor.staff_id


@contextlib.asynccontextmanager
async def everywhere(db: Connection) -> AsyncIterator[None]:
    """A stretch of a transaction that sees the whole country, for what the house itself does because of an act in it.

    Whoever acts is shown nothing of it; afterwards his own territory holds again.
    """
    before = await db.fetchval("select current_setting('elumiti.country', true)")
    await db.execute("select set_config('elumiti.country', 'on', true)")
    # After an exception the transaction is over, and with it the setting: nothing to take back.
    yield
    await db.execute("select set_config('elumiti.country', $1, true)", before or "off")


@contextlib.asynccontextmanager
async def within(db: Connection, scope: Scope) -> AsyncIterator[Scope]:
    """A transaction within a territory: for jobs, which carry the scope of the person who asked.

    Who is in a class or attached to him is looked up now: a pupil who left is not seen by the next transaction.
    """
    async with db.transaction():
        country, regions, schools = scope.parameters
        members: list[int] = []
        if scope.parts and not country:
            members = await db.fetchval("select members_of($1)", msgspec.to_builtins(scope.parts))
        # Local to the transaction: the next one of this connection begins with nothing.
        await db.execute(TELL, "on" if country else "off", regions, schools, members)
        yield msgspec.structs.replace(scope, members=tuple(sorted(members)))
