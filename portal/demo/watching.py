"""The demo's proctoring: the open sitting has a camera, and two of three mothers agreed to it. Nobody exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.names import fold

if TYPE_CHECKING:
    import asyncpg


async def insert_watch(db: asyncpg.Connection[asyncpg.Record], opened: int) -> None:
    """Needs the registry and the sittings."""
    await db.execute("insert into sitting_watch (sitting_id, keep_days) values ($1, 30)", opened)
    await db.execute("select make_watch_partition($1)", opened)
    rows = await db.fetch("select id, last_name, first_name from participant order by id")
    keys = [fold(f"{row['last_name']} {row['first_name']}") for row in rows]
    await db.fetchval("select link_participants($1, $2)", [row["id"] for row in rows], keys)
    await db.execute(
        """
        insert into consent (person_id, purpose, given_by, relation, text_version, language, channel, given_on, recorded_by)
        select p.id, 'camera', concat_ws(' ', p.last_name, 'Сәуле'), 'mother', '2026-1', p.language, 'paper', '2026-11-05', a.id
        from person p, staff a
        where a.login = 'admin' and p.id % 3 <> 0
            and p.id in (select person_id from participant where sitting_id = $1)
        order by p.id
        """,
        opened,
    )
