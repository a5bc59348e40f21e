"""All SQL of incidents."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from portal.core.projects import project

if TYPE_CHECKING:
    from portal.core.db import Connection


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A message to the public; `ended_at` None: it goes on."""

    id: int
    text: dict[str, str]
    began_at: datetime
    ended_at: datetime | None
    made_by_name: str
    ended_by_name: str | None


async def incidents(db: Connection) -> list[Incident]:
    """Those that go on first, then the newest."""
    rows = await db.fetch(
        """
        select i.id, i.text, i.began_at, i.ended_at, m.full_name as made_by_name, e.full_name as ended_by_name
        from incident i
        join staff m on m.id = i.made_by
        left join staff e on e.id = i.ended_by
        where i.project = $1
        order by i.ended_at is not null, i.began_at desc, i.id desc
        limit 100
        """,
        project(),
    )
    return [Incident(**row) for row in rows]


async def insert(db: Connection, text: dict[str, str], began_at: datetime, staff_id: int) -> int:
    """A new one; returns its id."""
    return await db.fetchval(
        "insert into incident (project, text, began_at, made_by) values ($1, $2, $3, $4) returning id",
        *(project(), text, began_at, staff_id),
    )


async def end(db: Connection, incident_id: int, staff_id: int) -> bool:
    """It is over now; False if it is not there or was over before."""
    done = await db.fetchval(
        """
        update incident
        set ended_at = greatest(now(), began_at), ended_by = $3
        where id = $1 and project = $2 and ended_at is null
        returning id
        """,
        *(incident_id, project(), staff_id),
    )
    return done is not None
