"""`elumiti work`: the portal's jobs (imports, mail, cleaning, sleeping roles) in a process of their own; `elumiti keyholder`."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import PlainError
from infra.local import adopt
from infra.settings import PortalSettings, read
from portal.core import notices
from portal.core.accounts import create_staff, give_role, links, proofs, school_year_end
from portal.core.accounts.ending import tell_of_ending
from portal.core.accounts.grants import put_to_sleep
from portal.core.accounts.resets import answer_asks
from portal.core.audit import record_for
from portal.core.audit.archive import archive
from portal.core.audit.heads import publish_head
from portal.core.consents import asks
from portal.core.db import open_pool
from portal.core.files.stored import erase_let_go
from portal.core.files.uploads import erase_old
from portal.core.given_back import weigh_for_ever
from portal.core.jobs.telling import tell_of_ended
from portal.core.jobs.worker import worker
from portal.core.machines import clients, hooks
from portal.core.post import outbox
from portal.core.post.rounds import go_round
from portal.core.post.sender import send_due
from portal.features.work import DAILY, FAR_ROUNDS, ROUNDS, WORK


def work() -> None:
    """Do the portal's jobs until stopped."""
    adopt("portal")
    asyncio.run(_work(read(PortalSettings)))


async def _work(settings: PortalSettings) -> None:
    pool = await open_pool(settings.database_url, most=6)

    async def daily() -> None:
        now = datetime.now(UTC)
        async with pool.acquire() as db:
            await put_to_sleep(db, now)
            await tell_of_ending(db, now)
            await notices.erase_old(db)
            await outbox.erase_old(db)
            await links.erase_old(db, now)
            await clients.erase_old(db)
            await hooks.tell_of_ended_roles(db)
            await hooks.erase_old(db)
            await proofs.erase_old(db)
            await asks.erase_old(db)
        await erase_old(settings.objects, now)
        for one in DAILY:
            await one(pool)
        # Last: a trail whose chain is broken is not moved, and that must keep nothing else from being erased.
        async with pool.acquire() as db:
            await archive(db, settings.objects)

    async def hourly() -> None:
        async with pool.acquire() as db:
            await publish_head(db, settings.objects, datetime.now(UTC))

    # Beside the queue and not in it: time is given back, and letters go out, while Valkey is away too.
    beside = [
        asyncio.create_task(weigh_for_ever(pool)),
        # In turns of its own: a receiver that lets us wait holds up no letter.
        asyncio.create_task(go_round(pool, settings, (hooks.deliver_due, *FAR_ROUNDS))),
        # Apart: a letter does not wait for a scanner.
        asyncio.create_task(go_round(pool, settings, (*ROUNDS, erase_let_go))),
        asyncio.create_task(go_round(pool, settings, (answer_asks, proofs.answer_proofs, tell_of_ended, send_due))),
    ]
    running = worker(pool, settings, WORK, daily=daily, hourly=hourly)
    ready = os.environ.get("ELUMITI_READY_FILE")
    if ready:
        Path(ready).touch()
    try:
        await running.start()
    finally:
        for task in beside:
            task.cancel()
        await pool.close()


def keyholder(login: str, name: str = "") -> None:
    """Let LOGIN give roles until the end of the school year: the first of a house, or when nobody is left who could.

    A login that is not there yet is made, with a password that is printed once.

    Parameters
    ----------
    login
        The person's login.
    name
        The full name, for a login that is to be made.
    """
    adopt("portal")
    asyncio.run(_keyholder(read(PortalSettings), login.strip().lower(), name))


async def _keyholder(settings: PortalSettings, login: str, name: str) -> None:
    pool = await open_pool(settings.database_url, most=1)
    async with pool.acquire() as db, db.transaction():
        password = ""
        staff_id: int | None = await db.fetchval("select id from staff where login = $1", login)
        if staff_id is None:
            if not name:
                raise PlainError(f"There is no login «{login}».", f"To make it: elumiti keyholder {login} 'FULL NAME'")
            password = secrets.token_urlsafe(12)
            staff_id = await create_staff(db, login=login, full_name=name, password=password)
        ends_at = school_year_end(datetime.now(UTC))
        grant = await give_role(db, staff_id=staff_id, role="super-admin", ends_at=ends_at)
        fact: dict[str, object] = {"grant": grant, "role": "super-admin", "ends_at": ends_at.isoformat()}
        await record_for(
            db,
            staff_id=None,
            acting_as="command",
            address="-",
            act="staff.role.given",
            kind="staff",
            object_id=staff_id,
            after=fact,
        )
    await pool.close()
    said = f"{login} is super-admin until {ends_at:%d.%m.%Y}; the sign-in asks for an app or a security key."
    print(f"{said} Password, shown only now: {password}" if password else said)
