"""Who of the registry a participant is: by the external id within his school, else by folded name, birth date and school.

Found by two facts that an import brings beside the name; whom two rows fit stays unlinked, for another child's consent would
open his camera. The search itself is a function of Postgres that tells nothing but how many it found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from portal.core.names import fold

if TYPE_CHECKING:
    from portal.core.db import Connection, Pool

log = structlog.get_logger()

PIECE = 5000


async def link(db: Connection, sitting_id: int) -> int:
    """Link a sitting's participants that are linked to nobody yet; how many were found."""
    found, after = 0, 0
    while rows := await db.fetch(
        """
        select id, last_name, first_name
        from participant
        where sitting_id = $1 and person_id is null and id > $2
        order by id
        limit $3
        """,
        *(sitting_id, after, PIECE),
    ):
        keys = [fold(f"{row['last_name']} {row['first_name']}") for row in rows]
        found += await db.fetchval("select link_participants($1, $2)", [row["id"] for row in rows], keys)
        after = rows[-1]["id"]
    return found


async def unlinked(db: Connection) -> list[int]:
    """Sittings to come or under way that have participants linked to nobody."""
    rows = await db.fetch(
        """
        select s.id
        from sitting s
        where s.state in ('draft', 'published') and s.starts_at > now() - interval '2 days'
            and exists (select from participant p where p.sitting_id = s.id and p.person_id is null)
        order by s.id
        """
    )
    return [row["id"] for row in rows]


async def link_daily(pool: Pool) -> None:
    """Persons come into the registry after the list of pupils did; a sitting a transaction."""
    async with pool.acquire() as db:
        for sitting_id in await unlinked(db):
            async with db.transaction():
                await db.execute("set local statement_timeout = 0")
                found = await link(db, sitting_id)
            log.info("participants.linked", sitting=sitting_id, found=found)
